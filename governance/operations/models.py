"""Registering model versions from the model's own files or from the catalogue."""

from dataclasses import dataclass
from datetime import datetime

from audit import ledger
from audit.events import EventType
from governance.capacity.catalogue import model_named
from governance.capacity.facts import FactsRefused, ModelFacts
from governance.capacity.parameters import count_parameters
from governance.models import Model, ModelVersion
from governance.operations.artefacts import File, write_artefacts
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
from governance.operations.lineage import Declared, write_relations
from governance.operations.modelfiles import ModelFiles, read_files
from governance.operations.quantisations import write_quantisation


@dataclass(frozen=True, slots=True)
class _Card:
    """What is said about a model beside its shape; `found_licence` stands in where no licence was said."""

    name: str
    hf_id: str
    family: str
    developer: str
    licence: str
    licence_source: str
    found_licence: str = ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the facts of a version come from; `files` are those that were read, as the entry tells them."""

    facts_from: str
    source: str
    params_total: int
    params_active: int
    architecture: str = ""
    torch_dtype: str = ""
    config_sha256: str = ""
    index_sha256: str = ""
    header_sha256: str = ""
    files: tuple[dict[str, object], ...] = ()
    bases: tuple[Declared, ...] = ()
    whole: tuple[File, ...] = ()


def register_from_files(
    *,
    by: By,
    model_name: str,
    version: str,
    config: bytes | None = None,
    index: bytes | None = None,
    header: bytes | None = None,
    gguf: bytes | None = None,
    card: bytes | None = None,
    gguf_bytes: int | None = None,
    hf_id: str = "",
    developer: str = "",
    licence: str = "",
    source: str,
    now: datetime,
) -> Recorded:
    """Register a version from the model's own files; the id is the version's.

    Its shape comes from `config`, with the bytes of a safetensors index or header, or from a GGUF file alone;
    `card` is the README of a model card. A licence that nobody said is taken from the card or the GGUF header.

    Raises:
        Refused: a file or field that cannot be, or a version that stands already.
    """
    refuse_unless_registrar(by)  # before megabytes are parsed for somebody who may not
    name = text("model_name", model_name, limit=200)
    sent = ModelFiles(config=config, index=index, header=header, gguf=gguf, card=card, gguf_bytes=gguf_bytes)
    found = read_files(sent, name=name)
    said = text("licence", licence, limit=200, required=False)
    about = _Card(
        name=name,
        hf_id=text("hf_id", hf_id, limit=200, required=False),
        family=found.model.model_type,
        developer=text("developer", developer, limit=200, required=False),
        licence=said,
        found_licence=found.licence,
        licence_source="" if said else found.licence_source,
    )
    origin = _Origin(
        facts_from=found.facts_from,
        source=text("source", source, limit=500),
        params_total=found.params_total,
        params_active=found.params_active,
        architecture=found.architecture,
        torch_dtype=found.torch_dtype,
        config_sha256=found.config_sha256,
        index_sha256=found.index_sha256,
        header_sha256=found.header_sha256,
        files=found.told,
        bases=found.bases,
        whole=found.whole,
    )
    return _register(by=by, card=about, version=version, facts=found.model, origin=origin, now=now)


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
    count = count_parameters(found.facts)
    origin = _Origin(
        facts_from=ModelVersion.FactsFrom.CATALOGUE.value,
        source=found.source,
        params_total=count.total,
        params_active=count.active,
    )
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
                licence=card.licence or card.found_licence,
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
            params_total=origin.params_total,
            params_active=origin.params_active,
            **_columns(facts),
        )
        told = event("model_version", EventType.MODEL_VERSION_REGISTERED, row, actor=actor, now=now, files=origin.files)
        events.append(told)
        write_artefacts(origin.whole, version=row, actor=actor, now=now, events=events)
        write_relations(origin.bases, child=row, actor=actor, now=now, events=events)
        write_quantisation(row, actor=actor, now=now, events=events)
        return recorded(row.id, events)


def _refuse_another(model: Model, card: _Card) -> None:
    """What is said about a model that stands must not differ: it would be another model under the same name."""
    for field in ("hf_id", "developer", "licence"):
        stands, said = getattr(model, field), getattr(card, field)
        if stands and said and stands != said:
            raise Refused(field, f"{model.name} stands with {stands!r}; another model needs another name.")


def _columns(facts: ModelFacts) -> dict[str, int | str | bool | None]:
    experts, latent = facts.experts, facts.latent
    return {
        "model_type": facts.model_type,
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
