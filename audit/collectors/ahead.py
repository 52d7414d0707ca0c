"""States that a clock running ahead left in the future: brought back, so that collection does not wait for it."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q, Value

from audit.collectors.claim import LEASE, grid_of, pause_slots
from audit.models import SlotOutcome, TargetState

# A round takes a lease up to a minute after the time that its slots go by.
_FURTHEST_LEASE = 2 * LEASE + timedelta(seconds=60)


def bring_back(*, now: datetime) -> int:
    """Make targets due whose state says that time was later than `now`. Returns how many.

    Their last slots become the newest that are stored up to now; from there the gap logic tells what was missed.
    """
    two_slots = ExpressionWrapper(
        F("target__interval_seconds") * Value(timedelta(seconds=2)), output_field=DurationField()
    )
    late = Q(due_at__gt=now + two_slots) | Q(lease_until__gt=now + _FURTHEST_LEASE)
    states = TargetState.objects.select_related("target").filter(late, target__enabled=True)
    # Locked are only those that are ahead: targets that failed are far from due as well, and rightly so.
    ahead = [state.target_id for state in states.defer("counters") if _is_ahead(state, now)]
    if not ahead:
        return 0
    with transaction.atomic(durable=True):
        locked = states.filter(target__in=ahead).select_for_update(of=("self",), skip_locked=True)
        found = [state for state in locked if _is_ahead(state, now)]
        for state in found:
            _bring_back(state, now)
    return len(found)


def _is_ahead(state: TargetState, now: datetime) -> bool:
    grid = grid_of(state.target)
    slot = grid.slot_at(now)
    if state.lease_until is not None and state.lease_until > now + _FURTHEST_LEASE:
        return True
    if state.last_slot is not None and state.last_slot > slot + 1:
        return True
    furthest = slot + 1 + pause_slots(state.failures, state.target.interval_seconds)
    return state.due_at > grid.start_of(furthest)


def _bring_back(state: TargetState, now: datetime) -> None:
    grid = grid_of(state.target)
    slot = grid.slot_at(now)
    stored = SlotOutcome.objects.filter(
        target_id=state.target_id, slot__lte=slot, observed_at__lte=now, observed_at__gte=state.target.registered_at
    ).order_by("-slot")
    newest, answered = stored.first(), stored.filter(outcome="ok").first()
    state.last_slot = newest.slot if newest else None
    state.last_outcome, state.last_detail = (newest.outcome, newest.detail) if newest else ("", "")
    state.last_ok_slot = answered.slot if answered else None
    state.failures, state.lease_token, state.lease_until = 0, None, None
    state.due_at = grid.start_of(slot)
    state.save()
