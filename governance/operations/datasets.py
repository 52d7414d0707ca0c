"""Registering data sets and their versions, and recording what was made or tried with them."""

from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from audit import ledger
from audit.events import EventType
from governance.models import Adapter, Dataset, DatasetUse, DatasetVersion, ModelVersion
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    person_of,
    recorded,
    refuse_unless_registrar,
    text,
    whole,
)
from governance.operations.digests import sha256_text
from governance.snapshot import snapshot

MAX_BYTES: Final = 2**53 - 1
_CHOICES: Final = MappingProxyType(
    {
        "confidentiality_level": DatasetVersion.Confidentiality.values,
        "has_sensitive_personal_information": DatasetVersion.Presence.values,
        "provenance": DatasetVersion.Provenance.values,
    }
)
_LIMITS: Final = MappingProxyType(
    {
        "data_collection_process": (4000, True),
        "data_preprocessing": (4000, False),
        "known_bias": (4000, False),
        "anonymization_method_used": (1000, False),
        "licence": (200, True),
        "source": (500, True),
    }
)
"""Characters of each text of a version at most, and whether it must be there."""


def register_dataset(*, by: By, name: str, dataset_type: str, intended_use: str, now: datetime) -> Recorded:
    """Register a data set; the one who registers answers for it.

    Raises:
        Refused: a field that cannot be, or a name that stands already.
    """
    refuse_unless_registrar(by)
    name = text("name", name, limit=200)
    kind = choice("dataset_type", dataset_type, Dataset.Type.values)
    use = text("intended_use", intended_use, limit=2000)
    with change("name"):
        if Dataset.objects.filter(name=name).exists():
            raise Refused("name", f"A data set called {name} stands already.")
        row = Dataset.objects.create(
            name=name, dataset_type=kind, intended_use=use, owner_id=person_of(by), registered_at=now
        )
        made = event("dataset", EventType.DATASET_REGISTERED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [made])


def change_dataset(
    *, by: By, dataset_id: UUID, dataset_type: str, intended_use: str, reason: str, seen: int, now: datetime
) -> Recorded:
    """Correct what a data set is said to be and to be for; its versions never change.

    Args:
        seen: `row_version` of the data set that was read.

    Raises:
        Refused: a field that cannot be; `row_version` when it has changed since; `dataset` when there is none.
    """
    refuse_unless_registrar(by)
    kind = choice("dataset_type", dataset_type, Dataset.Type.values)
    use = text("intended_use", intended_use, limit=2000)
    why = text("reason", reason, limit=1000)
    with change("row_version"):
        row = Dataset.objects.select_for_update().filter(pk=dataset_id).first()
        if row is None:
            raise Refused("dataset", "is not registered.")
        if row.row_version != seen:
            raise Refused("row_version", "is not the newest: the data set has changed since. Read it again.")
        if (row.dataset_type, row.intended_use) == (kind, use):
            raise Refused("intended_use", "is what stands already, and so is the type: nothing would change.")
        before = snapshot("dataset", row)
        row.dataset_type, row.intended_use = kind, use
        row.row_version += 1
        row.save(update_fields=["dataset_type", "intended_use", "row_version"])
        told = EventType.DATASET_CHANGED
        changed = event("dataset", told, row, actor=actor_of(by), now=now, before=dict(before), reason=why)
        return recorded(row.id, [changed])


def register_dataset_version(
    *,
    by: By,
    dataset_id: UUID,
    version: str,
    data_collection_process: str,
    confidentiality_level: str,
    has_sensitive_personal_information: str,
    licence: str,
    provenance: str,
    source: str,
    dataset_size: int | None = None,
    data_preprocessing: str = "",
    known_bias: str = "",
    anonymization_method_used: str = "",
    sha256: str = "",
    now: datetime,
) -> Recorded:
    """Register an immutable version of a data set; the data themselves are neither read nor kept.

    Args:
        dataset_size: bytes. `sha256`: of the data, or of a manifest of their files.
        source: where the version lies, and when it was read.

    Raises:
        Refused: a field that cannot be, an unknown data set, or a version that stands already.
    """
    refuse_unless_registrar(by)
    version = text("version", version, limit=100)
    columns = _said(
        data_collection_process=data_collection_process,
        data_preprocessing=data_preprocessing,
        known_bias=known_bias,
        anonymization_method_used=anonymization_method_used,
        licence=licence,
        source=source,
    )
    columns |= _chosen(
        confidentiality_level=confidentiality_level,
        has_sensitive_personal_information=has_sensitive_personal_information,
        provenance=provenance,
    )
    columns["sha256"] = sha256_text("sha256", sha256)
    if dataset_size is not None:
        whole("dataset_size", dataset_size, low=1, high=MAX_BYTES)
    with change("version"):
        dataset = Dataset.objects.filter(pk=dataset_id).first()
        if dataset is None:
            raise Refused("dataset", "is not registered.")
        if dataset.versions.filter(version=version).exists():
            raise Refused("version", f"{dataset.name} {version} stands already; a version never changes.")
        row = DatasetVersion.objects.create(
            dataset=dataset,
            version=version,
            dataset_size=dataset_size,
            registered_by=actor_of(by),
            registered_at=now,
            **columns,
        )
        return recorded(row.id, [_told(row, by, now)])


def record_dataset_use(
    *,
    by: By,
    dataset_version_id: UUID,
    model_version_id: UUID | None = None,
    adapter_id: UUID | None = None,
    purpose: str,
    note: str = "",
    now: datetime,
) -> Recorded:
    """Record that a model version or an adapter was made or tried with a version of a data set.

    Raises:
        Refused: nothing or both named, something that is not registered, or a use that is told already.
    """
    refuse_unless_registrar(by)
    purpose = choice("purpose", purpose, DatasetUse.Purpose.values)
    note = text("note", note, limit=1000, required=False)
    if (model_version_id is None) == (adapter_id is None):
        raise Refused("model_version", "or an adapter must be named, and not both.")
    with change("purpose"):
        if not DatasetVersion.objects.filter(pk=dataset_version_id).exists():
            raise Refused("dataset_version", "is not registered.")
        if model_version_id is not None and not ModelVersion.objects.filter(pk=model_version_id).exists():
            raise Refused("model_version", "is not registered.")
        if adapter_id is not None and not Adapter.objects.filter(pk=adapter_id).exists():
            raise Refused("adapter", "is not registered.")
        named = {
            "dataset_version_id": dataset_version_id,
            "model_version_id": model_version_id,
            "adapter_id": adapter_id,
            "purpose": purpose,
        }
        if DatasetUse.objects.filter(**named).exists():
            raise Refused("purpose", "is told already for these two.")
        row = DatasetUse.objects.create(note=note, recorded_by=actor_of(by), recorded_at=now, **named)
        told = EventType.DATASET_USE_RECORDED
        return recorded(row.id, [event("dataset_use", told, row, actor=actor_of(by), now=now)])


def _said(**texts: str) -> dict[str, str]:
    limits = ((field, said, *_LIMITS[field]) for field, said in texts.items())
    return {field: text(field, said, limit=limit, required=needed) for field, said, limit, needed in limits}


def _chosen(**answers: str) -> dict[str, str]:
    return {field: choice(field, said, _CHOICES[field]) for field, said in answers.items()}


def _told(row: DatasetVersion, by: By, now: datetime) -> ledger.Event:
    return event("dataset_version", EventType.DATASET_VERSION_REGISTERED, row, actor=actor_of(by), now=now)
