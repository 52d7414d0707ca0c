"""What is collected from where, how that goes, and how much of it was answered."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from audit.models import Gap, Target, TargetState

LOOKED_BACK: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Slots that began since the target was registered and are over. The range on `slot` is what the primary key serves.
_COVERAGE: Final = """
WITH span AS (
  SELECT id,
    ceil((extract(epoch FROM greatest(%(since)s::timestamptz, registered_at)) - phase_seconds) / interval_seconds)
      ::bigint AS first,
    floor((extract(epoch FROM %(now)s::timestamptz) - phase_seconds) / interval_seconds)::bigint AS stop
  FROM target WHERE enabled
)
SELECT span.id, greatest(0, stop - first),
  count(o.slot) FILTER (WHERE o.outcome = 'ok')
FROM span LEFT JOIN slot_outcome o
  ON o.target_id = span.id AND o.slot >= first AND o.slot < stop
  AND o.observed_at >= %(since)s AND o.observed_at <= %(now)s
GROUP BY span.id, first, stop
"""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target and how its collection goes.

    Attributes:
        last_outcome: `ok`, the reason of the newest missed slot, or empty before the first.
        last_ok_at: the slot that was answered last.
        failures: missed slots in a row.
        expected, received: slots that are over and those answered, in the time looked back; None when disabled.
        gap_since, gap_reason: the gap that lasts now.
    """

    id: uuid.UUID
    name: str
    kind: str
    url: str
    subject: str
    interval_seconds: int
    registered_at: datetime
    enabled: bool
    last_outcome: str
    last_detail: str
    last_ok_at: datetime | None
    failures: int
    expected: int | None
    received: int | None
    gap_since: datetime | None
    gap_reason: str

    @property
    def reference(self) -> str:
        """How the ledger names it."""
        return f"target:{self.id}"


def targets(*, now: datetime, looked_back: timedelta = LOOKED_BACK) -> list[TargetRow]:
    """Every target by name, with its coverage up to `now`, in four queries whatever their number."""
    states = {state.target_id: state for state in TargetState.objects.all()}
    gaps = {gap.target_id: gap for gap in Gap.objects.filter(ended_at=None)}
    with connection.cursor() as cursor:
        cursor.execute(_COVERAGE, {"since": now - looked_back, "now": now})
        coverage: dict[uuid.UUID, tuple[int, int]] = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    return [
        _row(target, states.get(target.id), gaps.get(target.id), coverage.get(target.id))
        for target in Target.objects.order_by("name")
    ]


def _row(target: Target, state: TargetState | None, gap: Gap | None, coverage: tuple[int, int] | None) -> TargetRow:
    return TargetRow(
        id=target.id,
        name=target.name,
        kind=target.kind,
        url=target.url,
        subject=target.subject,
        interval_seconds=target.interval_seconds,
        registered_at=target.registered_at,
        enabled=target.enabled,
        last_outcome=state.last_outcome if state else "",
        last_detail=state.last_detail if state else "",
        last_ok_at=_begin(target, state.last_ok_slot) if state else None,
        failures=state.failures if state else 0,
        expected=coverage[0] if coverage else None,
        received=coverage[1] if coverage else None,
        gap_since=gap.began_at if gap else None,
        gap_reason=gap.reason if gap else "",
    )


def _begin(target: Target, slot: int | None) -> datetime | None:
    """When a slot begins: slot n at n * interval + phase seconds of Unix time."""
    if slot is None:
        return None
    return _EPOCH + timedelta(seconds=slot * target.interval_seconds + target.phase_seconds)
