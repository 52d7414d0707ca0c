"""Registering adapters beside their base: the base is named and judged, never copied."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from audit.events import EventType
from governance.formats.peft import AdapterFacts, read_adapter_config
from governance.formats.safetensors import HeaderFacts, read_header
from governance.formats.strict_json import MAX_INTEGER, FormatError
from governance.models import Adapter, ModelVersion
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
from governance.operations.modelfiles import card_told

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_Match = Adapter.BaseMatch
_Method = Adapter.Method


def register_adapter(
    *,
    by: By,
    name: str,
    version: str,
    config: bytes,
    header: bytes | None = None,
    weights_sha256: str = "",
    quantised_base: str = "",
    base_version_id: UUID | None = None,
    licence: str = "",
    card: bytes | None = None,
    source: str,
    now: datetime,
) -> Recorded:
    """Register a version of an adapter from its `adapter_config.json`; the id is the adapter's.

    Args:
        header: the first bytes of its `.safetensors` file, or all of it; only length and header are read.
        weights_sha256: of the whole weights file.
        quantised_base: how the base was quantised while it was trained, such as `nf4`; its file does not say it.
        base_version_id: the registered version it runs on. Needed where its file names no revision that is registered.
        card: its README.md; a licence that nobody said is taken from it.

    Raises:
        Refused: a file or field that cannot be, another base than its file names, or a version that stands already.
    """
    refuse_unless_registrar(by)  # before megabytes are parsed for somebody who may not
    name = text("name", name, limit=200)
    version = text("version", version, limit=100)
    quantised = text("quantised_base", quantised_base, limit=40, required=False)
    if header is not None:
        header = header[: 8 + int.from_bytes(header[:8], "little")]
    facts, weights = _read(config, header)
    said, told = _licence(text("licence", licence, limit=200, required=False), card)
    with change("version"):
        if Adapter.objects.filter(name=name, version=version).exists():
            raise Refused("version", f"{name} {version} stands already; a version never changes.")
        match, base = _base(facts, base_version_id)
        row = Adapter.objects.create(
            name=name,
            version=version,
            base=base,
            base_match=match,
            method=_method(facts, quantised),
            quantised_base=quantised,
            params=weights.parameters if weights else None,
            weight_bytes=weights.total_bytes if weights else None,
            config_sha256=hashlib.sha256(config).hexdigest(),
            header_sha256=hashlib.sha256(header).hexdigest() if header is not None else "",
            weights_sha256=_digest("weights_sha256", weights_sha256),
            licence=said,
            source=text("source", source, limit=500),
            registered_by=actor_of(by),
            registered_at=now,
            **_columns(facts),
        )
        events = [event("adapter", EventType.ADAPTER_REGISTERED, row, actor=actor_of(by), now=now, files=told)]
        write_artefacts(_files(row, config), adapter=row, actor=actor_of(by), now=now, events=events)
        return recorded(row.id, events)


def _licence(said: str, card: bytes | None) -> tuple[str, list[dict[str, object]]]:
    """The licence that somebody said, or else the card; and the card as the entry tells it."""
    if card is None:
        return said, []
    read, line = card_told(card)
    return said or read.licence, [line]


def _read(config: bytes, header: bytes | None) -> tuple[AdapterFacts, HeaderFacts | None]:
    try:
        facts = read_adapter_config(config)
        weights = read_header(header) if header is not None else None
    except FormatError as error:
        raise Refused(error.field, error.reason) from error
    if weights is not None and not 0 < weights.parameters <= MAX_INTEGER:
        raise Refused("header", f"holds {weights.parameters} parameters; an adapter has 1 to {MAX_INTEGER}.")
    return facts, weights


def _columns(facts: AdapterFacts) -> dict[str, str | int | bool | list[str] | None]:
    return {
        "base_name": facts.base_name,
        "base_revision": facts.base_revision,
        "peft_type": facts.peft_type,
        "task_type": facts.task_type,
        "r": facts.rank,
        "largest_rank": facts.largest_rank,
        "lora_alpha": facts.alpha,
        "lora_dropout": facts.dropout,
        "target_modules": list(facts.target_modules),
        "target_pattern": facts.target_pattern,
        "modules_to_save": list(facts.modules_to_save),
        "use_rslora": facts.rslora,
    }


def _method(facts: AdapterFacts, quantised: str) -> str:
    if facts.peft_type != "LORA":
        return _Method.OTHER.value
    if facts.dora:
        return _Method.DORA.value
    return _Method.QLORA.value if quantised else _Method.LORA.value


def _base(facts: AdapterFacts, chosen_id: UUID | None) -> tuple[str, ModelVersion | None]:
    """How far the base that the file names agrees with the registry, and the registered version it runs on."""
    versions = ModelVersion.objects.select_related("model")
    chosen = versions.filter(pk=chosen_id).first() if chosen_id is not None else None
    if chosen_id is not None and chosen is None:
        raise Refused("base", "is not registered.")
    named = versions.filter(Q(model__hf_id=facts.base_name) | Q(model__name=facts.base_name))
    exact = list(named.filter(version=facts.base_revision)[:2]) if facts.base_revision else []
    if exact:
        if chosen is None and len(exact) > 1:
            raise Refused("base", f"{facts.base_name} at {facts.base_revision} is registered twice; choose one.")
        if chosen is not None and not named.filter(pk=chosen.pk, version=facts.base_revision).exists():
            raise Refused("base", f"differs from the file, which names {facts.base_name} at {facts.base_revision}.")
        return _Match.MATCHED.value, chosen or exact[0]
    if not named.exists():
        return _Match.UNREGISTERED.value, chosen
    if chosen is not None and not named.filter(pk=chosen.pk).exists():
        raise Refused("base", f"is a version of another model than the file names, which is {facts.base_name}.")
    return _Match.REVISION_DIFFERS.value, chosen


def _files(row: Adapter, config: bytes) -> Iterator[File]:
    """The whole files that are known; of the weights, their digest where somebody gave it."""
    yield File("adapter_config.json", "config", "json", row.config_sha256, len(config))
    if row.weights_sha256:
        known = bool(row.header_sha256)
        name, form = ("adapter_model.safetensors", "safetensors") if known else ("weights", "other")
        yield File(name, "adapter", form, row.weights_sha256)


def _digest(field: str, value: str) -> str:
    if not value:
        return ""
    found = _SHA256.fullmatch(value.strip().lower())
    if found is None:
        raise Refused(field, "must be 64 hexadecimal digits.")
    return found[1]
