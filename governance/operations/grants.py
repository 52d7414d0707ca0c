"""Granting tools to agents, and ending a grant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.events import EventType
from governance.formats.strict_json import FormatError, read_object
from governance.models import Agent, AgentVersion, ToolGrant, ToolGrantRevocation, ToolVersion
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
from governance.operations.readings import words
from governance.queries.grants import ATTENDED, ended_at, reaches_further

MAX_SCOPES: Final = 50
MAX_CONSTRAINTS: Final = 8 * 1024


def grant_tool(
    *,
    by: By,
    agent_id: UUID,
    reversibility: str,
    tool: str = "",
    agent_version_id: UUID | None = None,
    tool_version_id: UUID | None = None,
    scopes: Sequence[str] = (),
    parameter_constraints: str = "",
    requires_human: bool = False,
    valid_until: datetime | None = None,
    now: datetime,
) -> Recorded:
    """Let an agent call a tool; an earlier grant of the same tool no longer counts.

    A `read_only` grant does not cover a call with side effects. What cannot be undone needs a person for each call,
    unless the agent only suggests or acts with approval: there a person stands in front of every act already.

    Args:
        tool: the name that calls carry; may be left out beside `tool_version_id`.
        parameter_constraints: a JSON Schema as text, at most 8 KiB.

    Raises:
        Refused: a field that cannot be, something that is not registered, or a grant that reaches less far than the
            tool does.
    """
    refuse_unless_registrar(by)
    tool = text("tool", tool, limit=200, required=tool_version_id is None)
    reversibility = choice("reversibility", reversibility, ToolGrant.Reversibility.values)
    names = words("scopes", scopes, most=MAX_SCOPES, limit=200)
    schema = _schema(parameter_constraints)
    if valid_until is not None and valid_until <= now:
        raise Refused("valid_until", "is over already.")
    with change("tool"):
        agent = Agent.objects.select_for_update().filter(pk=agent_id).first()
        if agent is None:
            raise Refused("agent", "is not registered.")
        tool = _named(tool, tool_version_id, reversibility)
        if not requires_human and reversibility == ToolGrant.Reversibility.IRREVERSIBLE:
            _refuse_unattended(agent, agent_version_id, tool)
        elif agent_version_id is not None:
            _version_of(agent, agent_version_id)
        row = ToolGrant.objects.create(
            agent=agent,
            tool=tool,
            number=ToolGrant.objects.filter(agent=agent, tool=tool).count() + 1,
            reversibility=reversibility,
            agent_version_id=agent_version_id,
            tool_version_id=tool_version_id,
            scopes=names,
            parameter_constraints=schema,
            requires_human=requires_human,
            valid_until=valid_until,
            granted_by=actor_of(by),
            granted_at=now,
        )
        granted = event("tool_grant", EventType.TOOL_GRANT_GRANTED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [granted])


def revoke_grant(*, by: By, grant_id: UUID, reason: str, now: datetime) -> Recorded:
    """End a grant before its time. The id is the revocation's.

    Raises:
        Refused: no such grant, one that has ended or is replaced already, or no reason.
    """
    refuse_unless_registrar(by)
    reason = text("reason", reason, limit=1000)
    with change("grant"):
        grant = ToolGrant.objects.select_related("revocation").filter(pk=grant_id).first()
        if grant is None:
            raise Refused("grant", "is not registered.")
        end = ended_at(grant)
        if end is not None and end <= now:
            raise Refused("grant", "has ended already.")
        if ToolGrant.objects.filter(agent_id=grant.agent_id, tool=grant.tool, number__gt=grant.number).exists():
            raise Refused("grant", "was replaced by a later one; revoke that one.")
        row = ToolGrantRevocation.objects.create(grant=grant, reason=reason, revoked_by=actor_of(by), revoked_at=now)
        told = event("tool_grant_revocation", EventType.TOOL_GRANT_REVOKED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [told])


def _schema(constraints: str) -> str:
    found = text("parameter_constraints", constraints, limit=MAX_CONSTRAINTS, required=False)
    if found:
        try:
            read_object(found.encode(), name="parameter_constraints", limit=MAX_CONSTRAINTS)
        except FormatError as error:
            raise Refused("parameter_constraints", error.reason) from error
    return found


def _named(tool: str, version_id: UUID | None, reversibility: str) -> str:
    rows = ToolVersion.objects.select_related("tool")
    if version_id is None:
        version = rows.filter(tool__name=tool).order_by("-number").first()
    else:
        version = rows.filter(pk=version_id).first()
        if version is None:
            raise Refused("tool_version", "is not registered.")
        if tool and tool != version.tool.name:
            raise Refused("tool_version", f"is one of {version.tool.name}, not of {tool}.")
    if version is not None and reaches_further(version.reversibility, reversibility):
        raise Refused(
            "reversibility",
            f"{version.tool.name} {version.version} is {version.get_reversibility_display()}: a grant that is"
            f" {ToolGrant.Reversibility(reversibility).label} would hide that.",
        )
    return version.tool.name if version is not None else tool


def _version_of(agent: Agent, version_id: UUID) -> AgentVersion:
    found = agent.versions.filter(pk=version_id).first()
    if found is None:
        raise Refused("agent_version", f"is none of {agent.name}.")
    return found


def _refuse_unattended(agent: Agent, version_id: UUID | None, tool: str) -> None:
    newest = agent.versions.order_by("-number").first() if version_id is None else _version_of(agent, version_id)
    if (newest or agent).autonomy not in ATTENDED:
        raise Refused(
            "requires_human",
            f"{agent.name} acts without asking, and what {tool} does cannot be undone: each call needs a person.",
        )
