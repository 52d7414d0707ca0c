"""Registering agents and granting them tools."""

from datetime import datetime
from uuid import UUID

from audit.events import EventType
from governance.models import Agent, Deployment, ToolGrant
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    person_of,
    recorded,
    refuse_unless_registrar,
    text,
)


def register_agent(*, by: By, name: str, purpose: str, deployment_id: UUID, autonomy: str, now: datetime) -> Recorded:
    """Register a program that acts by the model of a deployment; the one who registers answers for it.

    Raises:
        Refused: a field that cannot be, no such deployment, or a name that stands already.
    """
    refuse_unless_registrar(by)
    name = text("name", name, limit=100)
    purpose = text("purpose", purpose, limit=1000)
    autonomy = choice("autonomy", autonomy, Agent.Autonomy.values)
    with change("name"):
        if not Deployment.objects.filter(pk=deployment_id).exists():
            raise Refused("deployment", "is not registered.")
        if Agent.objects.filter(name=name).exists():
            raise Refused("name", f"An agent called {name} stands already.")
        row = Agent.objects.create(
            name=name,
            purpose=purpose,
            owner_id=person_of(by),
            deployment_id=deployment_id,
            autonomy=autonomy,
            registered_at=now,
        )
        registered = event("agent", EventType.AGENT_REGISTERED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [registered])


def grant_tool(*, by: By, agent_id: UUID, tool: str, reversibility: str, now: datetime) -> Recorded:
    """Let an agent call a tool. A `read_only` grant does not cover a call with side effects.

    Raises:
        Refused: a field that cannot be, no such agent, or a grant that stands already.
    """
    refuse_unless_registrar(by)
    tool = text("tool", tool, limit=200)
    reversibility = choice("reversibility", reversibility, ToolGrant.Reversibility.values)
    with change("tool"):
        if not Agent.objects.filter(pk=agent_id).exists():
            raise Refused("agent", "is not registered.")
        if ToolGrant.objects.filter(agent_id=agent_id, tool=tool).exists():
            raise Refused("tool", f"{tool} was granted to this agent already.")
        row = ToolGrant.objects.create(
            agent_id=agent_id, tool=tool, reversibility=reversibility, granted_by=actor_of(by), granted_at=now
        )
        granted = event("tool_grant", EventType.TOOL_GRANT_GRANTED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [granted])
