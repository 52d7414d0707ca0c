"""What of the approvals that stand wants somebody soon: those that end, and conditions that are due or late."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from governance.models import ApprovalRequest, Condition

ENDS_WITHIN: Final = timedelta(days=30)
DUE_WITHIN: Final = timedelta(days=14)
MOST: Final = 10


@dataclass(frozen=True, slots=True)
class EndingLine:
    """An approval that ends soon. `next_id`, `next_ref`: the open request for the same deployment, empty for none."""

    request_id: UUID
    ref: str
    deployment_id: UUID
    deployment: str
    ends_at: datetime
    mark: str
    next_id: UUID | None
    next_ref: str


@dataclass(frozen=True, slots=True)
class DueLine:
    """A condition of an approval that stands. `blocks`: late, it stops the deployment; `late`: it is."""

    request_id: UUID
    ref: str
    deployment: str
    text: str
    due_at: datetime
    blocks: bool
    late: bool
    mark: str


@dataclass(frozen=True, slots=True)
class Attention:
    """Soonest first, at most `MOST` of each; `more_end`: more approvals end than are listed."""

    ending: tuple[EndingLine, ...]
    due: tuple[DueLine, ...]
    more_end: bool = False


def attention(*, now: datetime) -> Attention:
    """What wants somebody soon, in two queries."""
    ending = _ending(now)
    return Attention(ending[:MOST], _due(now), len(ending) > MOST)


def _ending(now: datetime) -> tuple[EndingLine, ...]:
    following = ApprovalRequest.objects.filter(deployment=OuterRef("deployment"), state="open").order_by("number")
    rows = (
        ApprovalRequest.objects.filter(
            state="approved", valid_until__lte=now + ENDS_WITHIN, revision=F("deployment__approved_revision")
        )
        .select_related("deployment")
        .annotate(next_id=Subquery(following.values("pk")[:1]), next_number=Subquery(following.values("number")[:1]))
        .order_by("valid_until", "number")[: MOST + 1]
    )
    return tuple(
        EndingLine(
            request_id=row.pk,
            ref=row.ref,
            deployment_id=row.deployment_id,
            deployment=row.deployment.name,
            ends_at=row.valid_until,
            mark="bad" if row.valid_until <= now else "warn",
            next_id=row.next_id,
            next_ref=f"REQ-{row.next_number:04}" if row.next_number else "",
        )
        for row in rows
        if row.valid_until is not None
    )


def _due(now: datetime) -> tuple[DueLine, ...]:
    rows = (
        Condition.objects.filter(
            state__in=["open", "breached"],
            due_at__lte=now + DUE_WITHIN,
            request__state="approved",
            request__revision=F("request__deployment__approved_revision"),
        )
        .select_related("request__deployment")
        .order_by("due_at", "pk")[:MOST]
    )
    return tuple(_due_line(row, now) for row in rows)


def _due_line(row: Condition, now: datetime) -> DueLine:
    late, blocks = row.due_at <= now, row.on_breach == Condition.OnBreach.BLOCK
    return DueLine(
        request_id=row.request_id,
        ref=row.request.ref,
        deployment=row.request.deployment.name,
        text=row.text,
        due_at=row.due_at,
        blocks=blocks,
        late=late,
        mark=("bad" if blocks else "warn") if late else "wait",
    )
