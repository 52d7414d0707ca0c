"""Entries below a tree size with what they say, oldest first, in pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from audit import queries
from audit.queries import EntryRow, StateRow
from audit.queries.entries import count_about, entries_at
from governance import queries as governance

PAGE: Final = 500
MAX_SCAN: Final = 20_000
"""Entries of one type or subject looked through at most for those `keep` accepts; older ones are not found."""

Facts = Mapping[str, Any]
NOTHING: Final[Facts] = {}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entry with its `facts`; empty when they were erased or are not ours to read."""

    row: EntryRow
    facts: Facts

    @property
    def index(self) -> int:
        return self.row.index

    @property
    def after(self) -> Facts:
        """The snapshot it carries, for an entry of ours."""
        found = self.facts.get("after")
        return found if isinstance(found, dict) else NOTHING

    @property
    def data(self) -> Facts:
        """What a client said in its event."""
        found = self.facts.get("data")
        return found if isinstance(found, dict) else NOTHING


@dataclass(frozen=True)
class Ledger:
    """The ledger as it was at `size` entries."""

    size: int
    _seen: dict[int, EntryRow] = field(default_factory=dict)

    def states(self, subjects: Iterable[str]) -> dict[str, StateRow]:
        """The newest snapshot of each subject."""
        return queries.states_at(sorted(set(subjects)), self.size)

    def find(
        self,
        *,
        newest: int,
        kind: str = "",
        subject: str = "",
        source: str = "",
        keep: Callable[[Evidence], bool] = lambda _found: True,
    ) -> list[Evidence]:
        """The newest entries of a type, subject and source that `keep` accepts, oldest first."""
        found: list[Evidence] = []
        looked, before = 0, self.size
        while len(found) < newest and looked < MAX_SCAN:
            rows = queries.entries(before=before, limit=PAGE, type_=kind, subject=subject, source=source)
            found += [item for item in _opened(rows) if keep(item)]
            looked += len(rows)
            if len(rows) < PAGE:
                break
            before = rows[-1].index
        return self._remembered(list(reversed(found[:newest])))

    def of_deployment(
        self, kind: str, deployment: str, *, newest: int, keep: Callable[[Evidence], bool]
    ) -> tuple[list[Evidence], int]:
        """The newest entries of a deployment's requests, agents and so on, oldest first; and how many are left out.

        The registry only says where to look; `keep` holds what an entry says against the deployment, so that no
        changed row adds to a report. Left out are older entries and those that are not kept.
        """
        looked = governance.newest_entries(kind, UUID(deployment.partition(":")[2]), size=self.size, limit=newest)
        rows = entries_at(looked.indexes)
        kept = [item for item in _opened([rows[index] for index in looked.indexes]) if keep(item)]
        return self._remembered(kept), looked.older + len(rows) - len(kept)

    def count(self, kind: str, subjects: Iterable[str]) -> int:
        """How many entries of a type are about the subjects."""
        return count_about(subjects, type_=kind, before=self.size)

    def seen(self) -> dict[int, EntryRow]:
        """Every entry found so far, by index: for the register."""
        return dict(self._seen)

    def _remembered(self, found: list[Evidence]) -> list[Evidence]:
        self._seen.update({item.index: item.row for item in found})
        return found


def _opened(rows: Sequence[EntryRow]) -> list[Evidence]:
    facts = queries.section_facts([row.index for row in rows])
    return [Evidence(row, facts.get(row.index, NOTHING)) for row in rows]


def moment(at: datetime) -> str:
    """A time as the dataset writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def whole(value: object) -> int | None:
    """`value` when it is an integer (a JSON true is none)."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object, *, limit: int = 1000) -> str:
    """`value` when it is text, cut to what a cell can hold; empty otherwise."""
    return value[:limit] if isinstance(value, str) else ""
