"""What a document of a model says: read from the registry and from the entries that tell it, and nothing else."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.conf import settings

from governance.formats.bomcheck import check_bom
from governance.formats.cardwriting import Card, write_card
from governance.formats.mlbom import MEDIA, Part, Thing, ml_bom
from governance.formats.modelcard import CardFacts
from governance.models import Adapter, ApprovalRequest, Deployment, ModelVersion, Revision
from governance.queries.documentparts import (
    TASKS,
    DocumentNotFound,
    Told,
    adapter_part,
    adapter_row,
    claims_of,
    numbers,
    origin,
    revision_properties,
    serving_limits,
    slug_of,
    task_of,
    things_of,
    told_of,
    version_part,
    version_row,
)

CARD_MEDIA: Final = "text/markdown; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Document:
    """A finished document: the same state of the registry gives the same bytes.

    Attributes:
        kind: `ml-bom` or `model-card`. `subject`: what it is about, as the ledger names it.
        entry: the newest entry that it rests on.
    """

    kind: str
    subject: str
    name: str
    media: str
    data: bytes
    entry: int


def version_bom(version_id: UUID) -> Document:
    """The bill of materials of a model version. Raises DocumentNotFound."""
    row = version_row(version_id)
    told = told_of([f"model_version:{row.pk}", f"model:{row.model_id}"])
    part = version_part(row, told, claims_of("model_version", row.pk, "README.md"))
    return _bom(f"model_version:{row.pk}", slug_of(row.model.name, row.version), told, [part])


def adapter_bom(adapter_id: UUID) -> Document:
    """The bill of materials of an adapter and its base. Raises DocumentNotFound."""
    row = adapter_row(adapter_id)
    base = row.base
    subjects = [f"adapter:{row.pk}", *([f"model_version:{base.pk}", f"model:{base.model_id}"] if base else [])]
    told = told_of(subjects)
    parts = [adapter_part(row, told), *([version_part(base, told, {})] if base else [])]
    depends = {parts[0].ref: [f"model_version:{base.pk}"]} if base else {}
    return _bom(f"adapter:{row.pk}", slug_of(row.name, row.version), told, parts, depends=depends)


def deployment_bom(deployment_id: UUID, number: int | None = None) -> Document:
    """The bill of materials of a revision: the one asked for, else the approved one, else the newest.

    Raises:
        DocumentNotFound: no such deployment or revision.
    """
    found = Deployment.objects.filter(pk=deployment_id).first()
    rows = Revision.objects.filter(deployment_id=deployment_id).select_related(
        "model_version__model", "gpu_pool__gpu_model"
    )
    if number is not None:
        rows = rows.filter(number=number)
    elif found is not None and found.approved_revision_id is not None:
        rows = rows.filter(pk=found.approved_revision_id)
    row = rows.order_by("-number").first()
    if found is None or row is None:
        raise DocumentNotFound("There is no such deployment, or no such revision of it.")
    adapters = list(Adapter.objects.filter(pk__in=row.adapters).select_related("base__model").order_by("name", "pk"))
    request = ApprovalRequest.objects.filter(revision=row).order_by("-number").first()
    version = row.model_version
    told = told_of(
        [
            f"deployment:{found.pk}",
            f"revision:{row.pk}",
            f"model_version:{version.pk}",
            f"model:{version.model_id}",
            *(f"adapter:{adapter.pk}" for adapter in adapters),
            *([f"request:{request.pk}"] if request else []),
        ]
    )
    base = version_part(version, told, claims_of("model_version", version.pk, "README.md"))
    base = replace(base, uses=(found.purpose,), limits=(*base.limits, *serving_limits(row)))
    parts = [base, *(adapter_part(adapter, told) for adapter in adapters)]
    whole = Thing(
        ref=f"revision:{row.pk}",
        type="application",
        name=found.name,
        version=str(row.number),
        description=found.purpose,
        properties=revision_properties(found, row, request, told),
    )
    things = things_of(row)
    runs_on = [part.ref for part in parts] + [thing.ref for thing in things]
    depends = {whole.ref: runs_on} | {part.ref: [base.ref] for part in parts[1:]}
    return _bom(whole.ref, slug_of(found.name, f"r{row.number}"), told, parts, whole, things, depends)


def version_card(version_id: UUID) -> Document:
    """The model card of a version. Raises DocumentNotFound."""
    row = version_row(version_id)
    subject = f"model_version:{row.pk}"
    told = told_of([subject, f"model:{row.model_id}"])
    claims = claims_of("model_version", row.pk, "README.md")
    card = Card(
        name=f"{row.model.name} {row.version}",
        facts=CardFacts(
            licence=row.model.licence,
            base_models=claims.get("base_models", ()),
            relation="".join(claims.get("relation", ())),
            datasets=claims.get("datasets", ()),
            tags=claims.get("tags", ()),
            languages=claims.get("languages", ()),
        ),
        loaded_by="gguf" if row.facts_from == ModelVersion.FactsFrom.GGUF else "transformers",
        task=task_of(row.architecture),
        about=(("Facts", tuple(numbers(row).items())), ("Where this comes from", origin(told, row.source, subject))),
    )
    return _card(subject, card, told)


def adapter_card(adapter_id: UUID) -> Document:
    """The model card of an adapter. Raises DocumentNotFound."""
    row = adapter_row(adapter_id)
    subject = f"adapter:{row.pk}"
    told = told_of([subject])
    claims = claims_of("adapter", row.pk, "README.md")
    facts = {
        "method": row.method,
        "r": str(row.r or ""),
        "lora_alpha": row.lora_alpha,
        "target_modules": row.target_pattern or ", ".join(row.target_modules),
        "revision of the base": row.base_revision,
        "match of the base": row.base_match,
        "SHA-256 of adapter_config.json": row.config_sha256,
        "SHA-256 of the weights file": row.weights_sha256,
    }
    card = Card(
        name=f"{row.name} {row.version}",
        facts=CardFacts(
            licence=row.licence,
            base_models=(row.base_name,),
            relation="adapter",
            datasets=claims.get("datasets", ()),
            tags=claims.get("tags", ()),
            languages=claims.get("languages", ()),
        ),
        loaded_by="peft",
        task=TASKS.get(row.task_type, ""),
        about=(
            ("Facts", tuple((name, value) for name, value in facts.items() if value)),
            ("Where this comes from", origin(told, row.source, subject)),
        ),
    )
    return _card(subject, card, told)


def _bom(
    subject: str,
    slug: str,
    told: Told,
    parts: Sequence[Part],
    whole: Thing | None = None,
    things: Sequence[Thing] = (),
    depends: Mapping[str, Sequence[str]] | None = None,
) -> Document:
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{settings.LEDGER_ORIGIN}/{told.newest}/{subject}")
    data = ml_bom(serial=serial, made_at=told.at, whole=whole, parts=parts, things=things, depends=depends or {})
    check_bom(data)
    return Document("ml-bom", subject, f"{slug}.cdx.json", MEDIA, data, told.newest)


def _card(subject: str, card: Card, told: Told) -> Document:
    return Document("model-card", subject, "README.md", CARD_MEDIA, write_card(card), told.newest)
