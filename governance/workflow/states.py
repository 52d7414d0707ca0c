"""The life of an approval request as a table: states, who owns each, moves, who may make them, event of each.

Code looks moves up here and nowhere else; `docs/states.md` is generated from it. Nothing is approved by
waiting: the clock closes requests and ends approvals, and no move of it leads to `approved`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from audit.events import EventType


class MoveRefused(ValueError):
    """A move that the table does not hold; the message is a sentence for the person who tried it."""


class State(StrEnum):
    """States of an approval request; the value is stored and stands in the ledger."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed_out"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"


class Move(StrEnum):
    """What can happen to an approval request."""

    SUBMIT = "submit"
    ADVANCE = "advance"
    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    WITHDRAW = "withdraw"
    TIME_OUT = "time_out"
    REVOKE = "revoke"
    EXPIRE = "expire"
    INVALIDATE = "invalidate"


class Owner(StrEnum):
    """Whose turn it is in a state, or who may make a move."""

    REQUESTER = "requester"
    POOL = "pool"
    CLOCK = "clock"
    TRIGGER = "trigger"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Transition:
    """A move: its start (None: before the request exists), its end, who makes it, what is recorded."""

    move: Move
    start: State | None
    end: State
    by: Owner
    event: EventType


OWNERS: Final = MappingProxyType(
    {
        State.OPEN: Owner.POOL,
        State.APPROVED: Owner.CLOCK,
        State.REJECTED: Owner.NOBODY,
        State.CHANGES_REQUESTED: Owner.NOBODY,
        State.WITHDRAWN: Owner.NOBODY,
        State.TIMED_OUT: Owner.NOBODY,
        State.REVOKED: Owner.NOBODY,
        State.EXPIRED: Owner.NOBODY,
        State.INVALIDATED: Owner.NOBODY,
    }
)
"""An approval stands until the clock, a person of its pools or a trigger ends it; a new request then follows it."""

TRANSITIONS: Final = (
    Transition(Move.SUBMIT, None, State.OPEN, Owner.REQUESTER, EventType.REQUEST_SUBMITTED),
    Transition(Move.ADVANCE, State.OPEN, State.OPEN, Owner.POOL, EventType.REQUEST_ADVANCED),
    Transition(Move.APPROVE, State.OPEN, State.APPROVED, Owner.POOL, EventType.REQUEST_APPROVED),
    Transition(Move.REJECT, State.OPEN, State.REJECTED, Owner.POOL, EventType.REQUEST_REJECTED),
    Transition(
        Move.REQUEST_CHANGES, State.OPEN, State.CHANGES_REQUESTED, Owner.POOL, EventType.REQUEST_CHANGES_REQUESTED
    ),
    Transition(Move.WITHDRAW, State.OPEN, State.WITHDRAWN, Owner.REQUESTER, EventType.REQUEST_WITHDRAWN),
    Transition(Move.TIME_OUT, State.OPEN, State.TIMED_OUT, Owner.CLOCK, EventType.REQUEST_TIMED_OUT),
    Transition(Move.REVOKE, State.APPROVED, State.REVOKED, Owner.POOL, EventType.REQUEST_REVOKED),
    Transition(Move.EXPIRE, State.APPROVED, State.EXPIRED, Owner.CLOCK, EventType.REQUEST_EXPIRED),
    Transition(Move.INVALIDATE, State.APPROVED, State.INVALIDATED, Owner.TRIGGER, EventType.REQUEST_INVALIDATED),
)

FINAL: Final = frozenset(state for state, owner in OWNERS.items() if owner is Owner.NOBODY)
ENDED: Final = frozenset(found.end for found in TRANSITIONS if found.start is State.APPROVED)
"""States of an approval that stands no more."""

MIN_REASON: Final = 20
"""Characters of a decision's reason: enough that it has to say something."""


def transition(move: Move, state: State | None) -> Transition:
    """The transition that `move` makes from `state`.

    Raises:
        MoveRefused: the table has no such move.
    """
    for found in TRANSITIONS:
        if found.move is move and found.start == state:
            return found
    raise MoveRefused(f"A request that is {state} cannot be changed by: {move}.")


def document() -> str:
    """`docs/states.md`: the table as a diagram and as text."""
    return "\n".join([*_head(), *_diagram(), *_tables(), ""])


def _head() -> Iterator[str]:
    yield "# States of an approval request"
    yield ""
    yield "Generated from `governance/workflow/states.py` by `manage.py states --write`; a test compares them."
    yield ""


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for found in TRANSITIONS:
        yield f"    {found.start or '[*]'} --> {found.end}: {found.move}"
    for state in sorted(FINAL):
        yield f"    {state} --> [*]"
    yield "```"
    yield ""


def _tables() -> Iterator[str]:
    yield "| move | from | to | made by | entry |"
    yield "|---|---|---|---|---|"
    for found in TRANSITIONS:
        yield f"| {found.move} | {found.start or '-'} | {found.end} | {found.by} | `{found.event}` |"
    yield ""
    yield "| state | whose turn |"
    yield "|---|---|"
    for state, owner in OWNERS.items():
        yield f"| {state} | {owner} |"
