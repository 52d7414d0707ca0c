"""Moves of a request along its table: advancing, closing, and ending an approval that stood."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.models import ApprovalRequest, Deployment, RequestStage
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    person_of,
    recorded,
    text,
)
from governance.queries.frozen import Frozen, frozen_policy
from governance.queries.rights import viewer, why_not_revoke, why_not_withdraw
from governance.snapshot import snapshot
from governance.workflow import ENDED, MIN_REASON, Move, MoveRefused, State, Transition, transition

MAX_REASON = 4000


def withdraw(*, request_id: UUID, by: By, reason: str, now: datetime) -> Recorded:
    """Take back an open request; only the person who asked can. The id is the request's.

    Raises:
        Refused: not this person's request, closed, or no reason.
    """
    reason = text("reason", reason, limit=MAX_REASON)
    with change("request"):
        request = locked(request_id)
        refusal = why_not_withdraw(request, person_of(by))
        if refusal:
            raise Refused("", refusal)
        return recorded(request.id, moved(request, Move.WITHDRAW, actor=actor_of(by), reason=reason, now=now))


def revoke(*, request_id: UUID, by: User, reason: str, now: datetime) -> Recorded:
    """End an approval that stands, as a member of a pool of its stages or a risk owner. The id is the request's.

    Every other approval of the same revision ends with it.

    Raises:
        Refused: not this person's to revoke, no approval that stands, or a reason too short.
    """
    reason = text("reason", reason, limit=MAX_REASON, required=False)
    if len(reason) < MIN_REASON:
        raise Refused("reason", f"has {len(reason)} characters; at least {MIN_REASON} are needed.")
    with change("request"):
        request = locked(request_id)
        refusal = why_not_revoke(request, viewer(by), frozen_policy(request).pools)
        if refusal:
            raise Refused("", refusal)
        events: list[ledger.Event] = []
        # A renewal does not outlive what is revoked, nor the other way round: the revision may run no more.
        for other in _others(request, now).select_for_update().order_by("pk"):
            events += ended(other, Move.REVOKE, actor=by.actor, reason=reason, now=now)
        events += ended(request, Move.REVOKE, actor=by.actor, reason=reason, now=now)
        return recorded(request.id, events)


def invalidate(*, request_id: UUID, cause: str, actor: str, now: datetime) -> Recorded:
    """End an approval because of something that happened elsewhere. The id is the request's.

    Raises:
        Refused: there is no approval that stands.
    """
    cause = text("cause", cause, limit=MAX_REASON)
    with change("request"):
        request = locked(request_id)
        return recorded(request.id, ended(request, Move.INVALIDATE, actor=actor, reason=cause, now=now))


def locked(request_id: UUID) -> ApprovalRequest:
    """The request, locked until the transaction ends.

    Raises:
        Refused: there is none.
    """
    found = (
        ApprovalRequest.objects.select_for_update(of=("self",))
        .select_related("deployment__use_case")
        .filter(pk=request_id)
        .first()
    )
    if found is None:
        raise Refused("request", "does not exist.")
    return found


def moved(
    request: ApprovalRequest,
    move: Move,
    *,
    actor: str,
    reason: str,
    now: datetime,
    policy: Frozen | None = None,
) -> list[ledger.Event]:
    """Move an open, locked request and give the events that tell it; they belong last in the transaction.

    Args:
        policy: needed to approve: how long the approval stands.
    """
    step = _step(request, move)
    before: dict[str, object] = {**snapshot("request", request)}
    columns: dict[str, object] = {"state": step.end.value, "closed_at": now}
    if move is Move.ADVANCE:
        part = RequestStage.objects.get(request=request, sequence=request.stage + 1)
        columns = {"stage": part.sequence, "pool": part.pool, "quorum": part.quorum, "due_at": part.due_at}
    elif move is Move.APPROVE:
        assert policy is not None  # given by whoever approves
        columns["valid_until"] = policy.valid_until(now)
    _update(request, columns)
    events = [event("request", step.event, request, actor=actor, now=now, before=before, reason=reason)]
    if step.end is State.APPROVED:
        deployment = Deployment.objects.select_for_update().get(pk=request.deployment_id)
        events += _runs(deployment, request.revision_id, actor=actor, now=now)
    return events


def ended(request: ApprovalRequest, move: Move, *, actor: str, reason: str, now: datetime) -> list[ledger.Event]:
    """End the approval of a locked request and give the events that tell it; they belong last in the transaction.

    The deployment may run nothing afterwards, unless another approval of the same revision stands.

    Raises:
        Refused: there is no approval that stands.
    """
    step = _step(request, move)
    assert step.end in ENDED  # only such moves are asked for
    before: dict[str, object] = {**snapshot("request", request)}
    deployment = Deployment.objects.select_for_update().get(pk=request.deployment_id)
    told: list[ledger.Event] = []
    if deployment.approved_revision_id == request.revision_id and not _others(request, now).exists():
        told = _runs(deployment, None, actor=actor, now=now)
    _update(request, {"state": step.end.value, "ended_at": now})
    return [event("request", step.event, request, actor=actor, now=now, before=before, reason=reason), *told]


def _step(request: ApprovalRequest, move: Move) -> Transition:
    try:
        return transition(move, State(request.state))
    except MoveRefused as error:
        raise Refused("", str(error)) from error


def _update(request: ApprovalRequest, columns: dict[str, object]) -> None:
    ApprovalRequest.objects.filter(pk=request.pk).update(**columns, row_version=F("row_version") + 1)
    request.refresh_from_db()


def _others(request: ApprovalRequest, now: datetime) -> QuerySet[ApprovalRequest]:
    """Other approvals of the same revision that stand."""
    rows = ApprovalRequest.objects.filter(revision_id=request.revision_id, state=State.APPROVED.value)
    return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now)).exclude(pk=request.pk)


def _runs(deployment: Deployment, revision_id: UUID | None, *, actor: str, now: datetime) -> list[ledger.Event]:
    """What a deployment may run from now on; no event where that is as before."""
    if deployment.approved_revision_id == revision_id:
        return []
    before: dict[str, object] = {**snapshot("deployment", deployment)}
    Deployment.objects.filter(pk=deployment.pk).update(
        approved_revision_id=revision_id, row_version=F("row_version") + 1
    )
    deployment.refresh_from_db()
    return [event("deployment", EventType.DEPLOYMENT_CHANGED, deployment, actor=actor, now=now, before=before)]
