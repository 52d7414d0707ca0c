"""Deciding requests. The request is locked before anything is judged; a blind stage is sealed, then opened at once."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.models import ApprovalRequest, Decision, SealedDecision, Tier
from governance.operations.base import Recorded, Refused, change, choice, event, recorded, text
from governance.operations.closing import locked, moved
from governance.operations.conditions import ConditionAsk, check_conditions, read_conditions, set_conditions
from governance.queries.frozen import Frozen, frozen_policy
from governance.queries.relied import spoilt
from governance.queries.rights import deciders_of, excluded_from, viewer, why_not_decide
from governance.snapshot import canonical
from governance.workflow import APPROVING, MIN_REASON, Choice, Move, Stage, Verdict, needed, standing

MAX_REASON = 4000
SALT_BYTES = 32


def decide(
    *,
    request_id: UUID,
    decider: User,
    decision: str,
    reason: str,
    digest_seen: str,
    now: datetime,
    conditions: Sequence[ConditionAsk] = (),
    entropy: Callable[[int], bytes] = os.urandom,
) -> Recorded:
    """Decide the current stage of a request as a member of its pool; the id is the decision's.

    Entries: `decision.recorded` and `condition.set` for each condition; then, when the stage is settled,
    `request.advanced`, `request.approved` with `deployment.changed`, `request.rejected` or
    `request.changes_requested`. In a blind stage `decision.sealed`; the last needed one opens all of them.

    Raises:
        Refused: not this person's to decide, a reason too short, or a digest that is not the request's.
    """
    chosen = Choice(choice("decision", decision, list(Choice)))
    reason = text("reason", reason, limit=MAX_REASON, required=False)
    if len(reason) < MIN_REASON:
        raise Refused("reason", f"has {len(reason)} characters; at least {MIN_REASON} are needed.")
    asked = check_conditions(conditions, wanted=chosen is Choice.APPROVE_WITH_CONDITIONS, now=now)
    with change("decision"):
        request = locked(request_id)
        policy = frozen_policy(request)
        stage = policy.stages[request.stage - 1]
        refusal = why_not_decide(request, viewer(decider), deciders_of(request.id), excluded_from(request), now=now)
        if refusal:
            raise Refused("", refusal)
        if digest_seen.removeprefix("sha256:") != request.decision_digest:
            raise Refused("digest_seen", "is not what is asked now. Read the request again, then decide.")
        _refuse_impossible(request, stage, chosen, now)
        if stage.blind:
            content = _sealed_content(request, decider, chosen, reason, asked)
            return _seal(request, policy, decider=decider, content=content, salt=entropy(SALT_BYTES), now=now)
        row = _decision(request, decider=decider, chosen=chosen, reason=reason, now=now)
        events = [event("decision", EventType.DECISION_RECORDED, row, actor=decider.actor, now=now)]
        events += set_conditions(row, asked, actor=decider.actor, now=now)
        events += _settle(request, policy, last=row, actor=decider.actor, now=now)
        return recorded(row.id, events)


def _refuse_impossible(request: ApprovalRequest, stage: Stage, chosen: Choice, now: datetime) -> None:
    if chosen is Choice.APPROVE_WITH_CONDITIONS and not stage.conditions_allowed:
        raise Refused("conditions", f"are not taken in the stage {stage.name}.")
    use_case = request.deployment.use_case
    if chosen in APPROVING and use_case is not None and use_case.tier == Tier.PROHIBITED:
        raise Refused("", f"{use_case.ref} is classified as prohibited now; this cannot be approved.")
    if chosen in APPROVING and use_case is not None and use_case.tier != request.tier:
        tier = use_case.get_tier_display()
        raise Refused(
            "digest_seen",
            f"is for another tier: {use_case.ref} is classified as {tier} now. Ask for changes, so that the policy for"
            " it applies.",
        )
    refusal = spoilt(request.pk, now) if chosen in APPROVING else ""
    if refusal:
        raise Refused("", refusal)


def _decision(request: ApprovalRequest, *, decider: User, chosen: Choice, reason: str, now: datetime) -> Decision:
    return Decision.objects.create(
        request=request,
        requester_id=request.requester_id,
        decider_id=decider.person_id,
        account=decider,
        decision=chosen.value,
        reason=reason,
        digest_seen=request.decision_digest,
        decided_at=now,
        stage=request.stage,
    )


def _sealed_content(
    request: ApprovalRequest, decider: User, chosen: Choice, reason: str, conditions: Sequence[ConditionAsk]
) -> str:
    return canonical(
        {
            "request": str(request.pk),
            "stage": request.stage,
            "decider": str(decider.person_id),
            "decision": chosen.value,
            "reason": reason,
            "conditions": [condition.facts() for condition in conditions],
            "digest_seen": request.decision_digest,
        }
    )


def _seal(
    request: ApprovalRequest, policy: Frozen, *, decider: User, content: str, salt: bytes, now: datetime
) -> Recorded:
    """Commit to a decision; open the stage when this was the last one needed."""
    row = SealedDecision.objects.create(
        request=request,
        stage=request.stage,
        requester_id=request.requester_id,
        decider_id=decider.person_id,
        account=decider,
        commitment=hashlib.sha256(salt + content.encode()).hexdigest(),
        content=content,
        salt=salt.hex(),
        digest_seen=request.decision_digest,
        decided_at=now,
    )
    events = [event("sealed_decision", EventType.DECISION_SEALED, row, actor=decider.actor, now=now)]
    sealed = list(
        SealedDecision.objects.filter(request=request, stage=request.stage)
        .select_related("account")
        .order_by("decided_at", "pk")
    )
    if len(sealed) >= needed(policy.stages[request.stage - 1], policy.rule):
        for closed in sealed:
            events += _open(request, closed, now=now)
        last = Decision.objects.get(sealed=row)
        events += _settle(request, policy, last=last, actor=decider.actor, now=now)
    return recorded(row.id, events)


def _open(request: ApprovalRequest, closed: SealedDecision, *, now: datetime) -> list[ledger.Event]:
    """What one person sealed, as a decision; its entry carries what the commitment is over."""
    told = json.loads(closed.content)
    row = Decision.objects.create(
        request=request,
        requester_id=closed.requester_id,
        decider_id=closed.decider_id,
        account_id=closed.account_id,
        decision=told["decision"],
        reason=told["reason"],
        digest_seen=closed.digest_seen,
        decided_at=closed.decided_at,
        stage=closed.stage,
        sealed=closed,
    )
    more: dict[str, object] = {"sealed": {"salt": closed.salt, "content": closed.content}}
    actor = closed.account.actor
    events = [event("decision", EventType.DECISION_RECORDED, row, actor=actor, now=now, more=more)]
    return events + set_conditions(row, read_conditions(told["conditions"]), actor=actor, now=now)


_MOVES = {Verdict.REJECTED: Move.REJECT, Verdict.CHANGES_REQUESTED: Move.REQUEST_CHANGES}
_KINDS = {
    Move.REJECT: {Choice.REJECT},
    Move.REQUEST_CHANGES: {Choice.REQUEST_CHANGES},
    Move.ADVANCE: APPROVING,
    Move.APPROVE: APPROVING,
}


def _settle(
    request: ApprovalRequest, policy: Frozen, *, last: Decision, actor: str, now: datetime
) -> list[ledger.Event]:
    """What the decisions of the current stage make of the request."""
    made = list(Decision.objects.filter(request=request, stage=request.stage).order_by("decided_at", "pk"))
    stage = policy.stages[request.stage - 1]
    verdict = standing(policy.rule, stage, [Choice(row.decision) for row in made]).verdict
    if verdict is Verdict.WAITS:
        return []
    final = request.stage == len(policy.stages)
    move = _MOVES.get(verdict) or (Move.APPROVE if final else Move.ADVANCE)
    telling = [row for row in (last, *made) if row.decision in _KINDS[move]]
    return moved(request, move, policy=policy, actor=actor, reason=telling[0].reason, now=now)
