"""Entries of the log and the sections behind them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections
from django.db.models import BigIntegerField, Func, Sum

from audit.models import Entry, Section
from audit.queries.rows import COLUMNS, EntryRow, row_of
from audit.queries.search import Wanted, search_all

__all__ = [
    "MAX_PAGE",
    "EntryNotFound",
    "EntryRow",
    "SectionRow",
    "bodies_of",
    "count_about",
    "entries",
    "entries_after",
    "entries_at",
    "entry",
    "known_subjects",
    "section_facts",
    "sections_of",
    "sources_of",
]

MAX_PAGE = 500


class EntryNotFound(LookupError):
    """No entry stands at this index yet."""

    def __init__(self, index: int) -> None:
        super().__init__(f"There is no entry {index} in this log.")


@dataclass(frozen=True, slots=True)
class SectionRow:
    """An opened section of an entry: the bytes and the salt that open its commitment."""

    entry_index: int
    name: str
    salt: bytes
    body: bytes
    media: str


def _row(found: Entry) -> EntryRow:
    return row_of(tuple(getattr(found, column) for column in COLUMNS))


def entry(index: int) -> EntryRow:
    """The entry at `index`.

    Raises:
        EntryNotFound: the log is shorter.
    """
    found = Entry.objects.filter(index=index).first() if 0 <= index < 1 << 63 else None
    if found is None:
        raise EntryNotFound(index)
    return _row(found)


def entries(
    *,
    before: int | None = None,
    limit: int = 50,
    type_: str = "",
    subject: str = "",
    source: str = "",
    received_from: datetime | None = None,
    received_to: datetime | None = None,
) -> list[EntryRow]:
    """Entries newest first, by keyset: those below index `before`, filtered by equality and by time
    (`received_from` included, `received_to` not). However many entries must be read to find them, they are read;
    `audit.queries.search` is for who can wait only so long.
    """
    wanted = Wanted(type_, subject, source, received_from, received_to)
    return list(search_all(wanted, before=before, limit=min(limit, MAX_PAGE)))


def entries_after(index: int, limit: int = 200) -> list[EntryRow]:
    """The next entries of the log, oldest first, from `index` on: what a follower reads with its cursor."""
    rows = Entry.objects.filter(index__gte=index).order_by("index")
    return [_row(found) for found in rows[: min(limit, MAX_PAGE)]]


def entries_at(indexes: Iterable[int]) -> dict[int, EntryRow]:
    """The entries at these indexes, by index; an index the log has not reached is left out."""
    return {found.index: _row(found) for found in Entry.objects.filter(index__in=sorted(set(indexes)))}


def count_about(subjects: Iterable[str], *, type_: str, before: int) -> int:
    """How many entries of a type below index `before` are about one of the subjects."""
    return Entry.objects.filter(subject__in=sorted(set(subjects)), type=type_, index__lt=before).count()


def sources_of(indexes: Iterable[int]) -> dict[int, str]:
    """The source of each entry, by index; an index the log has not reached is left out."""
    wanted = sorted({index for index in indexes if 0 <= index < 1 << 63})
    return dict(Entry.objects.filter(index__in=wanted).values_list("index", "source"))


def bodies_of(indexes: Iterable[int], names: Collection[str] | None = None) -> int:
    """How many bytes the sections of these entries hold, without reading them; of those names when given."""
    rows = Section.objects.filter(entry_index__in=sorted(set(indexes)))
    if names is not None:
        rows = rows.filter(name__in=sorted(set(names)))
    lengths = rows.aggregate(total=Sum(Func("body", function="octet_length", output_field=BigIntegerField())))
    return lengths["total"] or 0


def sections_of(indexes: int | Sequence[int]) -> dict[int, list[SectionRow]]:
    """The sections that are kept of one or many entries, by entry and in order of their names."""
    wanted = [indexes] if isinstance(indexes, int) else sorted(set(indexes))
    found: dict[int, list[SectionRow]] = {index: [] for index in wanted}
    for row in Section.objects.filter(entry_index__in=wanted).order_by("entry_index", "name"):
        found[row.entry_index].append(
            SectionRow(row.entry_index, row.name, bytes(row.salt), bytes(row.body), row.media)
        )
    return found


def section_facts(indexes: Sequence[int]) -> dict[int, Mapping[str, object]]:
    """The parsed `facts` section of each entry that still has one in JSON."""
    parsed: dict[int, Mapping[str, object]] = {}
    rows = Section.objects.filter(entry_index__in=sorted(set(indexes)), name="facts", media="application/json")
    for row in rows:
        try:
            content = json.loads(bytes(row.body))
        except (ValueError, RecursionError):
            continue  # only a change behind our back can do this; the page that says so must still open
        if isinstance(content, dict):
            parsed[row.entry_index] = content
    return parsed


def known_subjects(subjects: Iterable[str]) -> set[str]:
    """Those of the subjects that stand in the ledger in clear, because Assay issued them."""
    with connections["default"].cursor() as cursor:
        # EXISTS stops at the first entry; a subject may have millions.
        cursor.execute(
            "SELECT s FROM unnest(%s::text[]) s WHERE EXISTS (SELECT FROM entry WHERE subject = s AND source = 'app')",
            [sorted(set(subjects))],
        )
        return {str(subject) for (subject,) in cursor.fetchall()}
