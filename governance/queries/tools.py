"""The page of a tool: its versions, and the agents that may call it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit import queries as log
from governance.models import Tool, ToolGrant
from governance.queries.agents import REACH_MARKS, SHOWN
from governance.queries.grants import ended_at, reaches_further
from governance.queries.people import names_of
from governance.queries.telling import HistoryLine, history_lines
from governance.snapshot import snapshot

MAX_AGENTS: Final = 200


class ToolNotFound(LookupError):
    """No tool has this id."""


@dataclass(frozen=True, slots=True)
class ToolVersionLine:
    """What the tool does in one release."""

    id: UUID
    number: int
    version: str
    mark: str
    reach: str
    side_effects: str
    data_classes: tuple[str, ...]
    description: str
    schema_sha256: str
    by: str
    at: datetime
    entry: int | None


@dataclass(frozen=True, slots=True)
class CallerLine:
    """An agent that may call the tool. `too_little`: the newest version does more than its grant says."""

    agent_id: UUID
    agent: str
    mark: str
    reach: str
    requires_human: bool
    valid_until: datetime | None
    too_little: bool


@dataclass(frozen=True, slots=True)
class ToolPage:
    """One tool as its page shows it."""

    id: UUID
    name: str
    kind: str
    endpoint: str
    owner: str
    registered_at: datetime
    row_version: int
    versions: tuple[ToolVersionLine, ...]
    callers: tuple[CallerLine, ...]
    history: tuple[HistoryLine, ...]


def tool_page(tool_id: UUID, *, now: datetime) -> ToolPage:
    """The page of one tool, in a constant number of queries.

    Raises:
        ToolNotFound: there is none.
    """
    found = Tool.objects.select_related("owner").filter(pk=tool_id).first()
    if found is None:
        raise ToolNotFound("There is no such tool.")
    versions = _versions(found)
    newest = found.versions.order_by("-number").values_list("reversibility", flat=True).first()
    return ToolPage(
        id=found.pk,
        name=found.name,
        kind=found.get_kind_display(),
        endpoint=found.endpoint,
        owner=found.owner.display_name,
        registered_at=found.registered_at,
        row_version=found.row_version,
        versions=versions,
        callers=_callers(found.name, newest or "read_only", now),
        history=history_lines(log.history(f"tool:{found.pk}", limit=SHOWN)),
    )


def tool_snapshot(tool_id: UUID) -> dict[str, Any] | None:
    """The full snapshot of a tool with those of its newest versions; None when there is none."""
    row = Tool.objects.filter(pk=tool_id).first()
    if row is None:
        return None
    versions = [snapshot("tool_version", item) for item in row.versions.order_by("-number")[:SHOWN]]
    return {**snapshot("tool", row), "versions": versions}


def _versions(found: Tool) -> tuple[ToolVersionLine, ...]:
    rows = list(found.versions.order_by("-number")[:SHOWN])
    names = names_of(row.registered_by for row in rows)
    states = log.states_at([f"tool_version:{row.pk}" for row in rows], log.head_size()) if rows else {}
    lines = []
    for row in rows:
        state = states.get(f"tool_version:{row.pk}")
        lines.append(
            ToolVersionLine(
                id=row.pk,
                number=row.number,
                version=row.version,
                mark=REACH_MARKS[row.reversibility],
                reach=row.get_reversibility_display(),
                side_effects=row.side_effects,
                data_classes=tuple(row.data_classes),
                description=row.description,
                schema_sha256=row.schema_sha256,
                by=names[row.registered_by],
                at=row.registered_at,
                entry=state.index if state else None,
            )
        )
    return tuple(lines)


def _callers(name: str, newest: str, now: datetime) -> tuple[CallerLine, ...]:
    rows = ToolGrant.objects.filter(tool=name).select_related("agent", "revocation")
    grants = rows.order_by("agent_id", "-number").distinct("agent_id")[:MAX_AGENTS]
    lines = []
    for row in grants:
        end = ended_at(row)
        if end is None or end > now:
            lines.append(
                CallerLine(
                    agent_id=row.agent_id,
                    agent=row.agent.name,
                    mark=REACH_MARKS[row.reversibility],
                    reach=row.get_reversibility_display(),
                    requires_human=row.requires_human,
                    valid_until=row.valid_until,
                    too_little=reaches_further(newest, row.reversibility),
                )
            )
    return tuple(sorted(lines, key=lambda line: line.agent))
