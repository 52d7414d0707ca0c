"""Which grants of tools count, and what reaches further than what."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from governance.models import Agent, ToolGrant, ToolVersion

ATTENDED: Final = frozenset({Agent.Autonomy.SUGGEST.value, Agent.Autonomy.ACT_WITH_APPROVAL.value})
"""Autonomy with a person in front of every act."""

_REACH: Final = tuple(ToolVersion.Reversibility.values)


def reaches_further(one: str, other: str) -> bool:
    """Whether what is `one` can do more that cannot be undone than what is `other`."""
    return _REACH.index(one) > _REACH.index(other)


def newest_grants(agent_ids: Collection[UUID]) -> list[ToolGrant]:
    """The newest grant of each tool to each agent, in force or not, with what the checks read, in one query."""
    rows = ToolGrant.objects.filter(agent__in=agent_ids).select_related("agent_version", "tool_version", "revocation")
    return list(rows.order_by("agent_id", "tool", "-number").distinct("agent_id", "tool"))


def ended_at(grant: ToolGrant) -> datetime | None:
    """When a grant ends or ended; None while nothing says so. `grant` comes from `newest_grants`."""
    revocation = getattr(grant, "revocation", None)
    ends = [moment for moment in (grant.valid_until, revocation.revoked_at if revocation else None) if moment]
    return min(ends, default=None)


def in_force(agent_ids: Collection[UUID], now: datetime) -> list[ToolGrant]:
    """The newest grants that have not ended by `now`."""
    found = ((grant, ended_at(grant)) for grant in newest_grants(agent_ids))
    return [grant for grant, end in found if end is None or end > now]
