"""Any governed object as it stood at a tree size: from the ledger's snapshots alone, never from the tables."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit import queries as log
from audit.events import STATE_TYPES
from audit.queries.absences import is_absent
from audit.queries.entries import EntryRow, entries_at
from audit.queries.names import names_on_pages
from governance.models import Mention
from governance.queries.reconciling import TABLES
from governance.queries.wording import (
    Reference,
    columns,
    field_label,
    name_from,
    names_at,
    ordered,
    references,
    snapshots_at,
    subject_parts,
)
from governance.queries.words import MOMENT

PAGE: Final = 20
MOST_STEPS: Final = 200
MOST_REFERRING: Final = 50
LONGEST: Final = 20_000

_CODE = re.compile(r"[0-9a-f]{40,}|[0-9a-f]{8}-[0-9a-f-]{27}")

State = Literal["here", "erased", "absent", "unknown"]


class NoSuchObject(LookupError):
    """No entry of this log is about such an object."""

    def __init__(self) -> None:
        super().__init__("No entry of this log tells of such an object.")


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as people read it.

    Attributes:
        kind, id: the governed object it points to.
        block: it stands as it is, line by line. `code`: it is for programs. `moment`: it is this time.
    """

    text: str
    kind: str = ""
    id: UUID | None = None
    block: bool = False
    code: bool = False
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One column: its name in the snapshot, what people call it, its values."""

    name: str
    label: str
    values: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What an entry changed in one column: in words, and as the snapshots hold it."""

    name: str
    label: str
    old: tuple[Shown, ...]
    new: tuple[Shown, ...]
    was: object
    became: object


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry about the object. `begins`: its first snapshot; `gone`: a snapshot that is no longer here."""

    row: EntryRow
    actor: str
    changes: tuple[ChangeLine, ...]
    begins: bool
    gone: bool


@dataclass(frozen=True, slots=True)
class Referring:
    """An object that pointed to this one at the tree size."""

    kind: str
    id: UUID
    name: str
    field: str
    label: str


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One object at tree size `at`.

    Attributes:
        head: entries of the log now. `at_time`: when the newest entry below `at` was received.
        state: whether its snapshot is here, was erased (`erased_by` tells), was never imported, or is none yet.
        entry: the index of that snapshot; `actor` made it at `entry_time`.
        steps: entries after which it was something else; `step` is the place of `entry` among them, None outside.
        earlier, later: tree sizes just after the snapshot before and after this one.
        older: where the next page of history starts; None when nothing is left.
    """

    kind: str
    id: UUID
    name: str
    at: int
    head: int
    at_time: datetime | None
    state: State
    erased_by: int | None
    entry: int | None
    entry_time: datetime | None
    actor: str
    after: Mapping[str, object] | None
    fields: tuple[FieldLine, ...]
    referring: tuple[Referring, ...]
    more_referring: bool
    steps: tuple[log.Step, ...]
    step: int | None
    earlier: int | None
    later: int | None
    history: tuple[HistoryEntry, ...]
    older: int | None

    @property
    def now(self) -> bool:
        """Whether the page tells of the log as it is."""
        return self.at == self.head

    @property
    def last(self) -> int:
        """The newest entry that the page knows of."""
        return self.at - 1


def clamp(at: int | None, head: int) -> int:
    """A tree size that the log has reached; its own size for none or one to come."""
    return head if at is None or at > head else at


def step_size(kind: str, object_id: UUID, *, base: int, step: int) -> int | None:
    """The tree size just after the `step`-th snapshot from entry `base` on, as the slider counts; None beyond."""
    found = [item.index for item in log.steps(f"{kind}:{object_id}", limit=MOST_STEPS) if item.index >= base]
    return found[step] + 1 if 0 <= step < len(found) else None


def object_page(kind: str, object_id: UUID, *, at: int | None = None, before: int | None = None) -> ObjectPage:
    """One object at a tree size (now without one), in a constant number of queries.

    Args:
        before: the history below this index, as `older` of another page gave it.

    Raises:
        NoSuchObject: no entry of the whole log tells of it, or there is no such kind.
    """
    if kind not in TABLES:
        raise NoSuchObject
    subject, head = f"{kind}:{object_id}", log.head_size()
    at = clamp(at, head)
    steps = log.steps(subject, limit=MOST_STEPS)
    if not steps and log.newest_snapshot(subject, head) is None:
        raise NoSuchObject
    entry = log.newest_snapshot(subject, at)
    found = snapshots_at([subject], at)
    after = found.get(subject, {})
    told = entries_at([index for index in (entry, at - 1) if index is not None and index >= 0])
    made = told.get(entry) if entry is not None else None
    history, older = _history(subject, at, before)
    erased_by = log.snapshot_erased(subject, at) if entry is not None and not after else None
    referring, more = _referring(subject, at)
    newest = name_from(subject, found) or names_at([subject], head).get(subject, "")
    return ObjectPage(
        kind=kind,
        id=object_id,
        name=newest or str(object_id)[:8],
        at=at,
        head=head,
        at_time=told[at - 1].received_at if at - 1 in told else None,
        state=_state(entry, after, erased_by),
        erased_by=erased_by,
        entry=entry,
        entry_time=made.received_at if made else None,
        actor=names_on_pages([made.actor]).get(made.actor, made.actor) if made else "",
        after=after or None,
        fields=field_lines(kind, after, at),
        referring=referring,
        more_referring=more,
        steps=tuple(steps),
        step=next((place for place, item in enumerate(steps) if item.index == entry), None),
        earlier=_after(log.newest_snapshot(subject, entry)) if entry is not None else None,
        later=next((item.index + 1 for item in steps if item.index >= at), None),
        history=history,
        older=older,
    )


def field_lines(kind: str, after: Mapping[str, object], at: int) -> tuple[FieldLine, ...]:
    """The columns of a snapshot in words."""
    names = names_at({item.subject for item in references(kind, after)}, at)
    return tuple(
        FieldLine(name, field_label(kind, name), _values(kind, name, after, names)) for name in ordered(kind, after)
    )


def _state(entry: int | None, after: Mapping[str, object], erased_by: int | None) -> State:
    if entry is None:
        return "unknown"
    if after:
        return "here"
    return "erased" if erased_by is not None or not is_absent(entry, "facts") else "absent"


def _after(index: int | None) -> int | None:
    return None if index is None else index + 1


def _values(kind: str, name: str, after: Mapping[str, object], names: Mapping[str, str]) -> tuple[Shown, ...]:
    value = after.get(name)
    pointed = {_tail(item, value): item for item in references(kind, {name: value})}
    items = value if isinstance(value, list) else [value]
    return tuple(_shown(kind, name, item, pointed.get(str(item)), names) for item in items) or (Shown("–"),)


def _tail(item: Reference, value: object) -> str:
    """The text in the snapshot that this reference is: an id alone, or with its kind."""
    values = value if isinstance(value, list) else [value]
    return item.subject if item.subject in values else item.subject.partition(":")[2]


def _shown(kind: str, name: str, value: object, pointed: Reference | None, names: Mapping[str, str]) -> Shown:
    if pointed:
        parts = subject_parts(pointed.subject)
        text = names.get(pointed.subject, str(value))
        return Shown(text, *parts) if parts else Shown(text)
    if value is None or value == "":
        return Shown("–")
    if isinstance(value, bool):
        return Shown(pgettext("answer", "Yes") if value else pgettext("answer", "No"))
    if isinstance(value, int):
        return Shown(str(value) if name.endswith("number") else f"{value:,}")
    field = columns(kind).get(name)
    choices = dict(getattr(field, "flatchoices", ())) if field else {}
    if value in choices:
        return Shown(str(choices[value]))
    return _text(str(value))


def _text(value: str) -> Shown:
    if value[:1] in "{[":
        try:
            value = json.dumps(json.loads(value), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return Shown(value[:LONGEST])
        return Shown(value if len(value) <= LONGEST else f"{value[:LONGEST]}\n{_('Cut here.')}", block=True)
    if MOMENT.fullmatch(value):
        return Shown(value, moment=datetime.fromisoformat(value))
    return Shown(value[:LONGEST], code=_CODE.fullmatch(value) is not None)


def _referring(subject: str, at: int) -> tuple[tuple[Referring, ...], bool]:
    """What pointed to the subject: whatever ever did, held against its snapshot at the tree size."""
    rows = Mention.objects.filter(target=subject, entry_index__lt=at).order_by("-entry_index", "subject")
    subjects = list(rows.values_list("subject", flat=True)[: MOST_REFERRING + 1])
    found = snapshots_at(subjects[:MOST_REFERRING], at)
    lines = []
    for item in subjects[:MOST_REFERRING]:
        parts = subject_parts(item)
        if parts is None or item not in found:
            continue
        field = next((held.field for held in references(parts[0], found[item]) if held.subject == subject), "")
        if field:
            lines.append(Referring(*parts, name_from(item, found), field, field_label(parts[0], field)))
    return tuple(lines), len(subjects) > MOST_REFERRING


def _history(subject: str, at: int, before: int | None) -> tuple[tuple[HistoryEntry, ...], int | None]:
    end = at if before is None else min(before, at)
    rows = log.entries(subject=subject, before=end, limit=PAGE + 1)
    page = rows[:PAGE]
    ours = [row for row in page if row.source == "app" and row.type in STATE_TYPES]
    beneath = log.newest_snapshot(subject, ours[-1].index) if ours else None
    facts = log.section_facts([*(row.index for row in ours), *([beneath] if beneath is not None else [])])
    order = [*(row.index for row in ours), *([beneath] if beneath is not None else [])]
    pairs = {index: order[place + 1] if place + 1 < len(order) else None for place, index in enumerate(order)}
    actors = names_on_pages([row.actor for row in page])
    kind = subject.partition(":")[0]
    changed = {row.index: _changed(kind, facts, row.index, pairs[row.index]) for row in ours}
    names = names_at(_pointed(kind, changed.values()), at)
    lines = tuple(
        HistoryEntry(
            row=row,
            actor=actors.get(row.actor, row.actor),
            changes=_change_lines(kind, changed.get(row.index), names),
            begins=row.index in pairs and pairs[row.index] is None,
            gone=row.index in pairs and row.index not in facts,
        )
        for row in page
    )
    return lines, page[-1].index if len(rows) > PAGE else None


_Pair = tuple[Mapping[str, object], Mapping[str, object]]


def _changed(kind: str, facts: Mapping[int, Mapping[str, object]], index: int, older: int | None) -> _Pair | None:
    """The snapshots before and after an entry, of the columns that differ; None when one of them is not here."""
    if older is None:
        return None
    new, old = (facts.get(place, {}).get("after") for place in (index, older))
    if not isinstance(new, dict) or not isinstance(old, dict):
        return None
    differ = [name for name in ordered(kind, {**old, **new}) if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in differ}, {name: new.get(name) for name in differ}


def _pointed(kind: str, pairs: Iterable[_Pair | None]) -> set[str]:
    return {item.subject for pair in pairs if pair for side in pair for item in references(kind, side)}


def _change_lines(kind: str, pair: _Pair | None, names: Mapping[str, str]) -> tuple[ChangeLine, ...]:
    if pair is None:
        return ()
    old, new = pair
    return tuple(
        ChangeLine(
            name,
            field_label(kind, name),
            _values(kind, name, old, names),
            _values(kind, name, new, names),
            old[name],
            new[name],
        )
        for name in new
    )
