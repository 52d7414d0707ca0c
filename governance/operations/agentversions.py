"""Registering what an agent is allowed to be, one version after the other.

`content` is RFC 8785 JSON and `digest` its SHA-256, so that a pipeline can compute it from what it starts:

    {"agent": name, "autonomy": text, "budgets": {"cost", "currency", "reasoning_tokens", "steps", "tokens",
     "wall_seconds"}, "delegates_to": [ids], "description": text, "format": "assay-agent-version@v1",
     "kill_switch": text or null, "memory": text, "models": [ids], "system_prompt_sha256": text, "version": text}

A budget without a limit is null; the cost is text with four decimals. Sponsor and number are the registry's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from audit.events import EventType
from governance.models import Agent, AgentVersion, ModelVersion, ToolGrant
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.operations.readings import ids, limit_or_none, money, refuse_unknown_person, sha256
from governance.queries.grants import ATTENDED, in_force
from governance.snapshot import canonical, digest

FORMAT: Final = "assay-agent-version@v1"
MAX_MODELS: Final = 100
MAX_DELEGATES: Final = 100


@dataclass(frozen=True, slots=True)
class AgentRelease:
    """What a version of an agent is. A budget that is None has no limit."""

    version: str
    autonomy: str
    sponsor_id: UUID
    description: str = ""
    system_prompt_sha256: str = ""
    memory: str = AgentVersion.Memory.NONE.value
    models_allowed: Sequence[UUID] = ()
    delegates_to: Sequence[UUID] = ()
    max_steps: int | None = None
    max_tokens: int | None = None
    max_reasoning_tokens: int | None = None
    max_wall_seconds: int | None = None
    max_cost: Decimal | str | None = None
    cost_currency: str = ""
    kill_switch_declared: bool = False
    kill_switch: str = ""


def register_agent_version(*, by: By, agent_id: UUID, release: AgentRelease, now: datetime) -> Recorded:
    """Register the next version of an agent; from now on it is the one that counts.

    Raises:
        Refused: a field that cannot be, something that is not registered, a version that stands already, or an
            autonomy that a standing grant of an irreversible tool does not allow.
    """
    refuse_unless_registrar(by)
    columns = _columns(release)
    with change("version"):
        agent = Agent.objects.select_for_update().filter(pk=agent_id).first()
        if agent is None:
            raise Refused("agent", "is not registered.")
        _refuse_what_is_not_there(agent, release)
        if agent.versions.filter(version=columns["version"]).exists():
            raise Refused("version", f"{columns['version']} of {agent.name} stands already.")
        _refuse_unattended(agent, columns["autonomy"], now)
        content = _content(agent, columns)
        row = AgentVersion.objects.create(
            agent=agent,
            number=agent.versions.count() + 1,
            content=content,
            digest=digest(content),
            registered_by=actor_of(by),
            registered_at=now,
            **columns,
        )
        told = event("agent_version", EventType.AGENT_VERSION_REGISTERED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [told])


def _columns(release: AgentRelease) -> dict[str, Any]:
    cost, currency = money("max_cost", release.max_cost, release.cost_currency)
    limits = ("max_steps", "max_tokens", "max_reasoning_tokens", "max_wall_seconds")
    return {
        "version": text("version", release.version, limit=100),
        "autonomy": choice("autonomy", release.autonomy, Agent.Autonomy.values),
        "sponsor_id": release.sponsor_id,
        "description": text("description", release.description, limit=2000, required=False),
        "system_prompt_sha256": sha256("system_prompt_sha256", release.system_prompt_sha256),
        "memory": choice("memory", release.memory, AgentVersion.Memory.values),
        "models_allowed": ids("models_allowed", release.models_allowed, most=MAX_MODELS),
        "delegates_to": ids("delegates_to", release.delegates_to, most=MAX_DELEGATES),
        **{field: limit_or_none(field, getattr(release, field)) for field in limits},
        "max_cost": cost,
        "cost_currency": currency,
        "kill_switch_declared": release.kill_switch_declared,
        "kill_switch": text("kill_switch", release.kill_switch, limit=1000, required=release.kill_switch_declared),
    }


def _refuse_what_is_not_there(agent: Agent, release: AgentRelease) -> None:
    refuse_unknown_person("sponsor_id", release.sponsor_id)
    models = set(release.models_allowed)
    if ModelVersion.objects.filter(pk__in=models).count() != len(models):
        raise Refused("models_allowed", "names a model version that is not registered.")
    delegates = set(release.delegates_to)
    if agent.pk in delegates:
        raise Refused("delegates_to", "names the agent itself.")
    if Agent.objects.filter(pk__in=delegates).count() != len(delegates):
        raise Refused("delegates_to", "names an agent that is not registered.")


def _refuse_unattended(agent: Agent, autonomy: str, now: datetime) -> None:
    if autonomy in ATTENDED:
        return
    for grant in in_force([agent.pk], now):
        carried = grant.agent_version_id is None
        if carried and grant.reversibility == ToolGrant.Reversibility.IRREVERSIBLE and not grant.requires_human:
            raise Refused(
                "autonomy",
                f"The agent may call {grant.tool}, which cannot be undone, without a person. Grant it again so that"
                " each call needs one, or revoke the grant, before the agent acts alone.",
            )


def _content(agent: Agent, columns: dict[str, Any]) -> str:
    cost = columns["max_cost"]
    return canonical(
        {
            "format": FORMAT,
            "agent": agent.name,
            "version": columns["version"],
            "autonomy": columns["autonomy"],
            "description": columns["description"],
            "system_prompt_sha256": columns["system_prompt_sha256"],
            "memory": columns["memory"],
            "models": [str(item) for item in columns["models_allowed"]],
            "delegates_to": [str(item) for item in columns["delegates_to"]],
            "budgets": {
                "steps": columns["max_steps"],
                "tokens": columns["max_tokens"],
                "reasoning_tokens": columns["max_reasoning_tokens"],
                "wall_seconds": columns["max_wall_seconds"],
                "cost": None if cost is None else str(cost),
                "currency": columns["cost_currency"],
            },
            "kill_switch": columns["kill_switch"] if columns["kill_switch_declared"] else None,
        }
    )
