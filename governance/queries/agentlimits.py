"""What the follower of the log holds the acts of agents against: their grants and the budgets of their version."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Q

from governance.models import Agent, AgentVersion, ToolGrant, ToolVersion
from governance.queries.grants import ended_at, newest_grants, reaches_further
from governance.queries.watching import split_subjects

COUNTED: Final = (
    ("steps", "max_steps", "steps"),
    ("tokens", "max_tokens", "tokens"),
    ("reasoning_tokens", "max_reasoning_tokens", "reasoning tokens"),
    ("wall_seconds", "max_wall_seconds", "seconds"),
)
"""Counts of a run: what a pipeline calls each, the column of its limit, and the words for it."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The newest grant of a tool.

    Attributes:
        ends: when it ends or ended. `agent_version`: number of the only version it is for, None for every one.
        tool_version: the only version it is for, empty for every one.
        reaches_too_far: whether the newest version of the tool does more than the grant says.
    """

    reversibility: str
    requires_human: bool
    ends: datetime | None
    agent_version: int | None
    tool_version: str
    reaches_too_far: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """A registered agent, what it may call, and the budgets of its newest version (None where it has none)."""

    id: UUID
    name: str
    tools: Mapping[str, Granted]
    version: int | None
    counts: Mapping[str, int]
    cost: Decimal | None
    currency: str


def limits_of(subjects: Collection[str]) -> dict[str, Limits]:
    """The registered ones among agents named as `agent:<uuid>` or `agent:<name>`, in at most four queries."""
    if not subjects:
        return {}
    ids, names = split_subjects(subjects, "agent")
    agents = list(Agent.objects.filter(Q(pk__in=ids) | Q(name__in=names)))
    keys = [agent.pk for agent in agents]
    rows = AgentVersion.objects.filter(agent__in=keys).order_by("agent_id", "-number").distinct("agent_id")
    versions = {row.agent_id: row for row in rows}
    grants = newest_grants(keys)
    newest = _newest_versions({grant.tool for grant in grants})
    found: dict[str, Limits] = {}
    for agent in agents:
        own = [grant for grant in grants if grant.agent_id == agent.pk]
        limits = _limits(agent, versions.get(agent.pk), own, newest)
        found |= {f"agent:{agent.pk}": limits, f"agent:{agent.name}": limits}
    return found


def _newest_versions(tools: Collection[str]) -> dict[str, ToolVersion]:
    rows = ToolVersion.objects.filter(tool__name__in=tools).select_related("tool")
    return {row.tool.name: row for row in rows.order_by("tool_id", "-number").distinct("tool_id")}


def _limits(
    agent: Agent, version: AgentVersion | None, grants: Iterable[ToolGrant], newest: Mapping[str, ToolVersion]
) -> Limits:
    budgets = ((name, getattr(version, column)) for name, column, _words in COUNTED) if version else ()
    return Limits(
        id=agent.pk,
        name=agent.name,
        tools={grant.tool: _granted(grant, newest.get(grant.tool)) for grant in grants},
        version=version.number if version else None,
        counts={name: limit for name, limit in budgets if limit is not None},
        cost=version.max_cost if version else None,
        currency=version.cost_currency if version else "",
    )


def _granted(grant: ToolGrant, newest: ToolVersion | None) -> Granted:
    return Granted(
        reversibility=grant.reversibility,
        requires_human=grant.requires_human,
        ends=ended_at(grant),
        agent_version=grant.agent_version.number if grant.agent_version else None,
        tool_version=grant.tool_version.version if grant.tool_version else "",
        reaches_too_far=newest is not None and reaches_further(newest.reversibility, grant.reversibility),
    )
