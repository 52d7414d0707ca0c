"""Which pools there are, which of them decide something, and which nobody belongs to at once.

The database holds the same lists (migration 0014, `assay_deciding_pools` and `assay_pools_conflict`).
"""

from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from audit.models import User
from audit.queries.roles import (
    AUDITORS,
    COMPLIANCE,
    DATA_PROTECTION,
    OPERATORS,
    PRIVACY,
    REQUESTERS,
    REVIEWERS,
    RISK_OWNERS,
    SECURITY,
)

DECIDING: Final = (
    REVIEWERS,
    RISK_OWNERS,
    SECURITY,
    PRIVACY,
    COMPLIANCE,
    DATA_PROTECTION,
)
"""Pools whose members decide something: changed by two persons."""

OTHERS: Final = (REQUESTERS, AUDITORS, OPERATORS)
POOLS: Final = (*DECIDING, *OTHERS)

FOUNDED: Final = 2
"""Persons with which a pool can decide on its own changes."""


def conflicting(pool: str) -> frozenset[str]:
    """Pools that nobody of `pool` may belong to: who runs the platform or audits it decides nothing, who audits also
    writes nothing.
    """
    if pool in DECIDING:
        return frozenset({OPERATORS, AUDITORS})
    return {
        AUDITORS: frozenset({*DECIDING, REQUESTERS, OPERATORS}),
        OPERATORS: frozenset({*DECIDING, AUDITORS}),
        REQUESTERS: frozenset({AUDITORS}),
    }.get(pool, frozenset())


def pools_of_person(person_id: UUID) -> frozenset[str]:
    """Pools of a person by all their log-ins."""
    members = User.groups.through.objects.filter(user__person_id=person_id)
    return frozenset(members.values_list("group__name", flat=True))


def persons_in(pool: str) -> int:
    """How many persons belong to a pool, those with a closed log-in too."""
    members = User.groups.through.objects.filter(group__name=pool)
    return members.values("user__person_id").distinct().count()


def is_suspended(user_id: int) -> bool:
    """Whether the log-in decides nothing until another person confirms it."""
    return User.objects.filter(pk=user_id, decisions_suspended_at__isnull=False).exists()


def decides(user_id: int) -> bool:
    """Whether a log-in belongs to a pool that decides something."""
    members = User.groups.through.objects.filter(user_id=OuterRef("pk"), group__name__in=DECIDING)
    return User.objects.filter(Exists(members), pk=user_id).exists()
