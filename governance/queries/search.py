"""One search over everything that the registry has in the ledger: by word, reference, id, digest and entry number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from audit import queries as log
from governance.models import Cursor
from governance.queries.reconciling import TABLES
from governance.queries.wording import subject_parts
from governance.queries.words import LONGEST_ASKED, SHELF, asked, template, words_of

CURSOR: Final = "search"
SHOWN: Final = 8
MOST: Final = 200
FETCHED: Final = 250
"""Matches of one shelf that are fetched: with more of them, those shown need not be the newest."""

LOOKED_AT: Final = 24
"""Newest matches of a kind among which those with the words in their name come first."""

# Shelf by shelf, newest first, until there are enough; of a shelf with very many matches only some are fetched. So a
# word that is in every document reads one shelf of the index and a few rows.
_FIND: Final = """
SELECT hit.subject, hit.label, hit.detail, hit.entry_index
FROM unnest(%(kinds)s::text[]) WITH ORDINALITY k (kind, place)
CROSS JOIN LATERAL (
  SELECT d.number / %(shelf)s AS top FROM search_document d WHERE d.kind = k.kind ORDER BY d.number DESC LIMIT 1
) newest
CROSS JOIN LATERAL (
  SELECT d.* FROM generate_series(newest.top, 0, -1) s (shelf)
  CROSS JOIN LATERAL (
    SELECT * FROM (
      SELECT subject, label, detail, entry_index, number FROM search_document
      WHERE words @@ replace(%(words)s, '#', k.kind || '/' || s.shelf || '/')::tsquery LIMIT %(most)s
    ) held ORDER BY number DESC LIMIT %(limit)s
  ) d
  LIMIT %(limit)s
) hit
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An object that was found. `entry` carries its newest snapshot."""

    kind: str
    id: UUID
    label: str
    detail: str
    entry: int


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind; `more`: there is more of it."""

    kind: str
    hits: tuple[Hit, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Results:
    """The answer to a question.

    Attributes:
        asked: the question as it was taken. `words`: what was looked for; empty when the question holds no word.
        entry: the entry of the ledger with this number, None when there is none.
        behind: entries of the log that the search has not read yet.
    """

    asked: str
    words: tuple[str, ...]
    groups: tuple[Group, ...]
    entry: int | None
    behind: int

    @property
    def count(self) -> int:
        """How many objects are shown."""
        return sum(len(group.hits) for group in self.groups)


def search(text: str, *, kind: str = "", limit: int = SHOWN) -> Results:
    """What the question `text` finds, by kind, in three queries; of one kind when `kind` is one."""
    question = " ".join("".join(c if c.isprintable() else " " for c in text[:LONGEST_ASKED]).split())
    words = asked(question)
    limit = max(1, min(limit, MOST))
    head = log.head_size()
    kinds = [kind] if kind in TABLES else [] if kind else list(TABLES)
    found = _find(words, kinds, max(limit, LOOKED_AT) + 1) if words else {}
    groups = tuple(Group(of, _best(hits, words)[:limit], len(hits) > limit) for of, hits in found.items())
    digits = question.replace(",", "").replace(" ", "")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
    return Results(question, words, groups, number if number is not None and number < head else None, behind(head))


def found_ids(kind: str, text: str, *, limit: int) -> list[UUID]:
    """Ids of the newest objects of a kind that a question finds."""
    words = asked(text)
    return [hit.id for hits in _find(words, [kind], limit).values() for hit in hits] if words else []


def behind(head: int) -> int:
    """How many of the log's `head` entries the search has not read yet."""
    read = Cursor.objects.filter(name=CURSOR).values_list("next_index", flat=True).first() or 0
    return max(0, head - read)


def _find(words: Sequence[str], kinds: Sequence[str], limit: int) -> dict[str, list[Hit]]:
    values: dict[str, str | int | list[str]] = {
        "kinds": list(kinds),
        "shelf": SHELF,
        "words": template(words),
        "limit": limit,
        "most": max(FETCHED, limit),
    }
    found: dict[str, list[Hit]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, values)
        for subject, label, detail, entry in cursor.fetchall():
            parts = subject_parts(subject)
            if parts:
                found.setdefault(parts[0], []).append(Hit(*parts, label, detail, entry))
    return found


def _best(hits: Sequence[Hit], words: Sequence[str]) -> tuple[Hit, ...]:
    """Those first whose name has all the words; newest first among both."""

    def elsewhere(hit: Hit) -> bool:
        held = [*words_of(hit.label), "".join(words_of(hit.label.partition(" ")[0]))]
        return not all(any(word.startswith(wanted) for word in held) for wanted in words)

    return tuple(sorted(hits, key=elsewhere))
