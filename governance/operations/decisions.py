"""Deciding and withdrawing requests. The request is locked before anything is judged."""

from datetime import datetime
from uuid import UUID

from django.db.models import F

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.models import ApprovalRequest, Decision, Deployment
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
    text,
)
from governance.queries.rights import deciders_of, viewer, why_not_decide, why_not_withdraw
from governance.snapshot import snapshot
from governance.workflow import MIN_REASON, Move, MoveRefused, State, transition

MAX_REASON = 4000


def decide(*, request_id: UUID, decider: User, decision: str, reason: str, digest_seen: str, now: datetime) -> Recorded:
    """Approve or reject a request as a member of its pool; the id is the decision's.

    Entries: `decision.recorded`; `request.approved` or `request.rejected` when the decision closes it;
    `deployment.changed` when it is approved.

    Raises:
        Refused: not this person's to decide, a reason too short, or a digest that is not the request's.
    """
    move = Move(choice("decision", decision, [Move.APPROVE.value, Move.REJECT.value]))
    reason = text("reason", reason, limit=MAX_REASON, required=False)
    if len(reason) < MIN_REASON:
        raise Refused("reason", f"has {len(reason)} characters; at least {MIN_REASON} are needed.")
    with change("decision"):
        request = _locked(request_id)
        deciders = deciders_of(request.id)
        refusal = why_not_decide(request, viewer(decider), deciders)
        if refusal:
            raise Refused("", refusal)
        if digest_seen.removeprefix("sha256:") != request.decision_digest:
            raise Refused("digest_seen", "is not what is asked now. Read the request again, then decide.")
        row = Decision.objects.create(
            request=request,
            requester_id=request.requester_id,
            decider_id=decider.person_id,
            account=decider,
            decision=move.value,
            reason=reason,
            digest_seen=request.decision_digest,
            decided_at=now,
        )
        events = [event("decision", EventType.DECISION_RECORDED, row, actor=decider.actor, now=now)]
        if move is Move.REJECT or len(deciders) + 1 >= request.quorum:
            events += _close(request, move, actor=decider.actor, reason=reason, now=now)
        return recorded(row.id, events)


def withdraw(*, request_id: UUID, by: By, reason: str, now: datetime) -> Recorded:
    """Take back an open request; only the person who asked can. The id is the request's.

    Raises:
        Refused: not this person's request, closed, or no reason.
    """
    reason = text("reason", reason, limit=MAX_REASON)
    with change("request"):
        request = _locked(request_id)
        refusal = why_not_withdraw(request, person_of(by))
        if refusal:
            raise Refused("", refusal)
        return recorded(request.id, _close(request, Move.WITHDRAW, actor=actor_of(by), reason=reason, now=now))


def _locked(request_id: UUID) -> ApprovalRequest:
    found = ApprovalRequest.objects.select_for_update().filter(pk=request_id).first()
    if found is None:
        raise Refused("request", "does not exist.")
    return found


def _close(request: ApprovalRequest, move: Move, *, actor: str, reason: str, now: datetime) -> list[ledger.Event]:
    try:
        step = transition(move, State(request.state))
    except MoveRefused as error:
        raise Refused("", str(error)) from error
    before: dict[str, object] = {**snapshot("request", request)}
    ApprovalRequest.objects.filter(pk=request.pk).update(
        state=step.end.value, closed_at=now, row_version=F("row_version") + 1
    )
    request.refresh_from_db()
    events = [event("request", step.event, request, actor=actor, now=now, before=before, reason=reason)]
    if step.end is State.APPROVED:
        events.append(_approve(request, actor=actor, now=now))
    return events


def _approve(request: ApprovalRequest, *, actor: str, now: datetime) -> ledger.Event:
    deployment = Deployment.objects.select_for_update().get(pk=request.deployment_id)
    before: dict[str, object] = {**snapshot("deployment", deployment)}
    Deployment.objects.filter(pk=deployment.pk).update(
        approved_revision_id=request.revision_id, row_version=F("row_version") + 1
    )
    deployment.refresh_from_db()
    return event("deployment", EventType.DEPLOYMENT_CHANGED, deployment, actor=actor, now=now, before=before)
