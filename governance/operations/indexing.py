"""Following the log for the search: the newest snapshot of each object as words, and what ever pointed to what.

Nothing here is evidence, so nothing is told in the ledger: both tables follow from it and can be made again. An erased
snapshot takes its document with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from audit import queries as log
from audit.events import STATE_TYPES, EventType
from audit.queries import EntryRow
from audit.queries.entries import entries_at
from governance.models import Cursor, Mention, SearchDocument
from governance.operations.base import change
from governance.queries.reconciling import TABLES
from governance.queries.wording import (
    LEVELS,
    NAMES,
    name_from,
    ordered,
    ref_of,
    references,
    snapshots_at,
    subject_parts,
)
from governance.queries.words import kept, lexemes

CURSOR: Final = "search"
PAGE: Final = 500
DETAIL: Final = 300

_UPSERT: Final = """
INSERT INTO search_document (subject, kind, number, label, detail, entry_index, words)
VALUES (%s, %s, %s, %s, %s, %s, array_to_tsvector(%s::text[]))
ON CONFLICT (subject) DO UPDATE SET label = excluded.label, detail = excluded.detail,
  entry_index = excluded.entry_index, words = excluded.words
"""


@dataclass(frozen=True, slots=True)
class Indexed:
    """How many entries were read, and how many documents they made or changed."""

    entries: int
    documents: int


def index_log(*, limit: int = 20_000) -> Indexed:
    """Read on in the log, up to about `limit` entries: a page of entries, its documents and the cursor go together.

    Raises:
        Refused: the database refused a document.
    """
    read = written = 0
    while read < limit:
        page = _index_page()
        read, written = read + page.entries, written + page.documents
        if page.entries < PAGE:
            break
    return Indexed(read, written)


def rebuild_search() -> Indexed:
    """Make both tables again from the first entry on; searches find less meanwhile, and say so.

    Raises:
        Refused: the database refused a document.
    """
    with change("search"):
        _cursor()
        SearchDocument.objects.all().delete()
        Mention.objects.all().delete()
        Cursor.objects.filter(name=CURSOR).update(next_index=0)
    return index_log(limit=1 << 62)


def _cursor() -> Cursor:
    Cursor.objects.get_or_create(name=CURSOR, defaults={"next_index": 0})
    return Cursor.objects.select_for_update().get(name=CURSOR)


def _index_page() -> Indexed:
    with change("search"):
        cursor = _cursor()
        entries = log.entries_after(cursor.next_index, limit=PAGE)
        if not entries:
            return Indexed(0, 0)
        size = entries[-1].index + 1
        told = [entry for entry in entries if _tells(entry)]
        facts = log.section_facts([entry.index for entry in entries if _tells(entry) or _erases(entry)])
        _mention(told, facts)
        # In the order of the log, so that a document with a higher number is a younger object.
        gone = _erased(entries, facts)
        subjects = dict.fromkeys([*(entry.subject for entry in told), *sorted(gone), *sorted(_called_after(gone))])
        documents = _write(list(subjects), size)
        Cursor.objects.filter(pk=cursor.pk).update(next_index=size)
    return Indexed(len(entries), documents)


def _tells(entry: EntryRow) -> bool:
    return entry.source == "app" and entry.type in STATE_TYPES and subject_parts(entry.subject) is not None


def _erases(entry: EntryRow) -> bool:
    return entry.source == "app" and entry.type == EventType.SECTION_ERASED


def _erased(entries: Iterable[EntryRow], facts: Mapping[int, Mapping[str, object]]) -> set[str]:
    """Subjects of entries whose content these entries tell to be gone."""
    gone = [facts.get(entry.index, {}).get("entry") for entry in entries if _erases(entry)]
    rows = entries_at([index for index in gone if isinstance(index, int)])
    return {row.subject for row in rows.values() if _tells(row)}


def _called_after(gone: Iterable[str]) -> set[str]:
    """What may be called after these subjects: their words hold the name of what they belong to."""
    found: set[str] = set()
    last = set(gone)
    for _level in range(LEVELS - 1):
        if not last:
            break
        last = set(Mention.objects.filter(target__in=last).values_list("subject", flat=True)) - found
        found |= last
    return found


def _mention(entries: Sequence[EntryRow], facts: Mapping[int, Mapping[str, object]]) -> None:
    rows = []
    for entry in entries:
        after = facts.get(entry.index, {}).get("after")
        kind = entry.subject.partition(":")[0]
        targets = {item.subject for item in references(kind, after)} if isinstance(after, dict) else set()
        rows += [
            Mention(target=target, subject=entry.subject, entry_index=entry.index)
            for target in sorted(targets)
            if subject_parts(target)
        ]
    Mention.objects.bulk_create(rows, ignore_conflicts=True)


def _write(subjects: Sequence[str], size: int) -> int:
    found = snapshots_at(subjects, size)
    here = [subject for subject in subjects if subject in found]
    SearchDocument.objects.filter(subject__in=set(subjects) - set(here)).delete()
    numbers = dict(SearchDocument.objects.filter(subject__in=here).values_list("subject", "number"))
    newest = _newest_numbers()
    entries = {subject: state.index for subject, state in log.states_at(here, size).items()}
    rows = []
    for subject in here:
        kind, after = subject.partition(":")[0], found[subject]
        if subject not in numbers:
            newest[kind] = numbers[subject] = newest.get(kind, -1) + 1
        label = name_from(subject, found)
        words = lexemes(kind, numbers[subject], kept(_texts(kind, label, after)))
        rows.append((subject, kind, numbers[subject], label, detail_of(kind, after), entries[subject], words))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_UPSERT, rows)
    return len(rows)


def _newest_numbers() -> dict[str, int]:
    """The number of the newest document of each kind, by one look-up each: a count would read them all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, (SELECT number FROM search_document WHERE kind = k.kind ORDER BY number DESC LIMIT 1)"
            " FROM unnest(%s::text[]) k (kind)",
            [list(TABLES)],
        )
        return {kind: number for kind, number in cursor.fetchall() if number is not None}


def detail_of(kind: str, after: Mapping[str, object]) -> str:
    """A line beside the name: the first text of a snapshot that is a sentence."""
    texts = (value for name, value in ordered(kind, after).items() if isinstance(value, str) and name not in NAMES)
    return next((text[:DETAIL] for text in texts if " " in text and text[:1] not in "{["), "")


def _texts(kind: str, label: str, after: Mapping[str, object]) -> list[str]:
    """What a document is found by, best first: short texts before long ones."""
    texts = [item for value in after.values() for item in (value if isinstance(value, list) else [value])]
    plain = [text.partition(":")[2] if subject_parts(text) else text for text in texts if isinstance(text, str)]
    return [ref_of(kind, after), label, *sorted(plain, key=lambda text: len(text) > 300)]
