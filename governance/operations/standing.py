"""Changing the standing of a registered thing: deprecated, superseded, retired, quarantined, and back."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.events import EventType
from governance.lifecycle import BLOCKING, SUCCESSORS, ChangeRefused, State
from governance.lifecycle import change as change_of
from governance.models import Standing
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    person_of,
    recorded,
    text,
)
from governance.queries.standing import SUBJECTS, is_registered, newest_standing, who_stands, why_not_change

MAX_REASON: Final = 2000


def change_standing(
    *,
    by: By,
    subject_kind: str,
    subject_id: UUID,
    state: str,
    reason: str,
    successor_id: UUID | None = None,
    seen: int,
    now: datetime,
) -> Recorded:
    """Record a new standing of a registered thing; the id is the record's.

    Args:
        successor_id: what takes its place, of the same kind; needed when it is superseded.
        seen: number of the newest standing that was read, 0 where there was none.

    Raises:
        Refused: `row_version` when the standing has changed since; a field that cannot be; nobody's field when this
            person may not make the change.
    """
    kind = choice("subject_kind", subject_kind, sorted(SUBJECTS))
    wanted = State(choice("state", state, [found.value for found in State]))
    said = text("reason", reason, limit=MAX_REASON)
    with change("row_version"):
        if not is_registered(kind, subject_id):
            raise Refused("subject_id", "is not registered.")
        last = newest_standing(kind, subject_id)
        if seen != (last.number if last else 0):
            raise Refused("row_version", "is not the newest: the standing has changed since. Read it again.")
        _refuse(by, last, wanted)
        _refuse_successor(kind, subject_id, wanted, successor_id)
        row = Standing.objects.create(
            subject_kind=kind,
            subject_id=subject_id,
            number=seen + 1,
            state=wanted.value,
            reason=said,
            successor_id=successor_id,
            actor=actor_of(by),
            person_id=person_of(by),
            changed_at=now,
        )
        changed = event("standing", EventType.STANDING_CHANGED, row, actor=row.actor, now=now, reason=said)
        return recorded(row.id, [changed])


def _refuse(by: By, last: Standing | None, wanted: State) -> None:
    try:
        found = change_of(State(last.state) if last else State.ACTIVE, wanted)
    except ChangeRefused as error:
        raise Refused("state", str(error)) from error
    refusal = why_not_change(found, who_stands(by), last.person_id if last else None)
    if refusal:
        raise Refused("", refusal)


def _refuse_successor(kind: str, subject_id: UUID, wanted: State, successor_id: UUID | None) -> None:
    needed = SUCCESSORS.get(wanted)
    if successor_id is None:
        if needed:
            raise Refused("successor_id", "is missing: say what takes its place.")
        return
    if needed is None:
        raise Refused("successor_id", f"has no place: what is {wanted} has no successor.")
    if successor_id == subject_id:
        raise Refused("successor_id", "is the thing itself.")
    if not is_registered(kind, successor_id):
        raise Refused("successor_id", "is not registered, or is of another kind.")
    its = newest_standing(kind, successor_id)
    if its and State(its.state) in BLOCKING | {State.SUPERSEDED}:
        raise Refused("successor_id", f"is itself {its.state}; name what is in use.")
