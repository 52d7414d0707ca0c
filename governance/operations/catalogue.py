"""Bringing the accelerators of the catalogue into the registry, with an entry for each that is new or changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F

from audit import ledger
from audit.events import EventType
from governance.capacity.catalogue import CatalogueGpu, gpus
from governance.models import GpuModel
from governance.operations.base import change, event
from governance.snapshot import snapshot

ACTOR: Final = "system:catalogue"


@dataclass(frozen=True, slots=True)
class CatalogueLoad:
    """How many rows were new, changed, or the same as before."""

    created: int
    changed: int
    unchanged: int


def load_catalogue(*, now: datetime) -> CatalogueLoad:
    """Register every accelerator of the catalogue; a second load of the same catalogue writes nothing.

    Raises:
        Refused: another load ran at the same moment.
    """
    with change("catalogue"):
        known = {row.name: row for row in GpuModel.objects.select_for_update().order_by("name")}
        events: list[ledger.Event] = []
        created = changed = 0
        for name, gpu in gpus().items():
            columns = _columns(gpu)
            row = known.get(name)
            if row is None:
                row = GpuModel.objects.create(name=name, registered_at=now, **columns)
                events.append(_registered(row, None, now))
                created += 1
            elif any(getattr(row, field) != value for field, value in columns.items()):
                before: dict[str, object] = {**snapshot("gpu_model", row)}
                GpuModel.objects.filter(pk=row.pk).update(row_version=F("row_version") + 1, **columns)
                row.refresh_from_db()
                events.append(_registered(row, before, now))
                changed += 1
        if events:
            ledger.append(events=events)
    return CatalogueLoad(created=created, changed=changed, unchanged=len(gpus()) - created - changed)


def _registered(row: GpuModel, before: dict[str, object] | None, now: datetime) -> ledger.Event:
    return event("gpu_model", EventType.GPU_MODEL_REGISTERED, row, actor=ACTOR, now=now, before=before)


def _columns(gpu: CatalogueGpu) -> dict[str, int | str | None]:
    return {
        "vendor": gpu.facts.vendor,
        "architecture": gpu.architecture,
        "memory_type": gpu.memory_type,
        "memory_nominal_gb": gpu.facts.nominal_gb,
        "memory_bytes": gpu.facts.total_bytes,
        "memory_basis": gpu.facts.basis,
        "bandwidth_gb_s": gpu.bandwidth_gb_s,
        "bf16_tflops": gpu.bf16_tflops,
        "fp8_tflops": gpu.fp8_tflops,
        "tdp_w": gpu.tdp_w,
        "form_factor": gpu.form_factor,
        "mig_profiles": gpu.mig_profiles,
        "sources": gpu.sources,
        "unverified_fields": gpu.unverified_fields,
        "notes": gpu.notes,
        "added": gpu.added,
    }
