"""A row for editing: what stands, and, when somebody else was faster, what differs from what was entered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Model as Table
from django.utils.translation import gettext as _

from audit import queries as log
from governance.queries.objects import labels
from governance.queries.people import names_of
from governance.queries.reconciling import TABLES
from governance.snapshot import snapshot
from governance.snapshot.rows import Value

LOOKED_BACK: Final = 100
"""Entries about a row among which the version that was read is looked for."""


class RowNotFound(LookupError):
    """Nothing of this kind has this id."""


@dataclass(frozen=True, slots=True)
class EditPage:
    """A row that somebody wants to change. `values` are its columns."""

    kind: str
    id: UUID
    name: str
    seen: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """A column of a row that changed under somebody's hands, as text. `clashes`: both changed it, differently."""

    name: str
    label: str
    began: str
    now: str
    entered: str
    clashes: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and `merged`: what was entered where that differs from the beginning, else what stands now."""

    lines: tuple[DifferenceLine, ...]
    merged: Mapping[str, Value]


def edit_page(kind: str, row_id: UUID, fields: Sequence[str]) -> EditPage:
    """The columns `fields` of a row as they stand.

    Raises:
        RowNotFound: there is no such row.
    """
    row = TABLES[kind]._default_manager.filter(pk=row_id).first() if kind in TABLES else None
    if row is None:
        raise RowNotFound("There is no such thing.")
    found: Any = row
    values = {name: getattr(found, name) for name in fields}
    return EditPage(kind, row_id, labels(kind, [row_id]).get(row_id, ""), found.row_version, values)


def row_snapshot(kind: str, row_id: UUID) -> dict[str, Value] | None:
    """The full snapshot of a row; None when there is none."""
    row = TABLES[kind]._default_manager.filter(pk=row_id).first()
    return snapshot(kind, row) if row is not None else None


def difference(
    kind: str, row_id: UUID, *, seen: int, current: Mapping[str, Value], entered: Mapping[str, Value]
) -> Difference:
    """What was entered against what stands and what stood in version `seen`, in a constant number of queries."""
    began = _version(f"{kind}:{row_id}", seen)
    values = [value.get(name) for value in (began, current, entered) for name in entered if name == "owner_id"]
    people = names_of(f"person:{value}" for value in values if value)
    lines, merged = [], dict(entered)
    for name, value in entered.items():
        touched = name not in began or value != began[name]
        if not touched:
            merged[name] = current[name]
        if value == current[name] and current[name] == began.get(name, value):
            continue
        lines.append(
            DifferenceLine(
                name=name,
                label=_label(TABLES[kind], name),
                began=_text(began[name], people) if name in began else "–",
                now=_text(current[name], people),
                entered=_text(value, people),
                clashes=touched and value != current[name] and current[name] != began.get(name),
            )
        )
    return Difference(tuple(lines), merged)


def _version(subject: str, seen: int) -> Mapping[str, Value]:
    """The snapshot of a row in one of its versions, as the ledger tells it; empty when it is not among the newest."""
    entries = log.entries(subject=subject, source="app", limit=LOOKED_BACK)
    for content in log.section_facts([entry.index for entry in entries]).values():
        after = content.get("after")
        if isinstance(after, dict) and after.get("row_version") == seen:
            return after
    return {}


def _label(table: type[Table], name: str) -> str:
    for field in table._meta.concrete_fields:
        if field.attname == name:
            return str(field.verbose_name)
    return name


def _text(value: Value, people: Mapping[str, str]) -> str:
    if value in (None, "", []):
        return _("none")
    if isinstance(value, list):
        return ", ".join(value)
    return people.get(f"person:{value}", str(value))
