"""Gaps: slots of a target that were missed in a row, opened and closed where they are noticed, told by the seal.

A missed slot here and there is told by the completeness of its window. Three in a row are a gap of their own. A gap
is noticed either while it lasts (nobody answers, or nobody asks) or by the first answer after it, so that an outage
of the collector itself is told as well. The row is written at once; the ledger entry follows with the next seal.
"""

import uuid
from datetime import datetime
from typing import Final

from django.db import transaction

from audit import ledger
from audit.events import EventType
from audit.models import Gap, TargetState
from audit.tlog.leaf import format_time
from audit.windows.grid import Grid

GAP_SLOTS: Final = 3
ACTOR: Final = "system:collector"
_MAX_TOLD: Final = 200


def end_gap(target_id: uuid.UUID, grid: Grid, slot: int, state: TargetState) -> None:
    """A slot was answered: end the open gap, or note one that nobody noticed while it lasted.

    Args:
        state: the locked row, as it stood before this slot.
    """
    ended_at = grid.start_of(slot)
    gap = Gap.objects.filter(target_id=target_id, ended_at=None).first()
    if gap is not None:
        # It began after this slot where the clock was ahead when it was noticed: then it covers nothing.
        gap.ended_at = max(ended_at, gap.began_at)
        gap.missed_slots = max(0, slot - grid.first_from(gap.began_at))
        gap.save(update_fields=["ended_at", "missed_slots"])
        if gap.began_at <= ended_at:
            return
    began = _first_missed(grid, state)
    missed = slot - began
    if missed >= GAP_SLOTS:
        Gap.objects.create(
            target_id=target_id,
            began_at=grid.start_of(began),
            ended_at=ended_at,
            reason=_reason(state),
            missed_slots=missed,
        )


def _first_missed(grid: Grid, state: TargetState) -> int:
    if state.last_ok_slot is not None:
        return state.last_ok_slot + 1
    return grid.first_from(state.target.registered_at)


def _reason(state: TargetState) -> str:
    """Why the newest missed slot was missed; `not_asked` when the collector itself did not come."""
    asked_since = state.last_slot is not None and state.last_slot != state.last_ok_slot
    return state.last_outcome if asked_since else "not_asked"


def open_gaps(*, now: datetime) -> int:
    """Open a gap for each target whose last three slots or more were missed. Returns how many."""
    states = TargetState.objects.select_related("target").filter(target__enabled=True)
    # Locked are only those that look missed: a lock on all would make collectors pass them over.
    silent = [state.target_id for state in states if _missed(state, now) >= GAP_SLOTS]
    if not silent:
        return 0
    opened = 0
    with transaction.atomic(durable=True):
        # A state that is locked is being written by a collector that has an answer or comes again.
        for state in states.filter(target__in=silent).select_for_update(of=("self",), skip_locked=True):
            if _missed(state, now) >= GAP_SLOTS:
                grid = _grid(state)
                _gap, created = Gap.objects.get_or_create(
                    target_id=state.target_id,
                    ended_at=None,
                    defaults={"began_at": grid.start_of(_first_missed(grid, state)), "reason": _reason(state)},
                )
                opened += created
    return opened


def _grid(state: TargetState) -> Grid:
    return Grid(state.target.interval_seconds, state.target.phase_seconds)


def _missed(state: TargetState, now: datetime) -> int:
    """How many slots in a row were missed; the one of this very moment may still be answered."""
    grid = _grid(state)
    return grid.slot_at(now) - _first_missed(grid, state)


def announce_gaps(*, now: datetime) -> int:
    """Append the entries of gaps that the ledger does not know yet. Returns how many."""
    with transaction.atomic(durable=True):
        gaps = list(
            Gap.objects.select_related("target").select_for_update(of=("self",), skip_locked=True)
            .filter(announced__lt=2)
            .exclude(announced=1, ended_at=None)
            .order_by("began_at")[:_MAX_TOLD]
        )  # fmt: skip
        for gap in gaps:
            gap.announced = 1 if gap.ended_at is None else 2
        Gap.objects.bulk_update(gaps, ["announced"])
        if gaps:
            ledger.append(events=[_event(gap, now) for gap in gaps])
    return len(gaps)


def _event(gap: Gap, now: datetime) -> ledger.Event:
    content = {
        "began_at": format_time(gap.began_at),
        "ended_at": None if gap.ended_at is None else format_time(gap.ended_at),
        "gap": str(gap.id),
        "interval_seconds": gap.target.interval_seconds,
        "missed_slots": gap.missed_slots,
        "reason": gap.reason,
        "subject": gap.target.subject,
        "target": f"target:{gap.target_id}",
    }
    return ledger.Event(
        type=EventType.COVERAGE_GAP,
        subject=f"target:{gap.target_id}",
        source="collector",
        actor=ACTOR,
        occurred_at=now,
        sections=(ledger.facts(content),),
    )
