"""What was erased, what is asked to be, and what holds it: reads of the tables of migration 0007."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal
from uuid import UUID

from django.db import connections
from django.db.models import Exists, OuterRef, Q

from audit.events import PERMANENT_TYPES
from audit.models import Entry, Erasure, ErasureDecision, ErasureRequest, HoldRelease, LegalHold, Section, User
from audit.queries.names import names_of
from audit.queries.roles import DATA_PROTECTION

BATCH = 200
State = Literal["open", "erased", "rejected", "gone"]


class ErasureNotFound(LookupError):
    """No such request or hold."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request with what became of it.

    Attributes:
        state: open; erased by it; rejected; gone, when another request erased the section meanwhile.
        asked_by, decided_by: names, or `person:<uuid>` where a name was erased; `decided_by` is empty while open.
        erased_by: the entry that tells the erasure of the section, whichever request it was.
        before_floor: for an erasure, whether it was; otherwise None.
    """

    id: UUID
    entry_index: int
    name: str
    legal_basis: str
    requested_by: UUID
    asked_by: str
    requested_at: datetime
    state: State
    decided_by: str
    decided_at: datetime | None
    erased_by: int | None
    before_floor: bool | None


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold and, when it ended, who ended it. `scope`: (what, value) pairs that must all fit an entry."""

    id: UUID
    reference: str
    scope: tuple[tuple[str, str], ...]
    placed_by: UUID
    placer: str
    placed_at: datetime
    released_by: str
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erasable:
    """A section as the erasure of it sees it.

    Attributes:
        kept: whether its bytes are here. `floor_ends`: None when it is kept for ever.
        before_floor: as of `now`, the database's clock decides anew when it is erased.
    """

    entry_index: int
    name: str
    type: str
    received_at: datetime
    kept: bool
    floor_ends: datetime | None
    before_floor: bool
    holds: tuple[HoldRow, ...]
    erased_by: int | None


def erasures_of(indexes: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each entry with erased sections: section name to the index of the entry that tells its erasure."""
    found: dict[int, dict[str, int]] = {}
    rows = Erasure.objects.filter(entry_index__in=sorted(set(indexes)))
    for index, name, erased_by in rows.order_by("entry_index", "name").values_list("entry_index", "name", "erased_by"):
        found.setdefault(index, {})[name] = erased_by
    return found


def erasable(index: int, *, now: datetime) -> tuple[Erasable, ...]:
    """The sections of an entry, kept or erased, by name; empty when there is no such entry."""
    entry = Entry.objects.filter(index=index).first() if 0 <= index < 1 << 63 else None
    if entry is None:
        return ()
    kept = set(Section.objects.filter(entry_index=index).values_list("name", flat=True))
    erased = erasures_of([index]).get(index, {})
    names = sorted(kept | erased.keys())
    ends = _floors(index, names)
    on_it = tuple(holds_on(entry))
    return tuple(
        Erasable(
            entry_index=index,
            name=name,
            type=entry.type,
            received_at=entry.received_at,
            kept=name in kept,
            floor_ends=ends[name],
            before_floor=(until := ends[name]) is None or now < until,
            holds=on_it,
            erased_by=erased.get(name),
        )
        for name in names
    )


_DECIDED = Exists(ErasureDecision.objects.filter(request_id=OuterRef("pk")))


_GONE = Exists(Erasure.objects.filter(entry_index=OuterRef("entry_index"), name=OuterRef("name")))


def waiting_requests(*, limit: int = 200) -> list[RequestRow]:
    """Requests that nobody has decided, oldest first; none whose section another request erased meanwhile."""
    rows = ErasureRequest.objects.filter(~_DECIDED, ~_GONE).order_by("requested_at", "id")
    return _requests(list(rows[:limit]))


def decided_requests(*, before: datetime | None = None, limit: int = 50) -> list[RequestRow]:
    """Requests that wait for nothing, newest first, with what became of them; those asked for before `before`."""
    rows = ErasureRequest.objects.filter(Q(_DECIDED) | Q(_GONE)).order_by("-requested_at", "id")
    if before is not None:
        rows = rows.filter(requested_at__lt=before)
    return _requests(list(rows[:limit]))


def all_requests() -> Iterator[RequestRow]:
    """Every request, newest first, in batches."""
    rows = ErasureRequest.objects.order_by("-requested_at", "id").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        yield from _requests(batch)


def all_holds() -> Iterator[HoldRow]:
    """Every hold, newest first, in batches."""
    rows = LegalHold.objects.order_by("-placed_at", "id").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        yield from _holds(batch)


def waiting_for(user_id: int) -> int:
    """How many requests wait for this log-in to decide: none unless it belongs to Data protection."""
    member = User.groups.through.objects.filter(user_id=user_id, group__name=DATA_PROTECTION)
    return ErasureRequest.objects.filter(Exists(member), ~_DECIDED, ~_GONE).count()


def request(request_id: UUID) -> RequestRow:
    """One request.

    Raises:
        ErasureNotFound: nobody asked under this id.
    """
    found = _requests(list(ErasureRequest.objects.filter(pk=request_id)))
    if not found:
        raise ErasureNotFound("There is no such request for an erasure.")
    return found[0]


def is_asked_for(index: int, name: str) -> bool:
    """Whether an undecided request for this section stands."""
    asked = ErasureRequest.objects.filter(entry_index=index, name=name)
    return asked.exclude(pk__in=ErasureDecision.objects.values("request_id")).exists()


def words_of(reference: str) -> dict[int, Mapping[str, object]]:
    """What people wrote about `erasure:<uuid>` or `hold:<uuid>`: the `restricted` section of each entry, by index."""
    told = Entry.objects.filter(subject=reference, source="app", type__in=sorted(PERMANENT_TYPES)).values("index")
    found: dict[int, Mapping[str, object]] = {}
    for row in Section.objects.filter(entry_index__in=told, name="restricted").order_by("entry_index"):
        try:
            content = json.loads(bytes(row.body))
        except ValueError:
            continue  # only a change behind our back can do this; the page that says so must still open
        found[row.entry_index] = content if isinstance(content, dict) else {}
    return found


def holds(*, active_only: bool = False, limit: int = 200) -> list[HoldRow]:
    """Holds, newest first."""
    rows = LegalHold.objects.order_by("-placed_at", "id")
    if active_only:
        rows = rows.exclude(pk__in=HoldRelease.objects.values("hold_id"))
    return _holds(list(rows[:limit]))


def hold(hold_id: UUID) -> HoldRow:
    """One hold.

    Raises:
        ErasureNotFound: there is none of this id.
    """
    found = _holds(list(LegalHold.objects.filter(pk=hold_id)))
    if not found:
        raise ErasureNotFound("There is no such legal hold.")
    return found[0]


def holds_on(entry: Entry) -> list[HoldRow]:
    """The holds that are on an entry now; all that is given of a hold must fit."""
    rows = LegalHold.objects.filter(
        Q(first_index=None) | Q(first_index__lte=entry.index, last_index__gte=entry.index),
        subject__in=["", entry.subject],
        source__in=["", entry.source],
        type__in=["", entry.type],
    ).exclude(pk__in=HoldRelease.objects.values("hold_id"))
    return _holds(list(rows.order_by("-placed_at", "id")))


def _requests(rows: Sequence[ErasureRequest]) -> list[RequestRow]:
    decisions = {found.request_id: found for found in ErasureDecision.objects.filter(pk__in=[row.pk for row in rows])}
    gone = {
        (found.entry_index, found.name): found
        for found in Erasure.objects.filter(entry_index__in={row.entry_index for row in rows})
    }
    people = [row.requested_by for row in rows] + [found.decided_by for found in decisions.values()]
    names = _Names(people)
    result = []
    for row in rows:
        decision, erasure = decisions.get(row.pk), gone.get((row.entry_index, row.name))
        result.append(
            RequestRow(
                id=row.pk,
                entry_index=row.entry_index,
                name=row.name,
                legal_basis=row.legal_basis,
                requested_by=row.requested_by,
                asked_by=names[row.requested_by],
                requested_at=row.requested_at,
                state=_state(row, decision, erasure),
                decided_by=names[decision.decided_by] if decision else "",
                decided_at=decision.decided_at if decision else None,
                erased_by=erasure.erased_by if erasure else None,
                before_floor=erasure.override if erasure and erasure.request_id == row.pk else None,
            )
        )
    return result


def _state(row: ErasureRequest, decision: ErasureDecision | None, erasure: Erasure | None) -> State:
    if decision is not None:
        return "erased" if decision.decision == ErasureDecision.Decision.APPROVE else "rejected"
    return "open" if erasure is None else "gone"


def _holds(rows: Sequence[LegalHold]) -> list[HoldRow]:
    ended = {found.hold_id: found for found in HoldRelease.objects.filter(pk__in=[row.pk for row in rows])}
    names = _Names([row.placed_by for row in rows] + [found.released_by for found in ended.values()])
    return [
        HoldRow(
            id=row.pk,
            reference=row.reference,
            scope=_scope(row),
            placed_by=row.placed_by,
            placer=names[row.placed_by],
            placed_at=row.placed_at,
            released_by=names[ended[row.pk].released_by] if row.pk in ended else "",
            released_at=ended[row.pk].released_at if row.pk in ended else None,
        )
        for row in rows
    ]


def _scope(row: LegalHold) -> tuple[tuple[str, str], ...]:
    given = [("subject", row.subject), ("source", row.source), ("type", row.type)]
    if row.first_index is not None:
        given.append(("entries", f"{row.first_index}-{row.last_index}"))
    return tuple((what, value) for what, value in given if value)


class _Names:
    """Names of persons by id; the reference itself where the name was erased."""

    def __init__(self, people: Iterable[UUID]) -> None:
        self._known = names_of(f"person:{found}" for found in people)

    def __getitem__(self, person: UUID) -> str:
        return self._known.get(f"person:{person}", f"person:{person}")


def _floors(index: int, names: Sequence[str]) -> dict[str, datetime | None]:
    """When the floor of each section ends, by the database's own function; None is never."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT n, NULLIF(assay_floor_ends(%s, n), 'infinity') FROM unnest(%s::text[]) n", [index, list(names)]
        )
        return {str(name): ends for name, ends in cursor.fetchall()}
