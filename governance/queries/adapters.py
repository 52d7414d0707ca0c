"""Adapters for reading: those of a revision, and the page of one."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from governance.models import Adapter, Revision
from governance.queries.artefacts import ArtefactLine, artefact_lines
from governance.queries.objects import object_history
from governance.queries.telling import HistoryLine

SHOWN = 20


class AdapterNotFound(LookupError):
    """No adapter has this id."""


@dataclass(frozen=True, slots=True)
class AdapterLine:
    """An adapter of a revision. `mark` and `word` say how its base was matched."""

    id: str
    name: str
    version: str
    mark: str
    word: str


@dataclass(frozen=True, slots=True)
class UseLine:
    """A revision that names an adapter."""

    deployment_id: UUID
    deployment: str
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AdapterPage:
    """One adapter as its page shows it.

    Attributes:
        base: the registered version that it runs on, empty while none is named.
        facts, digests: name in the model, and text; only what is known.
        modules: where it sits, one text. `kept`: modules that it brings whole.
    """

    id: UUID
    name: str
    version: str
    mark: str
    word: str
    base: str
    base_name: str
    base_revision: str
    facts: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, str], ...]
    modules: str
    kept: str
    source: str
    registered_at: datetime
    uses: tuple[UseLine, ...]
    artefacts: tuple[ArtefactLine, ...]
    history: tuple[HistoryLine, ...]


def adapter_lines(content: str) -> tuple[AdapterLine, ...]:
    """The adapters that the content of a revision names, in its order."""
    return tuple(
        AdapterLine(item["id"], item["name"], item["version"], *match_mark(item["base_match"]))
        for item in json.loads(content)["adapters"]
    )


def match_mark(match: str) -> tuple[str, str]:
    """Shape and word of how the base of an adapter was matched."""
    mark = "ok" if match == Adapter.BaseMatch.MATCHED else "warn"
    return mark, str(Adapter.BaseMatch(match).label)


def adapter_page(adapter_id: UUID) -> AdapterPage:
    """The page of one adapter, in a constant number of queries.

    Raises:
        AdapterNotFound: no such adapter.
    """
    found = Adapter.objects.select_related("base__model").filter(pk=adapter_id).first()
    if found is None:
        raise AdapterNotFound("There is no such adapter.")
    mark, word = match_mark(found.base_match)
    return AdapterPage(
        id=found.pk,
        name=found.name,
        version=found.version,
        mark=mark,
        word=word,
        base=f"{found.base.model.name} {found.base.version}" if found.base else "",
        base_name=found.base_name,
        base_revision=found.base_revision,
        facts=_facts(found),
        digests=tuple(
            (name, digest)
            for name, digest in (
                ("adapter_config.json", found.config_sha256),
                (_("safetensors header"), found.header_sha256),
                (_("weights file"), found.weights_sha256),
            )
            if digest
        ),
        modules=found.target_pattern or ", ".join(found.target_modules),
        kept=", ".join(found.modules_to_save),
        source=found.source,
        registered_at=found.registered_at,
        uses=_uses(found),
        artefacts=artefact_lines(found.artefacts.order_by("kind", "name")[:SHOWN]),
        history=object_history("adapter", found.pk, limit=SHOWN),
    )


def _facts(found: Adapter) -> tuple[tuple[str, str], ...]:
    lines = (
        ("method", found.get_method_display()),
        ("peft_type", found.peft_type),
        ("task_type", found.task_type),
        ("r", _number(found.r)),
        ("largest_rank", _number(found.largest_rank)),
        ("lora_alpha", found.lora_alpha),
        ("lora_dropout", found.lora_dropout),
        ("use_rslora", "true" if found.use_rslora else ""),
        ("quantised_base", found.quantised_base),
        ("params", _number(found.params)),
        ("weight_bytes", _number(found.weight_bytes)),
        ("licence", found.licence),
    )
    return tuple((name, value) for name, value in lines if value)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _uses(found: Adapter) -> tuple[UseLine, ...]:
    rows = (
        Revision.objects.filter(model_version_id=found.base_id, adapters__contains=[found.pk])
        .select_related("deployment")
        .order_by("-created_at", "pk")[:SHOWN]
    )
    return tuple(UseLine(row.deployment_id, row.deployment.name, row.number, row.created_at) for row in rows)
