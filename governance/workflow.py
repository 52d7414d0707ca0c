"""The life of an approval request as a table: states, who owns each, moves, who may make them, event of each.

Code looks moves up here and nowhere else; `docs/states.md` is generated from it. Nothing is approved by
waiting: no move leaves `open` without a person.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
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
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What can be done to an approval request."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class Owner(StrEnum):
    """Whose turn it is in a state, or who may make a move."""

    REQUESTER = "requester"
    POOL = "pool"
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
        State.APPROVED: Owner.NOBODY,
        State.REJECTED: Owner.NOBODY,
        State.WITHDRAWN: Owner.NOBODY,
    }
)

TRANSITIONS: Final = (
    Transition(Move.SUBMIT, None, State.OPEN, Owner.REQUESTER, EventType.REQUEST_SUBMITTED),
    Transition(Move.APPROVE, State.OPEN, State.APPROVED, Owner.POOL, EventType.REQUEST_APPROVED),
    Transition(Move.REJECT, State.OPEN, State.REJECTED, Owner.POOL, EventType.REQUEST_REJECTED),
    Transition(Move.WITHDRAW, State.OPEN, State.WITHDRAWN, Owner.REQUESTER, EventType.REQUEST_WITHDRAWN),
)

FINAL: Final = frozenset(state for state, owner in OWNERS.items() if owner is Owner.NOBODY)
MIN_REASON: Final = 20
"""Characters of a decision's reason: enough that it has to say something."""


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Who must agree. A copy is frozen into each request, so a later change cannot reach it.

    Attributes:
        pool: the group whose members decide.
        quorum: how many different persons of the pool must approve.
        distinct_from: persons who may not decide.
        reject_rule: `any`: one rejection closes the request.
    """

    name: str
    version: int
    pool: str
    quorum: int
    distinct_from: tuple[str, ...]
    reject_rule: str

    def facts(self) -> dict[str, object]:
        """The policy as it is hashed and stored."""
        return {**asdict(self), "distinct_from": list(self.distinct_from)}


SINGLE_REVIEW: Final = ApprovalPolicy(
    name="single-review",
    version=1,
    pool="Reviewers",
    quorum=1,
    distinct_from=("requester",),
    reject_rule="any",
)


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
    yield "Generated from `governance/workflow.py` by `manage.py states --write`; a test compares them."
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
