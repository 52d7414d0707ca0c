"""Where a stage stands after the decisions made in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from governance.workflow.policy import RejectRule, Stage


class Choice(StrEnum):
    """What a person can decide; the value is stored and stands in the ledger."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"


APPROVING: Final = frozenset({Choice.APPROVE, Choice.APPROVE_WITH_CONDITIONS})


class Verdict(StrEnum):
    """What follows for the request."""

    WAITS = "waits"
    ADVANCES = "advances"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"


@dataclass(frozen=True, slots=True)
class Standing:
    """`missing`: how many more decisions of one kind would settle the stage; 0 when it is settled."""

    verdict: Verdict
    approvals: int
    against: int
    missing: int


def needed(stage: Stage, rule: RejectRule) -> int:
    """Decisions that always settle the stage: those a blind stage waits for before any is opened."""
    return stage.quorum if rule is RejectRule.ANY else 2 * stage.quorum - 1


def standing(rule: RejectRule, stage: Stage, decisions: Sequence[Choice]) -> Standing:
    """The stage after `decisions`, each of another person.

    Under `any` one rejection rejects and one request for changes sends it back; under `majority` the side that has
    the quorum first decides. Only as many approvals as the quorum asks for ever advance a stage.
    """
    approvals = sum(choice in APPROVING for choice in decisions)
    rejections = sum(choice is Choice.REJECT for choice in decisions)
    against = len(decisions) - approvals
    if stage.blind and len(decisions) < needed(stage, rule):
        return Standing(Verdict.WAITS, approvals, against, needed(stage, rule) - len(decisions))
    limit = 1 if rule is RejectRule.ANY else stage.quorum
    if against >= limit:
        rejected = rejections > 0 if rule is RejectRule.ANY else 2 * rejections > against
        return Standing(Verdict.REJECTED if rejected else Verdict.CHANGES_REQUESTED, approvals, against, 0)
    if approvals >= stage.quorum:
        return Standing(Verdict.ADVANCES, approvals, against, 0)
    return Standing(Verdict.WAITS, approvals, against, stage.quorum - approvals)
