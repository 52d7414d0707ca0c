"""Evidence for reading: where each piece stands at a moment, and how an approval names what it relies on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from audit import queries as log
from audit.queries.names import names_on_pages
from governance.models import Evidence, EvidenceRevocation
from governance.queries.people import names_of
from governance.queries.telling import HistoryLine, history_lines
from governance.snapshot import canonical, digest, snapshot

PAGE: Final = 50
SHOWN: Final = 20
SOON: Final = timedelta(days=30)
"""How long before its end evidence is told to expire soon."""


class EvidenceNotFound(LookupError):
    """No evidence has this id."""


class Standing(StrEnum):
    """Where evidence stands; the first that is true of these, from the bottom up."""

    VALID = "valid"
    EXPIRES_SOON = "expires_soon"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


MARKS: Final = {
    Standing.VALID: "ok",
    Standing.EXPIRES_SOON: "warn",
    Standing.EXPIRED: "bad",
    Standing.SUPERSEDED: "none",
    Standing.REVOKED: "bad",
}


@dataclass(frozen=True, slots=True)
class EvidenceUse:
    """A piece of evidence as an approval relies on it, and where it stands now."""

    id: UUID
    number: int
    title: str
    kind: str
    sha256: str
    valid_until: date | None
    standing: Standing

    def facts(self) -> dict[str, object]:
        """What never changes of it, in the form that is hashed."""
        return {
            "id": str(self.id),
            "number": self.number,
            "title": self.title,
            "kind": self.kind,
            "sha256": self.sha256,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the RFC 8785 text of `facts`: what a decision digest takes among its evidence."""
        return digest(canonical(self.facts()))

    @property
    def reliable(self) -> bool:
        """Whether a new decision may rely on it."""
        return self.standing in {Standing.VALID, Standing.EXPIRES_SOON}


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A piece of evidence in a list. `subject` is what it is about, by name where that has one."""

    id: UUID
    ref: str
    title: str
    kind: str
    subject: str
    reference: str
    collected_at: date
    valid_until: date | None
    mark: str
    word: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceList:
    """A page of evidence, newest first."""

    lines: tuple[EvidenceLine, ...]
    kind: str
    standing: str
    page: int
    next_page: int | None


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """One piece of evidence as its page shows it."""

    id: UUID
    ref: str
    title: str
    kind: str
    subject: str
    reference: str
    sha256: str
    size_bytes: int
    media_type: str
    address: str
    linked: bool
    collected_at: date
    valid_until: date | None
    classification: str
    owner: str
    by: str
    recorded_at: datetime
    standing: str
    mark: str
    word: str
    facts_digest: str
    supersedes: EvidenceLine | None
    superseded_by: EvidenceLine | None
    revoked_reason: str
    revoked_by: str
    revoked_at: datetime | None
    history: tuple[HistoryLine, ...]


def evidence_standing(ids: Iterable[UUID], now: datetime) -> dict[UUID, Standing]:
    """Where each piece of evidence stands at `now`, by id, in one query; an id that is unknown is left out."""
    return {row.pk: standing_of(row, now) for row in judged().filter(pk__in=set(ids))}


def evidence_uses(ids: Iterable[UUID], now: datetime) -> tuple[EvidenceUse, ...]:
    """The evidence with these ids as an approval names it, by number, in one query."""
    rows = judged().filter(pk__in=set(ids)).order_by("number")
    return tuple(
        EvidenceUse(row.pk, row.number, row.title, row.kind, row.sha256, row.valid_until, standing_of(row, now))
        for row in rows
    )


def evidence_about(*references: str, now: datetime) -> tuple[EvidenceLine, ...]:
    """The newest evidence about things (`kind:uuid`), for a page of their own, in two queries."""
    about = Q(pk__in=[])
    for reference in references:
        kind, _colon, label = reference.partition(":")
        about |= Q(subject_kind=kind, subject_id=UUID(label))
    return _lines(judged().filter(about).order_by("-number")[:SHOWN], now)


def evidence_list(*, now: datetime, kind: str = "", standing: str = "", page: int = 1) -> EvidenceList:
    """Evidence of a kind and in a standing; what is unknown of the two filters nothing."""
    rows = judged()
    if kind in Evidence.Kind.values:
        rows = rows.filter(kind=kind)
    if standing in set(Standing):
        rows = standing_filter(rows, Standing(standing), now)
    page = max(page, 1)
    start = (page - 1) * PAGE
    found = _lines(rows.order_by("-number")[start : start + PAGE + 1], now)
    return EvidenceList(found[:PAGE], kind, standing, page, page + 1 if len(found) > PAGE else None)


def evidence_page(evidence_id: UUID, *, now: datetime) -> EvidencePage:
    """The page of one piece of evidence, in a constant number of queries.

    Raises:
        EvidenceNotFound: there is none.
    """
    found = judged().select_related("owner", "revocation").filter(pk=evidence_id).first()
    if found is None:
        raise EvidenceNotFound("There is no such evidence.")
    beside = list(judged().filter(Q(superseded_by=found) | Q(supersedes=found)))
    lines = {line.id: line for line in _lines(beside, now)}
    revoked = getattr(found, "revocation", None)
    actors = [found.recorded_by, *([revoked.revoked_by] if revoked else [])]
    names = names_of(actors)
    history = log.history(f"evidence:{found.pk}", limit=SHOWN)
    if revoked is not None:
        history = [*log.history(f"evidence_revocation:{revoked.pk}", limit=1), *history]
    reference = f"{found.subject_kind}:{found.subject_id}"
    standing = standing_of(found, now)
    older = found.supersedes_id
    return EvidencePage(
        id=found.pk,
        ref=found.ref,
        title=found.title,
        kind=found.get_kind_display(),
        subject=names_on_pages([reference]).get(reference, ""),
        reference=reference,
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        media_type=found.media_type,
        address=found.address,
        linked=found.address.startswith("https://"),
        collected_at=found.collected_at,
        valid_until=found.valid_until,
        classification=found.get_classification_display(),
        owner=found.owner.display_name,
        by=names[found.recorded_by],
        recorded_at=found.recorded_at,
        standing=standing,
        mark=MARKS[standing],
        word=standing_word(standing),
        facts_digest=_use(found, standing).digest,
        supersedes=lines.get(older) if older else None,
        superseded_by=next((line for key, line in lines.items() if key != older), None),
        revoked_reason=revoked.reason if revoked else "",
        revoked_by=names[revoked.revoked_by] if revoked else "",
        revoked_at=revoked.revoked_at if revoked else None,
        history=history_lines(history),
    )


def evidence_snapshot(evidence_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """The full snapshot of a piece of evidence with where it stands, and its revocation; None when there is none."""
    row = judged().select_related("revocation").filter(pk=evidence_id).first()
    if row is None:
        return None
    revoked = getattr(row, "revocation", None)
    standing = standing_of(row, now)
    return {
        **snapshot("evidence", row),
        "standing": str(standing),
        "facts_digest": _use(row, standing).digest,
        "revocation": snapshot("evidence_revocation", revoked) if revoked else None,
    }


def judged() -> QuerySet[Evidence]:
    """Evidence with what its standing needs beside its own columns: `revoked` and `replaced`."""
    return Evidence.objects.annotate(
        revoked=Exists(EvidenceRevocation.objects.filter(evidence=OuterRef("pk"))),
        replaced=Exists(Evidence.objects.filter(supersedes=OuterRef("pk"))),
    )


def standing_of(row: Evidence, now: datetime) -> Standing:
    """Where a row of `judged` stands; the day it is valid until is still good, in UTC."""
    if getattr(row, "revoked", False):
        return Standing.REVOKED
    if getattr(row, "replaced", False):
        return Standing.SUPERSEDED
    if row.valid_until is None or row.valid_until > (now + SOON).date():
        return Standing.VALID
    return Standing.EXPIRED if row.valid_until < now.date() else Standing.EXPIRES_SOON


def standing_filter(rows: QuerySet[Evidence], standing: Standing, now: datetime) -> QuerySet[Evidence]:
    """Rows of `judged` in one standing: the same as `standing_of`, asked of the database."""
    today, soon = now.date(), (now + SOON).date()
    if standing is Standing.REVOKED:
        return rows.filter(revocation__isnull=False)
    if standing is Standing.SUPERSEDED:
        return rows.filter(revocation__isnull=True, superseded_by__isnull=False)
    rows = rows.filter(revocation__isnull=True, superseded_by__isnull=True)
    if standing is Standing.EXPIRED:
        return rows.filter(valid_until__lt=today)
    if standing is Standing.EXPIRES_SOON:
        return rows.filter(valid_until__gte=today, valid_until__lte=soon)
    return rows.exclude(valid_until__lte=soon)


def standing_word(standing: Standing) -> str:
    """The word for a standing."""
    words: Mapping[Standing, str] = {
        Standing.VALID: _("valid"),
        Standing.EXPIRES_SOON: _("expires soon"),
        Standing.EXPIRED: _("expired"),
        Standing.SUPERSEDED: _("superseded"),
        Standing.REVOKED: _("revoked"),
    }
    return words[standing]


def _use(row: Evidence, standing: Standing) -> EvidenceUse:
    return EvidenceUse(row.pk, row.number, row.title, row.kind, row.sha256, row.valid_until, standing)


def _lines(rows: Iterable[Evidence], now: datetime) -> tuple[EvidenceLine, ...]:
    found = list(rows)
    names = names_on_pages(f"{row.subject_kind}:{row.subject_id}" for row in found)
    lines = []
    for row in found:
        standing = standing_of(row, now)
        reference = f"{row.subject_kind}:{row.subject_id}"
        lines.append(
            EvidenceLine(
                id=row.pk,
                ref=row.ref,
                title=row.title,
                kind=row.get_kind_display(),
                subject=names.get(reference, ""),
                reference=reference,
                collected_at=row.collected_at,
                valid_until=row.valid_until,
                mark=MARKS[standing],
                word=standing_word(standing),
                sha256=row.sha256,
            )
        )
    return tuple(lines)
