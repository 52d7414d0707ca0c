"""Do the pools that decide hold whom the ledger says? Named in the setting SELF_CHECK_COMPARISONS.

The changes themselves are compared with their entries like every governed row; this holds the memberships, which the
guards read, against the changes.
"""

from dataclasses import dataclass
from typing import Final

from django.db import connections

from audit.events import EventType
from audit.models import Entry
from audit.queries.entries import section_facts
from audit.queries.poolrules import DECIDING

# One statement, so one moment: a change and its membership commit together.
_DIFFERING: Final = """
WITH newest AS (
  SELECT DISTINCT ON (account_id, group_id) account_id, group_id, person_id, pool, change FROM pool_change
   WHERE state = 'carried_out' ORDER BY account_id, group_id, number DESC
), members AS (
  SELECT m.user_id, m.group_id, a.person_id, g.name FROM account_groups m
    JOIN account a ON a.id = m.user_id JOIN auth_group g ON g.id = m.group_id WHERE g.name = ANY (%s)
)
SELECT m.user_id, m.person_id::text, m.name::text, coalesce(n.change, '') FROM members m
  LEFT JOIN newest n ON n.account_id = m.user_id AND n.group_id = m.group_id WHERE n.change IS DISTINCT FROM 'add'
UNION ALL
SELECT n.account_id, n.person_id::text, n.pool::text, 'lost' FROM newest n
 WHERE n.change = 'add' AND NOT EXISTS (
   SELECT 1 FROM account_groups m WHERE m.user_id = n.account_id AND m.group_id = n.group_id)
 ORDER BY 1, 3
"""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A membership that is not what the ledger says."""

    subject: str
    entry_index: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Slice:
    """All there is: pools that decide are small. `position` is always the end."""

    found: tuple[Contradiction, ...]
    rows: int
    position: str = ""


def contradictions(position: str = "") -> Slice:
    """Memberships without a change that let them in, and changes whose membership is gone; two queries and what the
    registrations of those say who joined before pools were changed by two persons.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(_DIFFERING, [list(DECIDING)])
        rows = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM account_groups")
        [(looked_at,)] = cursor.fetchall()
    unexplained = {f"person:{person}" for _account, person, _pool, why in rows if why == ""}
    registered = _registered(unexplained) if unexplained else set()
    found = tuple(
        Contradiction(f"person:{person}", None, _sentence(account, pool, why))
        for account, person, pool, why in rows
        if why or (account, pool) not in registered
    )
    return Slice(found, looked_at)


def _registered(subjects: set[str]) -> set[tuple[int, str]]:
    rows = Entry.objects.filter(subject__in=subjects, source="app", type=EventType.PERSON_REGISTERED)
    found: set[tuple[int, str]] = set()
    for facts in section_facts(list(rows.values_list("index", flat=True))).values():
        after = facts.get("after")
        if isinstance(after, dict) and isinstance(after.get("groups"), list):
            found |= {(int(after["log_in"]), str(pool)) for pool in after["groups"]}
    return found


def _sentence(account: int, pool: str, why: str) -> str:
    if why == "lost":
        return f"Log-in {account} joined {pool} by a change; the pool has lost it."
    return f"Log-in {account} belongs to {pool}; no change that was carried out says so."
