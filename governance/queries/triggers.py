"""What was raised about approvals, for their pages and for a pipeline's answer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.models import ReapprovalTrigger

SHOWN = 20


@dataclass(frozen=True, slots=True)
class TriggerLine:
    """One trigger as pages show it. `entry`: where the log tells what changed."""

    request_id: UUID
    request: str
    mark: str
    cause: str
    effect: str
    detail: str
    entry: int | None
    raised_at: datetime


def triggers_of_request(request_id: UUID) -> tuple[TriggerLine, ...]:
    """What was raised about one approval, newest first."""
    return _lines(request=request_id)


def triggers_of_deployment(deployment_id: UUID) -> tuple[TriggerLine, ...]:
    """What was raised about the approvals of a deployment, newest first."""
    return _lines(deployment=deployment_id)


def warnings_of(request_id: UUID) -> tuple[str, ...]:
    """What needs another look though the approval stands, oldest first."""
    rows = ReapprovalTrigger.objects.filter(request=request_id, effect=ReapprovalTrigger.Effect.WARNS)
    return tuple(rows.order_by("raised_at", "pk").values_list("detail", flat=True))


def _lines(**about: UUID) -> tuple[TriggerLine, ...]:
    rows = ReapprovalTrigger.objects.filter(**about).select_related("request").order_by("-raised_at", "pk")
    return tuple(
        TriggerLine(
            request_id=row.request_id,
            request=row.request.ref,
            mark="bad" if row.effect == ReapprovalTrigger.Effect.BLOCKS else "warn",
            cause=row.get_cause_display().capitalize(),
            effect=row.get_effect_display(),
            detail=row.detail,
            entry=row.entry_index,
            raised_at=row.raised_at,
        )
        for row in rows[:SHOWN]
    )
