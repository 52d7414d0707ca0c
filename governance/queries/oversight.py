"""Who oversees a use of AI today, and which uses with a high risk nobody oversees."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from audit import queries as log
from governance.models import OversightAssignment, Tier, UseCase

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class OversightLine:
    """One assignment; `standing` while it is in force, `mark` and `word` say so."""

    id: UUID
    use_case_id: UUID
    ref: str
    use_case: str
    person: str
    role: str
    competence: str
    training: str
    training_date: date
    authority: str
    valid_from: date
    valid_until: date | None
    mark: str
    word: str
    standing: bool
    ended: str
    entry: int | None


@dataclass(frozen=True, slots=True)
class OversightGap:
    """A use of AI with a high risk that nobody oversees."""

    use_case_id: UUID
    ref: str
    name: str


@dataclass(frozen=True, slots=True)
class OversightPage:
    """All that is known of oversight; `older` assignments stand in the ledger alone."""

    gaps: tuple[OversightGap, ...]
    lines: tuple[OversightLine, ...]
    older: int


def oversight_gaps(today: date) -> tuple[OversightGap, ...]:
    """Use cases with a high risk and nobody in force on `today`, in one query: for home and for triggers."""
    rows = UseCase.objects.filter(~Exists(_standing(today).filter(use_case=OuterRef("pk"))), tier=Tier.HIGH)
    return tuple(OversightGap(row.pk, row.ref, row.name) for row in rows.order_by("number"))


def oversight_of(use_case_id: UUID, today: date) -> tuple[OversightLine, ...]:
    """The assignments of a use case, newest first."""
    return _lines(_rows().filter(use_case_id=use_case_id)[:SHOWN], today)


def is_vacant(use_case_id: UUID, today: date) -> bool:
    """Whether this use has a high risk and nobody oversees it."""
    rows = UseCase.objects.filter(pk=use_case_id, tier=Tier.HIGH)
    return rows.exclude(Exists(_standing(today).filter(use_case=OuterRef("pk")))).exists()


def oversight_page(today: date) -> OversightPage:
    """Everything about oversight, in a constant number of queries."""
    lines = _lines(_rows()[:SHOWN], today)
    return OversightPage(oversight_gaps(today), lines, max(0, OversightAssignment.objects.count() - SHOWN))


def one_assignment(assignment_id: UUID, today: date) -> OversightLine | None:
    """One assignment; None when there is none."""
    found = _lines(_rows().filter(pk=assignment_id), today)
    return found[0] if found else None


def _standing(today: date) -> QuerySet[OversightAssignment]:
    rows = OversightAssignment.objects.filter(valid_from__lte=today, end__isnull=True)
    return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=today))


def _rows() -> QuerySet[OversightAssignment]:
    return OversightAssignment.objects.select_related("use_case", "person", "end").order_by("-assigned_at", "pk")


def _lines(rows: Iterable[OversightAssignment], today: date) -> tuple[OversightLine, ...]:
    found = list(rows)
    states = log.states_at([f"oversight_assignment:{row.pk}" for row in found], log.head_size()) if found else {}
    return tuple(_line(row, today, states.get(f"oversight_assignment:{row.pk}")) for row in found)


def _line(row: OversightAssignment, today: date, state: log.StateRow | None) -> OversightLine:
    end = getattr(row, "end", None)
    mark, word = _mark(row, end.ended_at if end else None, today)
    return OversightLine(
        id=row.pk,
        use_case_id=row.use_case_id,
        ref=row.use_case.ref,
        use_case=row.use_case.name,
        person=row.person.display_name,
        role=row.role,
        competence=row.competence,
        training=row.training,
        training_date=row.training_date,
        authority=row.get_authority_display(),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        mark=mark,
        word=word,
        standing=mark == "ok",
        ended=end.reason if end else "",
        entry=state.index if state else None,
    )


def _mark(row: OversightAssignment, ended_at: datetime | None, today: date) -> tuple[str, str]:
    if ended_at is not None or (row.valid_until is not None and row.valid_until < today):
        return "none", _("Ended")
    if row.valid_from > today:
        return "wait", _("Begins later")
    return "ok", _("In force")
