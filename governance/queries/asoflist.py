"""The objects of a kind as they stood at a tree size, newest first: from the entries that their lives begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from audit import queries as log
from audit.queries.entries import EntryRow, entries_at
from governance.queries.asof import clamp
from governance.queries.reconciling import REGISTERED_BY, TABLES
from governance.queries.wording import name_from, snapshots_at, subject_parts

PAGE: Final = 50
MOST_LIMIT: Final = 200
MOST_READ: Final = 1_000
"""Objects that a filter by name looks at for one page; the page says so and leads on."""


class NoSuchKind(LookupError):
    """Rows of this kind are not governed."""

    def __init__(self) -> None:
        super().__init__("There is no such kind of object.")


@dataclass(frozen=True, slots=True)
class AsOfLine:
    """One object. `entry` carries its snapshot at the tree size; without one the snapshot is gone.

    Attributes:
        after: the snapshot itself.
        began: the entry that its life begins with, received at `began_at`.
    """

    id: UUID
    name: str
    began: int
    began_at: datetime
    entry: int | None
    after: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class AsOfList:
    """A page of the objects of a kind at tree size `at`; `head` is the log's size now.

    Attributes:
        older: where the next page begins; None when nothing is left. `cut`: it is short because enough was read.
    """

    kind: str
    at: int
    head: int
    at_time: datetime | None
    lines: tuple[AsOfLine, ...]
    older: int | None
    cut: bool

    @property
    def now(self) -> bool:
        """Whether the page tells of the log as it is."""
        return self.at == self.head

    @property
    def last(self) -> int:
        """The newest entry that the page knows of."""
        return self.at - 1


def objects_at(
    kind: str, *, at: int | None = None, before: int | None = None, name: str = "", limit: int = PAGE
) -> AsOfList:
    """The objects of a kind, by the entries they begin with, newest first.

    Args:
        before: only those that begin below this index, as `older` of another page gave it.
        name: only those with this in their name, whatever its case.

    Raises:
        NoSuchKind: there is none.
    """
    if kind not in TABLES:
        raise NoSuchKind
    head = log.head_size()
    at = clamp(at, head)
    limit = max(1, min(limit, MOST_LIMIT))
    place = at if before is None else min(before, at)
    lines: list[AsOfLine] = []
    read, older = 0, None
    while True:
        rows = log.entries(type_=REGISTERED_BY[kind], before=place, limit=limit + 1)
        found = _lines(kind, rows[:limit], at, name.casefold())
        lines += found
        read += len(rows)
        older = rows[limit - 1].index if len(rows) > limit else None
        if older is None or len(lines) >= limit or read >= MOST_READ:
            break
        place = older
    if len(lines) > limit:
        lines, older = lines[:limit], lines[limit - 1].began
    newest = entries_at([at - 1]).get(at - 1) if at else None
    return AsOfList(
        kind=kind,
        at=at,
        head=head,
        at_time=newest.received_at if newest else None,
        lines=tuple(lines),
        older=older,
        cut=older is not None and len(lines) < limit,
    )


def _lines(kind: str, rows: Sequence[EntryRow], at: int, name: str) -> list[AsOfLine]:
    subjects = {row.subject: row for row in rows if row.source == "app" and subject_parts(row.subject)}
    states = log.states_at(sorted(subjects), at)
    found = snapshots_at(subjects, at)
    lines = []
    for subject, row in subjects.items():
        parts, state = subject_parts(subject), states.get(subject)
        label = name_from(subject, found)
        if parts is None or parts[0] != kind or name not in label.casefold():
            continue
        index = state.index if state else None
        lines.append(AsOfLine(parts[1], label, row.index, row.received_at, index, state.after if state else None))
    return lines
