"""Entries about several subjects at once, each found by its own index look-up."""

from collections.abc import Iterable
from typing import Final

from django.db import connections

from audit.queries.entries import MAX_PAGE
from audit.queries.rows import EntryRow, row_of

_NEWEST: Final = """
SELECT newest.index, newest.leaf, newest.leaf_hash, newest.event_id, newest.type, newest.source, newest.subject,
       newest.actor, newest.occurred_at, newest.received_at
  FROM unnest(%s::text[]) s
 CROSS JOIN LATERAL (SELECT * FROM entry WHERE subject = s ORDER BY index DESC LIMIT %s) newest
 ORDER BY newest.index DESC LIMIT %s
"""
"""Its columns are those of `rows.COLUMNS`."""


def entries_about(subjects: Iterable[str], *, limit: int = 50) -> list[EntryRow]:
    """The newest entries about any of the subjects, newest first, in one query."""
    limit = max(0, min(limit, MAX_PAGE))
    with connections["default"].cursor() as cursor:
        cursor.execute(_NEWEST, [sorted(set(subjects)), limit, limit])
        return [row_of(tuple(values)) for values in cursor.fetchall()]
