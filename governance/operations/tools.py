"""Registering tools and their versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.events import EventType
from governance.models import Tool, ToolVersion
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
from governance.operations.readings import refuse_unknown_person, sha256, words
from governance.snapshot import snapshot

MAX_DATA_CLASSES: Final = 50


def register_tool(*, by: By, name: str, kind: str, endpoint: str = "", now: datetime) -> Recorded:
    """Register something that agents call, by the name that calls carry; the one who registers answers for it.

    Raises:
        Refused: a field that cannot be, or a name that stands already.
    """
    refuse_unless_registrar(by)
    name = text("name", name, limit=200)
    kind = choice("kind", kind, Tool.Kind.values)
    endpoint = text("endpoint", endpoint, limit=500, required=False)
    with change("name"):
        if Tool.objects.filter(name=name).exists():
            raise Refused("name", f"A tool called {name} stands already.")
        row = Tool.objects.create(name=name, kind=kind, endpoint=endpoint, owner_id=person_of(by), registered_at=now)
        return recorded(row.id, [event("tool", EventType.TOOL_REGISTERED, row, actor=actor_of(by), now=now)])


def change_tool(
    *, by: By, tool_id: UUID, kind: str, endpoint: str, owner_id: UUID, seen: int, now: datetime
) -> Recorded:
    """Change where a tool is reached and who answers for it; its name stays.

    Args:
        seen: `row_version` that was read.

    Raises:
        Refused: a field that cannot be, no such tool, or `row_version` when it has changed since.
    """
    refuse_unless_registrar(by)
    kind = choice("kind", kind, Tool.Kind.values)
    endpoint = text("endpoint", endpoint, limit=500, required=False)
    with change("row_version"):
        row = Tool.objects.select_for_update().filter(pk=tool_id).first()
        if row is None:
            raise Refused("tool", "is not registered.")
        if row.row_version != seen:
            raise Refused("row_version", "is not the newest: the tool has changed since. Read it again.")
        refuse_unknown_person("owner_id", owner_id)
        before: dict[str, object] = dict(snapshot("tool", row))
        row.kind, row.endpoint, row.owner_id = kind, endpoint, owner_id
        row.row_version += 1
        row.save(update_fields=["kind", "endpoint", "owner", "row_version"])
        told = event("tool", EventType.TOOL_CHANGED, row, actor=actor_of(by), now=now, before=before)
        return recorded(row.id, [told])


def register_tool_version(
    *,
    by: By,
    tool_id: UUID,
    version: str,
    reversibility: str,
    schema_sha256: str = "",
    side_effects: str = "",
    data_classes: Sequence[str] = (),
    description: str = "",
    now: datetime,
) -> Recorded:
    """Register what a tool does from this release on. What does more than read says its side effects.

    Raises:
        Refused: a field that cannot be, no such tool, or a version that stands already.
    """
    refuse_unless_registrar(by)
    version = text("version", version, limit=100)
    reversibility = choice("reversibility", reversibility, ToolVersion.Reversibility.values)
    reads = reversibility == ToolVersion.Reversibility.READ_ONLY
    columns = {
        "schema_sha256": sha256("schema_sha256", schema_sha256),
        "side_effects": text("side_effects", side_effects, limit=1000, required=not reads),
        "data_classes": words("data_classes", data_classes, most=MAX_DATA_CLASSES, limit=100),
        "description": text("description", description, limit=2000, required=False),
    }
    with change("version"):
        tool = Tool.objects.select_for_update().filter(pk=tool_id).first()
        if tool is None:
            raise Refused("tool", "is not registered.")
        if tool.versions.filter(version=version).exists():
            raise Refused("version", f"{version} of {tool.name} stands already.")
        row = ToolVersion.objects.create(
            tool=tool,
            number=tool.versions.count() + 1,
            version=version,
            reversibility=reversibility,
            registered_by=actor_of(by),
            registered_at=now,
            **columns,
        )
        told = event("tool_version", EventType.TOOL_VERSION_REGISTERED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [told])
