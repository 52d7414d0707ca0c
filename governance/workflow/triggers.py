"""What spoils an approval after it was given, as a table: each cause, and whether it ends the approval or warns.

Code looks effects up here and nowhere else; the database refuses a row that says otherwise.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

_RANKED: Final = ("minimal", "transparency", "high", "prohibited")
_GRAVE: Final = frozenset({"high", "prohibited"})


class Effect(StrEnum):
    """What a cause does to an approval; the value is stored and stands in the ledger."""

    BLOCKS = "blocks"
    WARNS = "warns"


class Cause(StrEnum):
    """Why an approval needs another look; the value is stored and stands in the ledger."""

    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"
    ANCESTOR_QUARANTINED = "ancestor_quarantined"
    EVIDENCE_SPOILT = "evidence_spoilt"
    EVIDENCE_SUPERSEDED = "evidence_superseded"
    TIER_RAISED = "tier_raised"
    TIER_CHANGED = "tier_changed"
    POLICY_RENEWED = "policy_renewed"
    GRANT_WIDENED = "grant_widened"
    OVERSIGHT_VACANT = "oversight_vacant"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a cause does, and when it stands."""

    effect: Effect
    words: str


RULES: Final = MappingProxyType(
    {
        Cause.WITHDRAWN: Rule(
            Effect.BLOCKS, "its model, version, an adapter or its GPU pool is retired or quarantined"
        ),
        Cause.OUTDATED: Rule(Effect.WARNS, "one of these is deprecated or superseded"),
        Cause.ANCESTOR_QUARANTINED: Rule(Effect.BLOCKS, "something that its model was made from is quarantined"),
        Cause.EVIDENCE_SPOILT: Rule(Effect.BLOCKS, "evidence that it relies on was revoked or has expired"),
        Cause.EVIDENCE_SUPERSEDED: Rule(Effect.WARNS, "evidence that it relies on was superseded"),
        Cause.TIER_RAISED: Rule(Effect.BLOCKS, "its use case has a higher tier than when it was asked"),
        Cause.TIER_CHANGED: Rule(Effect.WARNS, "its use case has another tier than when it was asked"),
        Cause.POLICY_RENEWED: Rule(Effect.WARNS, "a newer version of its approval policy was adopted"),
        Cause.GRANT_WIDENED: Rule(Effect.BLOCKS, "an agent was granted a tool that reaches further than before"),
        Cause.OVERSIGHT_VACANT: Rule(Effect.WARNS, "its use has a high risk, and nobody oversees it"),
    }
)


def tier_cause(asked: str, now: str) -> Cause | None:
    """What follows from a tier that is not the one that was asked with; None when it is.

    A tier outside the ranks is neither above nor below another, but nothing falls to high risk or to a prohibition
    from outside without being looked at again.
    """
    if asked == now:
        return None
    if asked not in _RANKED:
        return Cause.TIER_RAISED if now in _GRAVE else Cause.TIER_CHANGED
    higher = now in _RANKED and _RANKED.index(now) > _RANKED.index(asked)
    return Cause.TIER_RAISED if higher else Cause.TIER_CHANGED
