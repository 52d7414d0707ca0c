"""What the review page shows about the way to a decision: stages, exclusions, conditions, what may be chosen."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from governance.models import ApprovalRequest, Condition, Decision, RequestExclusion, SealedDecision
from governance.queries.approvals import ConditionLine, condition_lines
from governance.queries.frozen import Frozen, frozen_policy
from governance.queries.rights import Viewer, why_not_meet, why_not_revoke
from governance.workflow import APPROVING, Choice, needed


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage of a request.

    Attributes:
        state: passed, current, later, or stopped where the request was closed in it.
        approvals: of those that are open; `sealed`: how many are sealed, of `needed`.
        deciders: names, once decisions are open.
    """

    number: int
    name: str
    pool: str
    quorum: int
    blind: bool
    conditions_allowed: bool
    due_at: datetime | None
    state: str
    mark: str
    word: str
    approvals: int
    sealed: int
    needed: int
    deciders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExclusionLine:
    """Somebody who may not decide a stage; stage 0 means all of them."""

    person_id: UUID
    person: str
    stage: int
    why: str


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition on the page. `blocked`: why this person may not confirm it; empty when they may."""

    line: ConditionLine
    mark: str
    word: str
    blocked: str


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a request to its decision, as one person sees it.

    Attributes:
        stage: number of the current one.
        previous_request_id, previous_ref: the round or approval that this one follows.
        choices: what may be chosen in the current stage, with its word.
        valid_days: how long an approval will stand; None without end.
        policy_text: the frozen policy, as it was hashed.
        subjects: what else of the ledger tells of it.
        revoke_blocked: why this person may not revoke the approval; empty when they may.
        deciders: who has decided, sealed decisions included. `excluded`: who is kept from the current stage.
    """

    stage: int
    round: int
    due_at: datetime | None
    valid_until: datetime | None
    previous_request_id: UUID | None
    previous_ref: str
    stages: tuple[StageLine, ...]
    exclusions: tuple[ExclusionLine, ...]
    conditions: tuple[ConditionView, ...]
    choices: tuple[tuple[str, str], ...]
    subjects: tuple[str, ...]
    valid_days: int | None
    policy_text: str
    revoke_blocked: str
    deciders: frozenset[UUID]
    excluded: frozenset[UUID]


def way(request: ApprovalRequest, decisions: Sequence[Decision], who: Viewer, *, now: datetime) -> Way:
    """The way of a request, in a constant number of queries. `decisions`: all of it, with their deciders."""
    policy = frozen_policy(request)
    sealed = list(SealedDecision.objects.filter(request=request).values_list("pk", "stage", "decider_id"))
    conditions = list(Condition.objects.filter(request=request).select_related("decision").order_by("number"))
    kept = list(RequestExclusion.objects.filter(request=request).select_related("person").order_by("stage", "pk"))
    stage = policy.stages[request.stage - 1]
    return Way(
        stage=request.stage,
        round=request.round,
        due_at=request.due_at,
        valid_until=request.valid_until,
        previous_request_id=request.previous_request_id,
        previous_ref=request.previous_request.ref if request.previous_request else "",
        stages=_stages(request, policy, decisions, Counter(number for _pk, number, _who in sealed)),
        exclusions=(
            ExclusionLine(request.requester_id, request.requester.display_name, 0, _("asked for this")),
            *(ExclusionLine(row.person_id, row.person.display_name, row.stage, row.get_why_display()) for row in kept),
        ),
        conditions=_conditions(request, policy, conditions, who, now),
        choices=_choices(conditions_allowed=stage.conditions_allowed),
        subjects=(
            *(f"sealed_decision:{pk}" for pk, _number, _who in sealed),
            *(f"condition:{row.pk}" for row in conditions),
        ),
        valid_days=policy.valid_days,
        policy_text=json.dumps(json.loads(request.approval_policy), indent=1, ensure_ascii=False),
        revoke_blocked=why_not_revoke(request, who, policy.pools),
        deciders=frozenset({row.decider_id for row in decisions} | {decider for _pk, _number, decider in sealed}),
        excluded=frozenset(row.person_id for row in kept if row.stage == request.stage),
    )


def _stages(
    request: ApprovalRequest, policy: Frozen, decisions: Sequence[Decision], sealed: Mapping[int, int]
) -> tuple[StageLine, ...]:
    due = dict(request.stages.values_list("sequence", "due_at"))
    found = []
    for number, stage in enumerate(policy.stages, start=1):
        made = [row for row in decisions if row.stage == number]
        state = _stage_state(request, number)
        mark, word = _stage_words()[state]
        found.append(
            StageLine(
                number=number,
                name=stage.name,
                pool=stage.pool,
                quorum=stage.quorum,
                blind=stage.blind,
                conditions_allowed=stage.conditions_allowed,
                due_at=due.get(number),
                state=state,
                mark=mark,
                word=word,
                approvals=sum(row.decision in APPROVING for row in made),
                sealed=sealed.get(number, 0),
                needed=needed(stage, policy.rule),
                deciders=tuple(row.decider.display_name for row in made),
            )
        )
    return tuple(found)


def _stage_state(request: ApprovalRequest, number: int) -> str:
    states = ApprovalRequest.State
    if number > request.stage:
        return "later"
    if number < request.stage:
        return "passed"
    if request.state == states.OPEN:
        return "current"
    ended = {states.APPROVED, states.REVOKED, states.EXPIRED, states.INVALIDATED}
    return "passed" if request.state in ended else "stopped"


def _stage_words() -> dict[str, tuple[str, str]]:
    return {
        "later": ("todo", _("Later")),
        "current": ("wait", _("Being decided")),
        "passed": ("ok", _("Passed")),
        "stopped": ("none", _("Closed here")),
    }


def _conditions(
    request: ApprovalRequest, policy: Frozen, rows: Sequence[Condition], who: Viewer, now: datetime
) -> tuple[ConditionView, ...]:
    found = []
    for row, line in zip(rows, condition_lines(rows, now=now), strict=True):
        late = row.state != Condition.State.MET and row.due_at <= now
        if row.state == Condition.State.MET:
            mark, word = "ok", _("Met")
        elif late:
            mark, word = "bad", _("Late, blocks") if line.blocks else _("Late")
        else:
            mark, word = "wait", _("Open")
        pool = policy.stages[row.decision.stage - 1].pool
        found.append(ConditionView(line, mark, word, why_not_meet(request, row, who, pool)))
    return tuple(found)


def _choices(*, conditions_allowed: bool) -> tuple[tuple[str, str], ...]:
    words = (
        (Choice.APPROVE, _("Approve")),
        (Choice.APPROVE_WITH_CONDITIONS, _("Approve with conditions")),
        (Choice.REQUEST_CHANGES, _("Ask for changes")),
        (Choice.REJECT, _("Reject")),
    )
    return tuple(
        (choice.value, word)
        for choice, word in words
        if conditions_allowed or choice is not Choice.APPROVE_WITH_CONDITIONS
    )
