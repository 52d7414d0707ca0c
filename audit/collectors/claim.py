"""Who asks which target now: leases on the slots of each target's grid, taken and given back in PostgreSQL.

Any number of workers may call at once, and a message may come twice: a slot is claimed by one of them. A worker that
dies holds its targets for the length of a lease; what it would have written is a missed slot, not a double one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.models import Target, TargetState
from audit.windows.grid import Grid

LEASE: Final = timedelta(seconds=30)
MAX_PAUSE_SECONDS: Final = 900
_MAX_DOUBLINGS: Final = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """A target that this worker alone asks in this slot, with its counters as they were before."""

    target: Target
    slot: int
    token: UUID
    counters: str


def grid_of(target: Target) -> Grid:
    """The slots of a target."""
    return Grid(target.interval_seconds, target.phase_seconds)


def claim(*, now: datetime, leased_at: datetime, token: UUID, limit: int) -> list[Claim]:
    """Take up to `limit` due targets, those that wait longest first. Slots that passed meanwhile stay missed.

    Args:
        now: which slot it is.
        leased_at: when the lease begins; later than `now` for a run that takes its time.
        token: a fresh random one; whoever holds the newest token of a target may write its slot.
    """
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    with transaction.atomic(durable=True):
        states = list(
            TargetState.objects.select_related("target")
            .select_for_update(of=("self",), skip_locked=True)
            .filter(free, target__enabled=True, due_at__lte=now)
            .order_by("due_at", "target_id")[:limit]
        )
        claims = [claimed for state in states if (claimed := _take(state, now, leased_at, token))]
        TargetState.objects.bulk_update(states, ["due_at", "lease_token", "lease_until"])
    return claims


def _take(state: TargetState, now: datetime, leased_at: datetime, token: UUID) -> Claim | None:
    grid = grid_of(state.target)
    slot = grid.slot_at(now)
    state.due_at = grid.start_of(slot + 1)
    if state.last_slot is not None and slot <= state.last_slot:
        return None
    state.lease_token, state.lease_until = token, leased_at + LEASE
    return Claim(state.target, slot, token, state.counters)


def held(claimed: Claim) -> TargetState | None:
    """The locked state of a claimed target, in the caller's transaction; None when the claim was lost since."""
    return (
        TargetState.objects.select_related("target")
        .select_for_update(of=("self",))
        .filter(target_id=claimed.target.id, lease_token=claimed.token)
        .first()
    )


def release(state: TargetState, claimed: Claim, *, outcome: str, detail: str) -> None:
    """Note what came of the slot and when the target is due again; saves the state.

    A target that fails is asked in the next slot, then after 2, 4, 8, 16 and 32 slots, at most 15 minutes later.
    """
    grid = grid_of(claimed.target)
    ok = outcome == "ok"
    state.failures = 0 if ok else state.failures + 1
    if ok:
        state.last_ok_slot = claimed.slot
    state.last_slot, state.last_outcome, state.last_detail = claimed.slot, outcome, detail
    state.lease_token = state.lease_until = None
    state.due_at = grid.start_of(claimed.slot + pause_slots(state.failures, grid.interval_seconds))
    state.save()


def pause_slots(failures: int, interval_seconds: int) -> int:
    """How many slots after this one a target is due, having failed so often in a row."""
    doubled: int = 2 ** min(max(failures - 1, 0), _MAX_DOUBLINGS)
    return max(1, min(doubled, MAX_PAUSE_SECONDS // interval_seconds))


def local_only(claims: Sequence[Claim]) -> tuple[list[Claim], list[Claim]]:
    """Claims with an address to fetch, and those answered by this host."""
    remote = [claimed for claimed in claims if claimed.target.url]
    return remote, [claimed for claimed in claims if not claimed.target.url]
