"""Registering model versions from the model's own files or from the catalogue."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from audit import ledger
from audit.events import EventType
from governance.capacity.catalogue import model_named
from governance.capacity.facts import FactsRefused, ModelFacts
from governance.capacity.parameters import count_parameters
from governance.formats.huggingface import read_config
from governance.formats.safetensors import read_header, read_index
from governance.formats.strict_json import FormatError
from governance.models import Model, ModelVersion
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)


@dataclass(frozen=True, slots=True)
class _Card:
    """What is said about a model beside its shape."""

    name: str
    hf_id: str
    family: str
    developer: str
    licence: str
    licence_source: str


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the facts of a version come from."""

    facts_from: str
    source: str
    architecture: str = ""
    torch_dtype: str = ""
    config_sha256: str = ""
    index_sha256: str = ""
    header_sha256: str = ""


def register_from_files(
    *,
    by: By,
    model_name: str,
    version: str,
    config: bytes,
    index: bytes | None = None,
    header: bytes | None = None,
    hf_id: str = "",
    developer: str = "",
    licence: str = "",
    source: str,
    now: datetime,
) -> Recorded:
    """Register a version from `config.json` and a safetensors index or header; the id is the version's.

    Raises:
        Refused: a file or field that cannot be, or a version that stands already.
    """
    refuse_unless_registrar(by)  # before megabytes are parsed for somebody who may not
    name = text("model_name", model_name, limit=200)
    try:
        found = read_config(config, name=name)
        facts = found.model
        if header is not None:
            facts = replace(facts, weight_bytes=read_header(header).total_bytes)
        elif index is not None:
            facts = replace(facts, weight_bytes=read_index(index).total_bytes)
    except FormatError as error:
        raise Refused(error.field, error.reason) from error
    card = _Card(
        name=name,
        hf_id=text("hf_id", hf_id, limit=200, required=False),
        family=found.model.model_type,
        developer=text("developer", developer, limit=200, required=False),
        licence=text("licence", licence, limit=200, required=False),
        licence_source="",
    )
    origin = _Origin(
        facts_from=ModelVersion.FactsFrom.FILES.value,
        source=text("source", source, limit=500),
        architecture=found.architecture,
        torch_dtype=found.torch_dtype,
        config_sha256=_sha256(config),
        index_sha256=_sha256(index),
        header_sha256=_sha256(header),
    )
    return _register(by=by, card=card, version=version, facts=facts, origin=origin, now=now)


def register_from_catalogue(*, by: By, name: str, version: str = "1", now: datetime) -> Recorded:
    """Register a version with the facts of the catalogue; the id is the version's.

    Raises:
        Refused: no such row, or a version that stands already.
    """
    try:
        found = model_named(name)
    except FactsRefused as error:
        raise Refused("name", error.reason) from error
    card = _Card(
        name=found.facts.name,
        hf_id=found.hf_id,
        family=found.family,
        developer=found.hf_id.partition("/")[0],
        licence=found.licence,
        licence_source=found.licence_source,
    )
    origin = _Origin(facts_from=ModelVersion.FactsFrom.CATALOGUE.value, source=found.source)
    return _register(by=by, card=card, version=version, facts=found.facts, origin=origin, now=now)


def _register(*, by: By, card: _Card, version: str, facts: ModelFacts, origin: _Origin, now: datetime) -> Recorded:
    refuse_unless_registrar(by)
    version = text("version", version, limit=100)
    actor = actor_of(by)
    with change("version"):
        events: list[ledger.Event] = []
        model = Model.objects.filter(name=card.name).first()
        if model is None:
            model = Model.objects.create(
                name=card.name,
                hf_id=card.hf_id,
                family=card.family,
                developer=card.developer,
                licence=card.licence,
                licence_source=card.licence_source,
                registered_at=now,
            )
            events.append(event("model", EventType.MODEL_REGISTERED, model, actor=actor, now=now))
        else:
            _refuse_another(model, card)
            if ModelVersion.objects.filter(model=model, version=version).exists():
                raise Refused("version", f"{card.name} {version} stands already; a version never changes.")
        row = ModelVersion.objects.create(
            model=model,
            version=version,
            registered_by=actor,
            registered_at=now,
            facts_from=origin.facts_from,
            source=origin.source,
            architecture=origin.architecture,
            torch_dtype=origin.torch_dtype,
            config_sha256=origin.config_sha256,
            index_sha256=origin.index_sha256,
            header_sha256=origin.header_sha256,
            **_columns(facts),
        )
        events.append(event("model_version", EventType.MODEL_VERSION_REGISTERED, row, actor=actor, now=now))
        return recorded(row.id, events)


def _refuse_another(model: Model, card: _Card) -> None:
    """What is said about a model that stands must not differ: it would be another model under the same name."""
    for field in ("hf_id", "developer", "licence"):
        stands, said = getattr(model, field), getattr(card, field)
        if stands and said and stands != said:
            raise Refused(field, f"{model.name} stands with {stands!r}; another model needs another name.")


def _columns(facts: ModelFacts) -> dict[str, int | str | bool | None]:
    count, experts, latent = count_parameters(facts), facts.experts, facts.latent
    return {
        "model_type": facts.model_type,
        "params_total": count.total,
        "params_active": count.active,
        "layers": facts.layers,
        "hidden": facts.hidden,
        "heads": facts.heads,
        "kv_heads": facts.kv_heads,
        "head_dim": facts.head_dim,
        "intermediate": facts.intermediate,
        "vocab": facts.vocab,
        "tie_embeddings": facts.tie_embeddings,
        "qkv_bias": facts.traits.qkv_bias,
        "output_bias": facts.traits.output_bias,
        "experts": experts.count if experts else None,
        "experts_per_token": experts.per_token if experts else None,
        "expert_intermediate": experts.intermediate if experts else None,
        "shared_experts": experts.shared if experts else None,
        "dense_layers": experts.dense_layers if experts else None,
        "query_rank": latent.query_rank if latent else None,
        "kv_rank": latent.kv_rank if latent else None,
        "rope_dim": latent.rope_dim if latent else None,
        "nope_dim": latent.nope_dim if latent else None,
        "value_dim": latent.value_dim if latent else None,
        "sliding_window": facts.sliding_window,
        "sliding_layers": facts.sliding_layers,
        "max_context": facts.max_context,
        "weight_dtype": facts.weight_dtype,
        "weight_bytes": facts.weight_bytes,
    }


def _sha256(data: bytes | None) -> str:
    return hashlib.sha256(data).hexdigest() if data is not None else ""
