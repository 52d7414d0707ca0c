"""Registering files of versions and adapters by the digest of their whole content."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from audit import ledger
from audit.events import EventType
from governance.models import Adapter, ModelArtefact, ModelVersion
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

MAX_BYTES: Final = 1 << 50
_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class File:
    """A whole file, by what it holds: its path, what it is, and the SHA-256 of all of it."""

    name: str
    kind: str
    format: str
    sha256: str
    size_bytes: int | None = None
    address: str = ""


def add_artefact(
    *, by: By, file: File, model_version_id: UUID | None = None, adapter_id: UUID | None = None, now: datetime
) -> Recorded:
    """Register a file of a version or of an adapter; the id is the artefact's.

    Raises:
        Refused: a field that cannot be, nothing or two things it would belong to, or a path that stands already.
    """
    refuse_unless_registrar(by)
    clean = _clean(file)
    if (model_version_id is None) == (adapter_id is None):
        raise Refused("model_version_id", "names the version, or adapter_id the adapter: one of the two.")
    with change("name"):
        version = ModelVersion.objects.filter(pk=model_version_id).first() if model_version_id else None
        adapter = Adapter.objects.filter(pk=adapter_id).first() if adapter_id else None
        if version is None and adapter is None:
            raise Refused("model_version_id" if model_version_id else "adapter_id", "is not registered.")
        stands = ModelArtefact.objects.filter(model_version=version, adapter=adapter, name=clean.name).first()
        if stands is not None:
            same = "this" if stands.sha256 == clean.sha256 else "another"
            raise Refused("name", f"{clean.name} stands already, with {same} digest; what a version holds is fixed.")
        events: list[ledger.Event] = []
        (row,) = write_artefacts([clean], version=version, adapter=adapter, actor=actor_of(by), now=now, events=events)
        return recorded(row.pk, events)


def write_artefacts(
    files: Iterable[File],
    *,
    version: ModelVersion | None = None,
    adapter: Adapter | None = None,
    actor: str,
    now: datetime,
    events: list[ledger.Event],
) -> list[ModelArtefact]:
    """Write clean files inside the transaction of a change, and add their events to those of that change."""
    rows = []
    for file in files:
        row = ModelArtefact.objects.create(
            model_version=version,
            adapter=adapter,
            kind=file.kind,
            name=file.name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            format=file.format,
            address=file.address,
            registered_by=actor,
            registered_at=now,
        )
        events.append(event("model_artefact", EventType.MODEL_ARTEFACT_REGISTERED, row, actor=actor, now=now))
        rows.append(row)
    return rows


def _clean(file: File) -> File:
    digest = _SHA256.fullmatch(file.sha256.strip().lower())
    if digest is None:
        raise Refused("sha256", "must be 64 hexadecimal digits.")
    size = file.size_bytes
    return File(
        name=text("name", file.name, limit=500),
        kind=choice("kind", file.kind, ModelArtefact.Kind.values),
        format=choice("format", file.format, ModelArtefact.Format.values),
        sha256=digest[1],
        size_bytes=whole("size_bytes", size, low=0, high=MAX_BYTES) if size is not None else None,
        address=text("address", file.address, limit=500, required=False),
    )
