"""The page of an agent: its versions and what changed between two, its tools, its budgets, what it did lately."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from audit import queries as log
from audit.events import EventType
from audit.queries.entries import count_about, entries_at
from governance.models import Agent, AgentVersion, Finding, ModelVersion, Tool, ToolGrant, ToolVersion
from governance.queries.grants import ended_at, newest_grants
from governance.queries.people import names_of
from governance.queries.quoting import Told, details
from governance.queries.telling import HistoryLine, history_lines
from governance.snapshot import snapshot

SHOWN: Final = 20
CALLS: Final = 5
REACH_MARKS: Final = {"read_only": "ok", "reversible": "wait", "externally_reversible": "warn", "irreversible": "bad"}
"""Shape of what a tool may do: the less can be undone, the louder."""


class AgentNotFound(LookupError):
    """No agent has this id."""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version in a list."""

    number: int
    version: str
    digest: str
    by: str
    at: datetime
    entry: int | None


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """A field in two versions; `old` is empty where there is no older one."""

    name: str
    old: str
    new: str

    @property
    def changed(self) -> bool:
        """Whether the two differ."""
        return self.old != self.new


@dataclass(frozen=True, slots=True)
class GrantLine:
    """The newest grant of one tool. `tool_id` is None where nobody registered the tool."""

    id: UUID
    tool: str
    tool_id: UUID | None
    mark: str
    reach: str
    only: str
    scopes: tuple[str, ...]
    constrained: bool
    requires_human: bool
    valid_until: datetime | None
    state_mark: str
    state: str
    standing: bool


@dataclass(frozen=True, slots=True)
class AgentFinding:
    """Something the log shows that the agent was not allowed."""

    kind: str
    detail: str
    raised_at: datetime
    entry: int


@dataclass(frozen=True, slots=True)
class AgentPage:
    """One agent as its page shows it.

    Attributes:
        newest: facts of its newest version, None without one. `older`, `newer`: numbers of the two compared.
        calls: how many tool calls the ledger holds. `last_calls`: the newest, as time and entry.
    """

    id: UUID
    name: str
    purpose: str
    owner: str
    deployment_id: UUID
    deployment: str
    autonomy: str
    sponsor: str
    registered_at: datetime
    newest: int | None
    version: str
    facts: tuple[tuple[str, str], ...]
    budgets: tuple[tuple[str, str], ...]
    stops: str
    versions: tuple[VersionLine, ...]
    older: int
    newer: int
    differences: tuple[DifferenceLine, ...]
    grants: tuple[GrantLine, ...]
    calls: int
    last_calls: tuple[tuple[datetime, int], ...]
    findings: tuple[AgentFinding, ...]
    history: tuple[HistoryLine, ...]


def agent_page(
    agent_id: UUID, *, now: datetime, older: int = 0, newer: int = 0, sees_everything: bool = False
) -> AgentPage:
    """The page of one agent, in a constant number of queries.

    Args:
        older, newer: numbers of the versions to compare; the newest two without them.
        sees_everything: whether the reader may read every section.

    Raises:
        AgentNotFound: there is none.
    """
    found = Agent.objects.select_related("owner", "deployment").filter(pk=agent_id).first()
    if found is None:
        raise AgentNotFound("There is no such agent.")
    rows = list(found.versions.select_related("sponsor").order_by("-number")[:SHOWN])
    newest = rows[0] if rows else None
    chosen = {row.number: row for row in rows}
    right = chosen.get(newer, newest)
    left = chosen.get(older) or (chosen.get(right.number - 1) if right else None)
    words = _words(row for row in (left, right, newest) if row)
    subject, grants = f"agent:{found.pk}", newest_grants([found.pk])
    states = log.states_at([subject, *_subjects(rows, grants)], log.head_size())
    calls = log.entries(type_=EventType.AGENT_TOOL_CALL, subject=subject, limit=CALLS)
    return AgentPage(
        id=found.pk,
        name=found.name,
        purpose=found.purpose,
        owner=found.owner.display_name,
        deployment_id=found.deployment_id,
        deployment=found.deployment.name,
        autonomy=(newest or found).get_autonomy_display(),
        sponsor=newest.sponsor.display_name if newest else "",
        registered_at=found.registered_at,
        newest=newest.number if newest else None,
        version=newest.version if newest else "",
        facts=_facts(newest, words) if newest else (),
        budgets=_budgets(newest) if newest else (),
        stops=newest.kill_switch if newest and newest.kill_switch_declared else "",
        versions=_versions(rows, states),
        older=left.number if left else 0,
        newer=right.number if right else 0,
        differences=_differences(left, right, words),
        grants=_grants(grants, now),
        calls=count_about([subject], type_=EventType.AGENT_TOOL_CALL, before=log.head_size()),
        last_calls=tuple((entry.received_at, entry.index) for entry in calls),
        findings=_findings(subject, sees_everything=sees_everything),
        history=_history(states.values()),
    )


def agent_snapshot(agent_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """The full snapshot of an agent with its newest versions and the grants that count; None when there is none."""
    row = Agent.objects.filter(pk=agent_id).first()
    if row is None:
        return None
    versions = [snapshot("agent_version", item) for item in row.versions.order_by("-number")[:SHOWN]]
    grants: list[dict[str, Any]] = []
    for item in newest_grants([row.pk]):
        end = ended_at(item)
        grants.append({**snapshot("tool_grant", item), "standing": end is None or end > now})
    return {**snapshot("agent", row), "versions": versions, "grants": grants}


def newest_release(agent_id: UUID) -> dict[str, Any]:
    """What the newest version of an agent says, for a form that begins with it; empty without one."""
    row = AgentVersion.objects.filter(agent_id=agent_id).order_by("-number").first()
    if row is None:
        return {}
    return {**snapshot("agent_version", row), "version": "", "sponsor": row.sponsor_id}


def agent_of_grant(grant_id: UUID) -> UUID | None:
    """The agent that a grant is for; None when there is no such grant."""
    return ToolGrant.objects.filter(pk=grant_id).values_list("agent_id", flat=True).first()


def _words(rows: Iterable[AgentVersion]) -> dict[str, str]:
    """Names of the models and agents that versions point to, by id."""
    found = list(rows)
    models = ModelVersion.objects.filter(pk__in={pk for row in found for pk in row.models_allowed})
    agents = Agent.objects.filter(pk__in={pk for row in found for pk in row.delegates_to})
    names = {str(row.pk): f"{row.model.name} {row.version}" for row in models.select_related("model")}
    return names | {str(pk): name for pk, name in agents.values_list("pk", "name")}


def _facts(row: AgentVersion, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    models = ", ".join(words[str(pk)] for pk in row.models_allowed)
    return (
        (_("Does"), row.description or "–"),
        (_("System prompt, SHA-256"), row.system_prompt_sha256 or "–"),
        (_("Memory"), row.get_memory_display()),
        (_("Models allowed"), models or _("that of its deployment")),
        (_("May delegate to"), ", ".join(words[str(pk)] for pk in row.delegates_to) or _("nobody")),
    )


def _budgets(row: AgentVersion) -> tuple[tuple[str, str], ...]:
    none = _("no limit")
    cost = none if row.max_cost is None else f"{row.cost_currency} {row.max_cost.normalize():,f}"

    def said(limit: int | None) -> str:
        return none if limit is None else f"{limit:,}"

    return (
        (_("Steps"), said(row.max_steps)),
        (_("Tokens"), said(row.max_tokens)),
        (_("Reasoning tokens"), said(row.max_reasoning_tokens)),
        (_("Seconds"), said(row.max_wall_seconds)),
        (_("Cost"), cost),
    )


def _differences(
    left: AgentVersion | None, right: AgentVersion | None, words: Mapping[str, str]
) -> tuple[DifferenceLine, ...]:
    if left is None or right is None or left.number == right.number:
        return ()
    old, new = _flat(left.content, words), _flat(right.content, words)
    return tuple(DifferenceLine(name, old.get(name, "–"), new[name]) for name in new)


def _flat(content: str, words: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in json.loads(content).items():
        for key, item in value.items() if isinstance(value, dict) else [(name, value)]:
            listed = item if isinstance(item, list) else [item]
            text = ", ".join(words.get(str(part), "–" if part in (None, "") else str(part)) for part in listed)
            found[f"{name}.{key}" if isinstance(value, dict) else name] = text or "–"
    return {name: text for name, text in found.items() if name not in {"format", "agent"}}


def _subjects(versions: Iterable[AgentVersion], grants: Iterable[ToolGrant]) -> Iterator[str]:
    yield from (f"agent_version:{row.pk}" for row in versions)
    for row in grants:
        yield f"tool_grant:{row.pk}"
        revocation = getattr(row, "revocation", None)
        if revocation is not None:
            yield f"tool_grant_revocation:{revocation.pk}"


def _history(states: Iterable[log.StateRow]) -> tuple[HistoryLine, ...]:
    """What the registry tells of the agent: not the entries about it itself, of which its calls are millions."""
    indexes = sorted({state.index for state in states}, reverse=True)[:SHOWN]
    found = entries_at(indexes)
    return history_lines([found[index] for index in indexes])


def _versions(rows: Sequence[AgentVersion], states: Mapping[str, log.StateRow]) -> tuple[VersionLine, ...]:
    names = names_of(row.registered_by for row in rows)
    lines = []
    for row in rows:
        state = states.get(f"agent_version:{row.pk}")
        by = names[row.registered_by]
        lines.append(
            VersionLine(row.number, row.version, row.digest, by, row.registered_at, state.index if state else None)
        )
    return tuple(lines)


def _grants(rows: Sequence[ToolGrant], now: datetime) -> tuple[GrantLine, ...]:
    tools = dict(Tool.objects.filter(name__in=[row.tool for row in rows]).values_list("name", "pk"))
    return tuple(_grant(row, tools.get(row.tool), now) for row in rows)


def _grant(row: ToolGrant, tool_id: UUID | None, now: datetime) -> GrantLine:
    end, revocation = ended_at(row), getattr(row, "revocation", None)
    standing = end is None or end > now
    if standing:
        state_mark, state = "ok", _("In force")
    else:
        state_mark, state = "none", _("Revoked") if revocation else _("Expired")
    only = [_("version %(name)s of the tool") % {"name": row.tool_version}] if row.tool_version else []
    only += [_("version %(name)s of the agent") % {"name": row.agent_version}] if row.agent_version else []
    return GrantLine(
        id=row.pk,
        tool=row.tool,
        tool_id=tool_id,
        mark=REACH_MARKS[row.reversibility],
        reach=str(ToolVersion.Reversibility(row.reversibility).label),
        only=", ".join(only),
        scopes=tuple(row.scopes),
        constrained=bool(row.parameter_constraints),
        requires_human=row.requires_human,
        valid_until=row.valid_until,
        state_mark=state_mark,
        state=state,
        standing=standing,
    )


def _findings(subject: str, *, sees_everything: bool) -> tuple[AgentFinding, ...]:
    rows = list(Finding.objects.filter(subject=subject).order_by("-raised_at", "pk")[:SHOWN])
    told = details((Told.of(row) for row in rows), sees_everything=sees_everything)
    return tuple(
        AgentFinding(row.get_kind_display(), detail, row.raised_at, row.entry_index)
        for row, detail in zip(rows, told, strict=True)
    )
