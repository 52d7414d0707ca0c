"""How long a governed thing may be used: its standings as a table, the changes between them, who may make each.

A thing without any record is active. Code looks changes up here and nowhere else; `docs/lifecycle.md` is generated
from it, and the database refuses what the table does not hold (migration 0009).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class ChangeRefused(ValueError):
    """A change that the table does not hold; the message is a sentence for the person who tried it."""


class State(StrEnum):
    """Standings; the value is stored and stands in the ledger."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    QUARANTINED = "quarantined"


class Step(StrEnum):
    """What a change is called."""

    DEPRECATE = "deprecate"
    SUPERSEDE = "supersede"
    RETIRE = "retire"
    REINSTATE = "reinstate"
    QUARANTINE = "quarantine"
    LIFT = "lift"


class Who(StrEnum):
    """Who may make a change."""

    REGISTRARS = "who may change the registry"
    GUARDS = "Operators, Reviewers or Security reviewers"
    OTHER_GUARDS = "a person of the same pools who did not set the quarantine"


@dataclass(frozen=True, slots=True)
class Change:
    """One allowed change of standing."""

    step: Step
    start: State
    end: State
    by: Who


_IN_USE: Final = (State.ACTIVE, State.DEPRECATED, State.SUPERSEDED)

CHANGES: Final = (
    Change(Step.DEPRECATE, State.ACTIVE, State.DEPRECATED, Who.REGISTRARS),
    *(Change(Step.SUPERSEDE, start, State.SUPERSEDED, Who.REGISTRARS) for start in (State.ACTIVE, State.DEPRECATED)),
    *(Change(Step.RETIRE, start, State.RETIRED, Who.REGISTRARS) for start in _IN_USE),
    *(
        Change(Step.REINSTATE, start, State.ACTIVE, Who.REGISTRARS)
        for start in (State.DEPRECATED, State.SUPERSEDED, State.RETIRED)
    ),
    *(Change(Step.QUARANTINE, start, State.QUARANTINED, Who.GUARDS) for start in (*_IN_USE, State.RETIRED)),
    Change(Step.LIFT, State.QUARANTINED, State.ACTIVE, Who.OTHER_GUARDS),
    Change(Step.RETIRE, State.QUARANTINED, State.RETIRED, Who.OTHER_GUARDS),
)

BLOCKING: Final = frozenset({State.RETIRED, State.QUARANTINED})
"""Standings in which nothing new may be asked for; what uses such a thing already is a gap."""

MEANINGS: Final = MappingProxyType(
    {
        State.ACTIVE: "May be used. A thing of which nothing is recorded stands so.",
        State.DEPRECATED: "May still be used; something else is better for what is new.",
        State.SUPERSEDED: "May still be used; the successor it names takes its place.",
        State.RETIRED: "May not be asked for any more.",
        State.QUARANTINED: "May not be asked for until another person has looked at it and lifts the quarantine.",
    }
)

SUCCESSORS: Final = MappingProxyType({State.SUPERSEDED: True, State.DEPRECATED: False, State.RETIRED: False})
"""Standings that may name a successor, and whether they must."""


def change(start: State, end: State) -> Change:
    """The change from one standing to another.

    Raises:
        ChangeRefused: the table has no such change.
    """
    for found in CHANGES:
        if found.start is start and found.end is end:
            return found
    raise ChangeRefused(f"What is {start} cannot become {end}.")


def changes_from(start: State) -> tuple[Change, ...]:
    """What can become of a thing that stands so, in the order of the table."""
    return tuple(found for found in CHANGES if found.start is start)


def document() -> str:
    """`docs/lifecycle.md`: the table as a diagram and as text."""
    return "\n".join([*_head(), *_diagram(), *_tables(), ""])


def _head() -> Iterator[str]:
    yield "# Standing of what is registered"
    yield ""
    yield "Generated from `governance/lifecycle` by `manage.py states --write`; a test compares them."
    yield ""


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.ACTIVE}"
    for found in CHANGES:
        yield f"    {found.start} --> {found.end}: {found.step}"
    yield "```"
    yield ""


def _tables() -> Iterator[str]:
    yield "| change | from | to | made by |"
    yield "|---|---|---|---|"
    for found in CHANGES:
        yield f"| {found.step} | {found.start} | {found.end} | {found.by} |"
    yield ""
    yield "| standing | may be asked for | successor | what it means |"
    yield "|---|---|---|---|"
    for state in State:
        named = {None: "none", False: "may be named", True: "must be named"}[SUCCESSORS.get(state)]
        yield f"| {state} | {'no' if state in BLOCKING else 'yes'} | {named} | {MEANINGS[state]} |"
