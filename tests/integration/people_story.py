"""People of every kind for the tests of pools, log-ins and tokens, made by the product's own operations."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.access import pools
from audit.models import PoolChange, User
from audit.queries.roles import AUDITORS, COMPLIANCE, OPERATORS, REQUESTERS, REVIEWERS
from tests.integration.governance_story import NOW, login

REASON = "Agreed in the weekly meeting."


@dataclass(frozen=True, slots=True)
class People:
    """Two reviewers, two operators, a compliance officer, an auditor, and somebody who asks."""

    first: User
    second: User
    operator: User
    other: User
    officer: User
    auditor: User
    asker: User

    def propose(self, by: User, whom: User, pool: str = REVIEWERS, change: str = "add") -> PoolChange:
        """A change as `by` proposes it; carried out at once where one person may."""
        made = pools.propose_change(by=by, account_id=whom.pk, pool=pool, change_=change, reason=REASON, now=NOW)
        return PoolChange.objects.get(pk=made.id)

    def decide(self, by: User, change: PoolChange, decision: str = "carry_out", *, seen: int = 1) -> PoolChange:
        """A change as `by` decides it."""
        act: dict[str, Any] = {"by": by, "change_id": change.pk, "reason": REASON, "seen": seen, "now": later()}
        if decision == "withdraw":
            pools.withdraw_change(**act)
        else:
            pools.decide_change(decision=decision, **act)
        return PoolChange.objects.get(pk=change.pk)


def later(hours: int = 1) -> datetime:
    """Some time after the story began."""
    return NOW + timedelta(hours=hours)


def tell_people() -> People:
    """The story."""
    return People(
        first=login("okafor", REVIEWERS),
        second=login("sato", REVIEWERS),
        operator=login("lindqvist", OPERATORS),
        other=login("haas", OPERATORS),
        officer=login("brandt", COMPLIANCE),
        auditor=login("mori", AUDITORS),
        asker=login("watanabe", REQUESTERS),
    )


def members(pool: str) -> set[UUID]:
    """The persons in a pool."""
    rows = User.groups.through.objects.filter(group__name=pool)
    return set(rows.values_list("user__person_id", flat=True))
