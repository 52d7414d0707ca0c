"""What waits for a person, and the counts of the desk.

Lists turn by keyset, and numbers are counted only so far as a page tells them: what a page costs does not grow with the
requests that are closed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.models import Person, User
from governance.models import (
    ApprovalRequest,
    Decision,
    Deployment,
    Finding,
    GpuPool,
    ModelVersion,
    RequestExclusion,
    SealedDecision,
)
from governance.queries.fit import read_fit
from governance.queries.review import state_mark
from governance.queries.rights import Viewer, viewer

PAGE: Final = 50
COUNTED: Final = 100
"""Where counting stops: a page says 99+."""

MANY: Final = 10_000
"""Where counting deployments stops: they are told beside each other."""

MOST_NAMED: Final = 20
"""Deployments or people whose name a filter may mean."""

STATES: Final = tuple(ApprovalRequest.State.values)


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One request in the queue. `mine`: it waits for this person."""

    id: UUID
    ref: str
    kind: str
    deployment: str
    model: str
    revision: int
    justification: str
    requester: str
    submitted_at: datetime
    mark: str
    word: str
    fit_mark: str
    fit_word: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What requests must be: all conditions that are not empty.

    Attributes:
        deployment: its name, its reference, or how its name begins. `requester`: a part of the person's name.
        tier: of the request, where requests have one.
    """

    kind: str = ""
    deployment: str = ""
    requester: str = ""
    pool: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of requests in one state.

    Attributes:
        next: what to give as `after` for the page after this one, empty on the last.
        turned: whether this is not the first page.
        waiting: how many wait for this person, counted up to COUNTED; `oldest`: since when the first of them does.
    """

    lines: tuple[QueueLine, ...]
    state: str
    next: str
    turned: bool
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class HomeCounts:
    """The numbers of the desk, and the first requests that wait for this person.

    Numbers stop at COUNTED, those of deployments and model versions at MANY.
    """

    waiting: tuple[QueueLine, ...]
    waiting_count: int
    oldest: datetime | None
    open_requests: int
    own_open: int
    findings: int
    deployments: int
    approved_deployments: int
    model_versions: int
    cards: int


NOTHING: Final = Wanted()


def queue(user: User, *, state: str = "open", after: str = "", wanted: Wanted = NOTHING) -> Queue:
    """Requests in one state as `user` should look at them; an unknown state is taken for `open`.

    Open ones that wait for the user come first, oldest first; closed ones newest first.

    Args:
        after: `next` of the page before; anything else is taken for the first page.
    """
    who = viewer(user)
    state = state if state in STATES else ApprovalRequest.State.OPEN.value
    place = _place(after)
    found = _page(who, _wanted(wanted), state, place)
    waiting = _waiting(who)
    return Queue(
        lines=tuple(_line(row, mine=mine) for row, mine in found[:PAGE]),
        state=state,
        next=_cursor(*found[PAGE - 1]) if len(found) > PAGE else "",
        turned=place is not None,
        waiting=_counted(waiting),
        oldest=waiting.order_by("submitted_at").values_list("submitted_at", flat=True).first(),
    )


def waiting_count(user: User) -> int:
    """How many requests wait for `user`, counted up to COUNTED."""
    return _counted(_waiting(viewer(user)))


def next_waiting(user: User) -> UUID | None:
    """The request that has waited longest for `user`."""
    rows = _waiting(viewer(user)).order_by("submitted_at", "number")
    return rows.values_list("pk", flat=True).first()


def home(user: User) -> HomeCounts:
    """The desk of `user`, in a constant number of queries."""
    who = viewer(user)
    waiting = _waiting(who)
    first = list(_related(waiting).order_by("submitted_at", "number")[:5])
    opened = ApprovalRequest.objects.filter(state=ApprovalRequest.State.OPEN)
    return HomeCounts(
        waiting=tuple(_line(row, mine=True) for row in first),
        waiting_count=_counted(waiting),
        oldest=first[0].submitted_at if first else None,
        open_requests=_counted(opened),
        own_open=_counted(opened.filter(requester_id=who.person_id)),
        findings=_counted(Finding.objects.all()),
        deployments=_counted(Deployment.objects.all(), MANY),
        approved_deployments=_counted(Deployment.objects.filter(approved_revision__isnull=False), MANY),
        model_versions=_counted(ModelVersion.objects.all(), MANY),
        cards=sum(GpuPool.objects.values_list("count", flat=True)),
    )


def _mine(who: Viewer) -> Q:
    decided = Decision.objects.filter(request=OuterRef("pk"), decider_id=who.person_id)
    sealed = SealedDecision.objects.filter(request=OuterRef("pk"), decider_id=who.person_id)
    excluded = RequestExclusion.objects.filter(request=OuterRef("pk"), stage=OuterRef("stage"), person_id=who.person_id)
    return (
        Q(state=ApprovalRequest.State.OPEN, pool__in=[] if who.barred else sorted(who.pools))
        & ~Q(requester_id=who.person_id)
        & Q(~Exists(decided))
        & Q(~Exists(sealed))
        & Q(~Exists(excluded))
    )


def _waiting(who: Viewer) -> QuerySet[ApprovalRequest]:
    return ApprovalRequest.objects.filter(_mine(who))


def pools() -> tuple[str, ...]:
    """The names of all pools, for a filter."""
    return tuple(Group.objects.order_by("name").values_list("name", flat=True))


class _Place(NamedTuple):
    """Where a page begins: behind this request, among those that wait for the person (`mine`) or the others."""

    mine: bool
    submitted_at: datetime
    number: int


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([mo])(\d{1,17})-(\d{1,15})", re.ASCII)


def _place(after: str) -> _Place | None:
    match = _CURSOR.fullmatch(after)
    try:
        return _Place(match[1] == "m", _EPOCH + timedelta(0, 0, int(match[2])), int(match[3])) if match else None
    except OverflowError:
        return None


def _cursor(row: ApprovalRequest, mine: bool) -> str:
    return f"{'m' if mine else 'o'}{(row.submitted_at - _EPOCH) // timedelta(0, 0, 1)}-{row.number}"


def _page(who: Viewer, wanted: Q, state: str, place: _Place | None) -> list[tuple[ApprovalRequest, bool]]:
    """Up to PAGE + 1 requests with whether each waits for the person: of open ones two walks along one index."""
    rows = _related(ApprovalRequest.objects.filter(wanted, state=state))
    if state != ApprovalRequest.State.OPEN:
        newest = rows.order_by("-submitted_at", "-number")
        if place:
            newest = newest.filter(
                Q(submitted_at__lte=place.submitted_at)
                & (Q(submitted_at__lt=place.submitted_at) | Q(number__lt=place.number))
            )
        return [(row, False) for row in newest[: PAGE + 1]]
    rows = rows.order_by("submitted_at", "number")
    found: list[tuple[ApprovalRequest, bool]] = []
    if place is None or place.mine:
        found = [(row, True) for row in _behind(rows.filter(_mine(who)), place)[: PAGE + 1]]
    if len(found) <= PAGE:
        others = _behind(rows.exclude(_mine(who)), None if place is None or place.mine else place)
        found += [(row, False) for row in others[: PAGE + 1 - len(found)]]
    return found


def _behind(rows: QuerySet[ApprovalRequest], place: _Place | None) -> QuerySet[ApprovalRequest]:
    if place is None:
        return rows
    return rows.filter(
        Q(submitted_at__gte=place.submitted_at) & (Q(submitted_at__gt=place.submitted_at) | Q(number__gt=place.number))
    )


def _related(rows: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
    return rows.select_related("deployment", "revision__model_version__model", "requester")


def _wanted(wanted: Wanted) -> Q:
    """The conditions of a filter, with the few ids that its names mean."""
    found = Q()
    if wanted.kind:
        found &= Q(kind=wanted.kind)
    if wanted.pool:
        found &= Q(pool=wanted.pool)
    if wanted.deployment:
        match = re.fullmatch(r"DEP-(\d{1,15})", wanted.deployment.upper(), re.ASCII)
        named = Q(number=int(match[1])) if match else Q(name__startswith=wanted.deployment)
        meant = Deployment.objects.filter(named).order_by("name").values_list("pk", flat=True)[:MOST_NAMED]
        found &= Q(deployment_id__in=list(meant))
    if wanted.requester:
        people = Person.objects.filter(display_name__icontains=wanted.requester)
        found &= Q(requester_id__in=list(people.values_list("pk", flat=True)[:MOST_NAMED]))
    if wanted.tier and "tier" in {field.name for field in ApprovalRequest._meta.fields}:
        found &= Q(tier=wanted.tier)
    return found


def _counted(rows: QuerySet[Any], most: int = COUNTED) -> int:
    """How many rows there are, counted up to `most`."""
    return rows.order_by().values("pk")[:most].count()


def _line(row: ApprovalRequest, *, mine: bool) -> QueueLine:
    mark, word = state_mark(row.state)
    fit = read_fit(row.evidence, row.evidence_digest)
    return QueueLine(
        id=row.pk,
        ref=row.ref,
        kind=row.kind,
        deployment=row.deployment.name,
        model=row.revision.model_version.model.name,
        revision=row.revision.number,
        justification=row.justification,
        requester=row.requester.display_name,
        submitted_at=row.submitted_at,
        mark=mark,
        word=word,
        fit_mark=fit.mark,
        fit_word=fit.word,
        mine=mine,
    )
