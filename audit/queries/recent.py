"""The newest entries of one type with what they say: findings, gaps, self-checks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.events import EventType
from audit.models import Entry
from audit.queries.entries import EntryRow, entries, entries_at, section_facts

COUNTED = 100
"""Where counting stops: a page says "100 or more"."""


@dataclass(frozen=True, slots=True)
class Said:
    """An entry and its parsed facts; empty facts when they were erased."""

    row: EntryRow
    facts: Mapping[str, object]

    @property
    def after(self) -> Mapping[str, object]:
        """The snapshot the entry carries, empty for events without one."""
        found = self.facts.get("after")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest entries of a type and how many there were since a moment (at most `COUNTED` are counted)."""

    newest: tuple[Said, ...]
    count: int

    @property
    def more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count >= COUNTED


def recent(event_type: EventType, *, since: datetime, shown: int) -> Recent:
    """What happened of one type since `since`, in three queries."""
    rows = entries(type_=event_type, received_from=since, limit=COUNTED)
    said = section_facts([row.index for row in rows[:shown]])
    return Recent(tuple(Said(row, said.get(row.index, {})) for row in rows[:shown]), len(rows))


def newest_of(types: Collection[EventType]) -> dict[str, EntryRow]:
    """The newest entry of each of these types that has one, in two queries."""
    first, *others = [Entry.objects.filter(type=kind).order_by("-index").values("index")[:1] for kind in types]
    indexes = [row["index"] for row in first.union(*others, all=True)]
    return {row.type: row for row in entries_at(indexes).values()}
