"""May this revision run? What a pipeline asks before it starts something, with the proof of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from audit import queries as log
from governance.models import ApprovalRequest, Condition, Tier
from governance.queries.standinggaps import standing_gaps
from governance.queries.triggers import warnings_of

_State = ApprovalRequest.State


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """A condition of an approval. `blocks`: it is late, not met, and the revision may not run because of it."""

    number: int
    text: str
    due_at: datetime
    on_breach: str
    state: str
    met_at: datetime | None
    evidence: str
    blocks: bool
    row_version: int


@dataclass(frozen=True, slots=True)
class Approval:
    """The answer about a revision: its approval that stands, else the newest request for it.

    Attributes:
        current: the deployment's approved revision is this one; an older approval was replaced.
        stopped_by: what is retired, quarantined or prohibited by now, each in a sentence.
        may_run: approved, current, not past `expires_at`, nothing in `stopped_by`, and no
            condition that blocks; by the clock, not by when
            the clock's work was recorded.
        stage, stages: where an open request stands, of how many.
        entry: where the state stands in the ledger. `receipt`: its proof, None until it is signed.
        warnings: what changed since the approval and needs another look; it may run all the same.
    """

    revision_digest: str
    deployment_id: UUID
    deployment: str
    revision: int
    request_id: UUID
    request: str
    state: str
    stage: int
    stages: int
    round: int
    current: bool
    may_run: bool
    stopped_by: tuple[str, ...]
    decision_digest: str
    conditions: tuple[ConditionLine, ...]
    expires_at: datetime | None
    entry: int | None
    receipt: str | None
    warnings: tuple[str, ...] = ()


def approval(revision_digest: str, *, now: datetime) -> Approval | None:
    """The answer at `now` about the revision with this digest; None when nobody asked for it."""
    found = _found(revision_digest, now)
    if found is None:
        return None
    subject = f"request:{found.pk}"
    state = log.states_at([subject], log.head_size()).get(subject)
    current = found.deployment.approved_revision_id == found.revision_id
    conditions = condition_lines(list(found.conditions.order_by("number")), now=now)
    stands = found.state == _State.APPROVED and (found.valid_until is None or found.valid_until > now)
    stopped = _stopped(found)
    return Approval(
        revision_digest=found.revision_digest,
        deployment_id=found.deployment_id,
        deployment=found.deployment.name,
        revision=found.revision.number,
        request_id=found.pk,
        request=found.ref,
        state=found.state,
        stage=found.stage,
        stages=max(1, found.stages.count()),
        round=found.round,
        current=current,
        may_run=current and stands and not stopped and not any(line.blocks for line in conditions),
        stopped_by=stopped,
        decision_digest=found.decision_digest,
        conditions=conditions,
        expires_at=found.valid_until,
        entry=state.index if state else None,
        receipt=_receipt(state.index) if state else None,
        warnings=warnings_of(found.pk),
    )


def _stopped(found: ApprovalRequest) -> tuple[str, ...]:
    """What stands in the way of what runs although it was approved."""
    use_case = found.deployment.use_case
    told = [f"{gap.kind} {gap.name} is {gap.word}: {gap.reason}" for gap in standing_gaps(found.deployment_id)]
    if use_case is not None and use_case.tier == Tier.PROHIBITED:
        told.append(f"{use_case.ref} is classified as prohibited.")
    return tuple(told)


def conditions_of(request_id: UUID, *, now: datetime) -> tuple[ConditionLine, ...] | None:
    """The conditions of a request as they stand; None when there is no such request."""
    request = ApprovalRequest.objects.filter(pk=request_id).first()
    if request is None:
        return None
    return condition_lines(list(request.conditions.order_by("number")), now=now)


def condition_lines(rows: Sequence[Condition], *, now: datetime) -> tuple[ConditionLine, ...]:
    """Conditions as they stand at a now."""
    return tuple(
        ConditionLine(
            number=row.number,
            text=row.text,
            due_at=row.due_at,
            on_breach=row.on_breach,
            state=row.state,
            met_at=row.met_at,
            evidence=row.evidence,
            blocks=row.on_breach == Condition.OnBreach.BLOCK and row.state != Condition.State.MET and row.due_at <= now,
            row_version=row.row_version,
        )
        for row in rows
    )


def _found(revision_digest: str, now: datetime) -> ApprovalRequest | None:
    """An approval that stands comes before a newer request: asking again takes nothing away."""
    rows = ApprovalRequest.objects.select_related("deployment__use_case", "revision").filter(
        revision_digest=revision_digest
    )
    standing = rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), state=_State.APPROVED)
    return standing.order_by("-closed_at", "-number").first() or rows.order_by("-submitted_at", "-number").first()


def _receipt(index: int) -> str | None:
    try:
        return log.receipt(index)
    except log.NotCovered:
        return None
