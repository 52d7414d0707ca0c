"""Registering agents."""

from datetime import datetime
from uuid import UUID

from audit.events import EventType
from governance.models import Agent, Deployment
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
