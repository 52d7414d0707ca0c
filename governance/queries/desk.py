"""What waits for a person, and the counts of the desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, When

from audit.models import User
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
class Queue:
    """A page of requests in one state.

    Attributes:
        next_page: number of the page after this one, None on the last.
        waiting: how many wait for this person; `oldest`: since when the first of them does.
    """

    lines: tuple[QueueLine, ...]
    state: str
    page: int
    next_page: int | None
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class HomeCounts:
    """The numbers of the desk, and the first requests that wait for this person."""

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


def queue(user: User, *, state: str = "open", page: int = 1) -> Queue:
    """Requests in one state as `user` should look at them; an unknown state is taken for `open`.

    Open ones that wait for the user come first, oldest first; closed ones newest first.
    """
    who = viewer(user)
    state = state if state in STATES else ApprovalRequest.State.OPEN.value
    page = max(page, 1)
    start = (page - 1) * PAGE
    found = list(_rows(who, state)[start : start + PAGE + 1])
    waiting = _waiting(who)
    return Queue(
        lines=tuple(_line(row) for row in found[:PAGE]),
        state=state,
        page=page,
        next_page=page + 1 if len(found) > PAGE else None,
        waiting=waiting.count(),
        oldest=waiting.order_by("submitted_at").values_list("submitted_at", flat=True).first(),
    )


def waiting_count(user: User) -> int:
    """How many requests wait for `user`."""
    return _waiting(viewer(user)).count()


def next_waiting(user: User) -> UUID | None:
    """The request that has waited longest for `user`."""
    rows = _waiting(viewer(user)).order_by("submitted_at", "number")
    return rows.values_list("pk", flat=True).first()


def home(user: User) -> HomeCounts:
    """The desk of `user`, in a constant number of queries."""
    who = viewer(user)
    waiting = _waiting(who)
    first = list(_rows(who, ApprovalRequest.State.OPEN.value).filter(_mine(who))[:5])
    opened = ApprovalRequest.objects.filter(state=ApprovalRequest.State.OPEN)
    return HomeCounts(
        waiting=tuple(_line(row) for row in first),
        waiting_count=waiting.count(),
        oldest=first[0].submitted_at if first else None,
        open_requests=opened.count(),
        own_open=opened.filter(requester_id=who.person_id).count(),
        findings=Finding.objects.count(),
        deployments=Deployment.objects.count(),
        approved_deployments=Deployment.objects.filter(approved_revision__isnull=False).count(),
        model_versions=ModelVersion.objects.count(),
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


def _rows(who: Viewer, state: str) -> QuerySet[ApprovalRequest]:
    rank = Case(When(_mine(who), then=0), default=1, output_field=IntegerField())
    rows = (
        ApprovalRequest.objects.filter(state=state)
        .select_related("deployment", "revision__model_version__model", "requester")
        .annotate(rank=rank)
    )
    if state == ApprovalRequest.State.OPEN:
        return rows.order_by("rank", "submitted_at", "number")
    return rows.order_by("-submitted_at", "-number")


def _line(row: ApprovalRequest) -> QueueLine:
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
        mine=getattr(row, "rank", 1) == 0,
    )
