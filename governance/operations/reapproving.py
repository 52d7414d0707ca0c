"""Approvals held against what they stand on: what changed since is raised, and what blocks ends the approval."""

from dataclasses import dataclass
from datetime import datetime

from audit.events import EventType
from governance.models import ApprovalRequest, ReapprovalTrigger
from governance.operations.base import change, event, recorded
from governance.operations.closing import ended, locked
from governance.queries.reapproving import Found, new_causes
from governance.workflow import Move
from governance.workflow.triggers import RULES

ACTOR = "system:triggers"


@dataclass(frozen=True, slots=True)
class Reapproved:
    """How many triggers were raised, and how many approvals that ended."""

    raised: int = 0
    ended: int = 0


def reapprove(*, now: datetime) -> Reapproved:
    """Raise every cause that stands and was not raised; each in a transaction of its own."""
    raised = over = 0
    for found in new_causes(now):
        if _raise(found, now):
            raised += 1
            over += found.blocks
    return Reapproved(raised, over)


def _raise(found: Found, now: datetime) -> bool:
    with change("request"):
        request = locked(found.request_id)
        if request.state != ApprovalRequest.State.APPROVED or _stands(found):
            return False
        row = ReapprovalTrigger.objects.create(
            request=request,
            deployment_id=request.deployment_id,
            cause=found.cause.value,
            effect=RULES[found.cause].effect.value,
            subject=found.subject,
            entry_index=found.entry,
            detail=found.detail,
            raised_at=now,
        )
        events = [event("reapproval_trigger", EventType.REAPPROVAL_RAISED, row, actor=ACTOR, now=now)]
        if found.blocks:
            events += ended(request, Move.INVALIDATE, actor=ACTOR, reason=found.detail, now=now)
        recorded(row.pk, events)
        return True


def _stands(found: Found) -> bool:
    return ReapprovalTrigger.objects.filter(
        request=found.request_id, cause=found.cause.value, subject=found.subject
    ).exists()
