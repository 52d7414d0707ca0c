"""Declaring how the weights of a version were made smaller."""

import re
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from uuid import UUID

from audit import ledger
from audit.events import EventType
from governance.models import ModelRelation, ModelVersion, Quantisation
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    recorded,
    refuse_unless_registrar,
    text,
    whole,
)

MAX_GROUP: Final = 65_536
_BITS: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")
_STORED: Final = MappingProxyType(
    {
        "fp8": ("fp8", "", "8"),
        "fp8-block": ("fp8", "blocks of 128 × 128", "8"),
        "int8": ("int8", "", "8"),
        "awq": ("awq", "", "4"),
        "gptq-int4": ("gptq", "", "4"),
        "gptq-int8": ("gptq", "", "8"),
        "nf4": ("nf4", "", "4"),
        "nf4-double": ("nf4", "double quantisation", "4"),
        "mxfp4": ("mxfp4", "", "4"),
    }
)
"""Scheme, detail and bits of the forms that a `config.json` tells."""


def declare_quantisation(
    *,
    by: By,
    model_version_id: UUID,
    scheme: str,
    detail: str = "",
    bits: str = "",
    group_size: int | None = None,
    calibration: str = "",
    kv_cache_dtype: str = "",
    source_version_id: UUID | None = None,
    tool: str = "",
    now: datetime,
) -> Recorded:
    """Declare how a version was quantised; the id is the quantisation's.

    Raises:
        Refused: a field that cannot be, a version that is not registered, or what stands already.
    """
    refuse_unless_registrar(by)
    columns = {
        "scheme": choice("scheme", scheme, Quantisation.Scheme.values),
        "detail": text("detail", detail, limit=60, required=False),
        "bits": text("bits", bits, limit=20, required=False),
        "calibration": text("calibration", calibration, limit=300, required=False),
        "kv_cache_dtype": text("kv_cache_dtype", kv_cache_dtype, limit=40, required=False),
        "tool": text("tool", tool, limit=200, required=False),
    }
    if columns["bits"] and not _BITS.fullmatch(columns["bits"]):
        raise Refused("bits", "must be a number such as 4 or 4.85.")
    if group_size is not None:
        whole("group_size", group_size, low=1, high=MAX_GROUP)
    with change("scheme"):
        for field, pk in (("model_version_id", model_version_id), ("source_version_id", source_version_id)):
            if pk is not None and not ModelVersion.objects.filter(pk=pk).exists():
                raise Refused(field, "is not registered.")
        if source_version_id == model_version_id:
            raise Refused("source_version_id", "is this version itself.")
        stands = Quantisation.objects.filter(
            model_version_id=model_version_id, scheme=columns["scheme"], detail=columns["detail"]
        )
        if stands.exists():
            raise Refused("scheme", "was declared already, with this detail.")
        row = Quantisation.objects.create(
            model_version_id=model_version_id,
            source_version_id=source_version_id,
            group_size=group_size,
            declared_in=ModelRelation.Source.PERSON,
            declared_by=actor_of(by),
            declared_at=now,
            **columns,
        )
        told = event("quantisation", EventType.QUANTISATION_DECLARED, row, actor=actor_of(by), now=now)
        return recorded(row.pk, [told])


def write_quantisation(version: ModelVersion, *, actor: str, now: datetime, events: list[ledger.Event]) -> None:
    """Write what the files of a new version say of their form, inside the transaction that registers it."""
    found = _said(version)
    if found is None:
        return
    scheme, detail, bits = found
    row = Quantisation.objects.create(
        model_version=version,
        scheme=scheme,
        detail=detail,
        bits=bits,
        declared_in=ModelRelation.Source.CONFIG,
        declared_by=actor,
        declared_at=now,
    )
    events.append(event("quantisation", EventType.QUANTISATION_DECLARED, row, actor=actor, now=now))


def _said(version: ModelVersion) -> tuple[str, str, str] | None:
    """Scheme, detail and bits of a weight; of a GGUF file, the average over all that it stores."""
    if version.facts_from == ModelVersion.FactsFrom.GGUF and version.weight_dtype.startswith("gguf-"):
        average = Decimal(8 * (version.weight_bytes or 0)) / Decimal(version.params_total)
        return "gguf", version.weight_dtype.removeprefix("gguf-").upper()[:60], f"{average:.2f}"
    return _STORED.get(version.weight_dtype) if version.facts_from == ModelVersion.FactsFrom.FILES else None
