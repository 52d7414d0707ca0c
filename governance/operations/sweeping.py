"""What the clock does: approvals expire, open requests time out, conditions are late. It never approves anything.

Answers do not wait for it: what is past its time may not run from that moment on; the sweep records it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.events import EventType
from governance.models import ApprovalRequest, Condition
from governance.operations.base import change, event, recorded
from governance.operations.closing import ended, locked, moved
from governance.snapshot import snapshot
from governance.workflow import Move

BATCH = 200
ACTOR = "system:clock"
_State = ApprovalRequest.State


@dataclass(frozen=True, slots=True)
class Swept:
    """How many approvals expired, requests timed out and conditions were found late."""

    expired: int = 0
    timed_out: int = 0
    breached: int = 0


def sweep(*, now: datetime) -> Swept:
    """Record what is past its time, at most `BATCH` of each kind; each in a transaction of its own."""
    approved = ApprovalRequest.objects.filter(state=_State.APPROVED, valid_until__lte=now).order_by("valid_until")
    opened = ApprovalRequest.objects.filter(state=_State.OPEN, due_at__lt=now).order_by("due_at")
    late = Condition.objects.filter(
        state=Condition.State.OPEN, due_at__lte=now, request__state=_State.APPROVED
    ).order_by("due_at")
    return Swept(
        expired=sum(_expire(pk, now) for pk in list(approved.values_list("pk", flat=True)[:BATCH])),
        timed_out=sum(_time_out(pk, now) for pk in list(opened.values_list("pk", flat=True)[:BATCH])),
        breached=sum(_breach(pk, now) for pk in list(late.values_list("pk", flat=True)[:BATCH])),
    )


def _expire(request_id: UUID, now: datetime) -> bool:
    with change("request"):
        request = locked(request_id)
        if request.state != _State.APPROVED or request.valid_until is None or request.valid_until > now:
            return False
        recorded(request.pk, ended(request, Move.EXPIRE, actor=ACTOR, reason="Its validity is over.", now=now))
        return True


def _time_out(request_id: UUID, now: datetime) -> bool:
    with change("request"):
        request = locked(request_id)
        if request.state != _State.OPEN or request.due_at is None or request.due_at >= now:
            return False
        reason = "It was not decided in time."
        recorded(request.pk, moved(request, Move.TIME_OUT, actor=ACTOR, reason=reason, now=now))
        return True


def _breach(condition_id: UUID, now: datetime) -> bool:
    with change("condition"):
        row = Condition.objects.select_for_update().get(pk=condition_id)
        if row.state != Condition.State.OPEN or row.due_at > now:
            return False
        before: dict[str, object] = {**snapshot("condition", row)}
        row.state = Condition.State.BREACHED.value
        row.row_version += 1
        row.save(update_fields=["state", "row_version"])
        late = event("condition", EventType.CONDITION_BREACHED, row, actor=ACTOR, now=now, before=before)
        recorded(row.pk, [late])
        return True
