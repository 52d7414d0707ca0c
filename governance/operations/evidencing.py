"""Recording evidence by its digest, and saying that a piece of it must not be relied on."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from audit.events import EventType
from governance.models import Evidence, EvidenceRevocation
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    next_number,
    person_of,
    recorded,
    refuse_unless_registrar,
    text,
    whole,
)
from governance.operations.digests import sha256_text
from governance.queries.reconciling import TABLES

SUBJECTS: Final = tuple(sorted(TABLES.keys() - {"evidence", "evidence_revocation", "finding", "decision", "metric"}))
"""Kinds of things that evidence may be about."""

MAX_BYTES: Final = 2**53 - 1


def record_evidence(
    *,
    by: By,
    title: str,
    kind: str,
    subject_kind: str,
    subject_id: UUID,
    sha256: str,
    size_bytes: int,
    media_type: str,
    address: str,
    collected_at: date,
    valid_until: date | None = None,
    classification: str,
    supersedes_id: UUID | None = None,
    now: datetime,
) -> Recorded:
    """Record evidence about a registered thing; the one who records answers for it. The file stays where it lies.

    Args:
        address: where it lies, for people; it is neither fetched nor secret.
        supersedes_id: older evidence of the same kind about the same thing.

    Raises:
        Refused: a field that cannot be, a thing that is not registered, or evidence that is superseded already.
    """
    refuse_unless_registrar(by)
    columns: dict[str, str] = {
        "title": text("title", title, limit=200),
        "kind": choice("kind", kind, Evidence.Kind.values),
        "subject_kind": choice("subject_kind", subject_kind, SUBJECTS),
        "sha256": sha256_text("sha256", sha256, required=True),
        "media_type": text("media_type", media_type, limit=100),
        "address": _address(address),
        "classification": choice("classification", classification, Evidence.Secrecy.values),
    }
    size = whole("size_bytes", size_bytes, low=0, high=MAX_BYTES)
    if collected_at > now.date():
        raise Refused("collected_at", "is in the future.")
    if valid_until is not None and valid_until < collected_at:
        raise Refused("valid_until", "is before it was collected.")
    with change("supersedes"):
        if not TABLES[subject_kind]._default_manager.filter(pk=subject_id).exists():
            raise Refused("subject_id", "is not registered.")
        if supersedes_id is not None:
            _refuse_unless_superseded_by_its_like(supersedes_id, kind, subject_kind, subject_id)
        row = Evidence.objects.create(
            number=next_number("evidence_number"),
            subject_id=subject_id,
            size_bytes=size,
            collected_at=collected_at,
            valid_until=valid_until,
            owner_id=person_of(by),
            supersedes_id=supersedes_id,
            recorded_by=actor_of(by),
            recorded_at=now,
            **columns,
        )
        return recorded(row.id, [event("evidence", EventType.EVIDENCE_RECORDED, row, actor=actor_of(by), now=now)])


def revoke_evidence(*, by: By, evidence_id: UUID, reason: str, now: datetime) -> Recorded:
    """Say that a piece of evidence must not be relied on any more; the id is the revocation's.

    Raises:
        Refused: no reason, no such evidence, or evidence that is revoked already.
    """
    refuse_unless_registrar(by)
    why = text("reason", reason, limit=2000)
    with change("evidence"):
        found = Evidence.objects.filter(pk=evidence_id).first()
        if found is None:
            raise Refused("evidence", "is not recorded.")
        if EvidenceRevocation.objects.filter(evidence=found).exists():
            raise Refused("evidence", f"{found.ref} is revoked already.")
        row = EvidenceRevocation.objects.create(evidence=found, reason=why, revoked_by=actor_of(by), revoked_at=now)
        told = EventType.EVIDENCE_REVOKED
        made = event("evidence_revocation", told, row, actor=actor_of(by), now=now, reason=why)
        return recorded(row.id, [made])


def _address(given: str) -> str:
    """An address that is no way to run or to log in to anything: https, or words such as a shelf mark."""
    found = text("address", given, limit=500)
    scheme, colon, rest = found.partition("://")
    if not colon:
        if found.lower().startswith(("javascript:", "data:", "vbscript:")):
            raise Refused("address", "must be an https address, or words.")
        return found
    if scheme.lower() != "https":
        raise Refused("address", "must be an https address, or words.")
    if "@" in rest.partition("/")[0]:
        raise Refused("address", "holds a name or password: everybody who may log in can read it.")
    return found


def _refuse_unless_superseded_by_its_like(older_id: UUID, kind: str, subject_kind: str, subject_id: UUID) -> None:
    older = Evidence.objects.filter(pk=older_id).first()
    if older is None:
        raise Refused("supersedes", "is not recorded.")
    if (older.kind, older.subject_kind, older.subject_id) != (kind, subject_kind, subject_id):
        raise Refused("supersedes", f"{older.ref} is of another kind, or about something else.")
    newer = older.superseded_by.first()
    if newer is not None:
        raise Refused("supersedes", f"{older.ref} is superseded already, by {newer.ref}.")
