"""State from the ledger: what a subject was at a tree size, and how it came to be so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections

from audit.events import STATE_TYPES
from audit.models import Entry
from audit.queries.entries import EntryRow, section_facts
from audit.queries.entries import entries as entry_page
from audit.queries.erasures import erasures_of


@dataclass(frozen=True, slots=True)
class StateRow:
    """The snapshot of a subject and the entry that carries it."""

    subject: str
    index: int
    received_at: datetime
    after: Mapping[str, object]

    def canonical(self) -> str:
        """The snapshot as one line of JSON with sorted keys: for showing and comparing."""
        return json.dumps(self.after, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def history(subject: str, *, size: int | None = None, limit: int = 50) -> list[EntryRow]:
    """The newest entries about a subject in the tree of `size` entries, newest first."""
    return entry_page(subject=subject, before=size, limit=limit)


def state_at(subject: str, size: int) -> StateRow | None:
    """The newest snapshot of `subject` with index < size; None when nothing was recorded by then."""
    return states_at([subject], size).get(subject)


def states_at(subjects: Sequence[str], size: int) -> dict[str, StateRow]:
    """The newest snapshot of each subject with index < size, in a constant number of queries."""
    rows = {row.index: row for row in Entry.objects.filter(index__in=_newest(subjects, size))}
    states = {}
    for index, content in section_facts(list(rows)).items():
        after = content.get("after")
        if isinstance(after, dict):
            row = rows[index]
            states[row.subject] = StateRow(row.subject, index, row.received_at, after)
    return states


def snapshot_erased(subject: str, size: int) -> int | None:
    """The entry that tells the erasure of the newest snapshot of `subject` with index < size; None when it stands,
    was taken away without an erasure, or never was.
    """
    for erased in erasures_of(_newest([subject], size)).values():
        return erased.get("facts")
    return None


def newest_snapshot(subject: str, size: int) -> int | None:
    """The entry with the newest snapshot of `subject` below index `size`, whether or not its content is here."""
    return next(iter(_newest([subject], size)), None)


def _newest(subjects: Sequence[str], size: int) -> list[int]:
    with connections["default"].cursor() as cursor:
        # The newest one of each subject by its own index look-up: a deployment has all its windows as entries too.
        cursor.execute(
            "SELECT newest.index FROM unnest(%s::text[]) s CROSS JOIN LATERAL (SELECT index FROM entry"
            " WHERE subject = s AND source = 'app' AND index < %s AND type = ANY(%s)"
            " ORDER BY index DESC LIMIT 1) newest",
            [sorted(set(subjects)), size, sorted(STATE_TYPES)],
        )
        return [index for (index,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Step:
    """An entry after which a subject was something else."""

    index: int
    type: str
    received_at: datetime


def steps(subject: str, *, limit: int, most: int = 5_000) -> list[Step]:
    """The newest snapshots of a subject, oldest first, found among its newest `most` entries of ours."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT index, type, received_at FROM (SELECT index, type, received_at FROM entry"
            " WHERE subject = %s AND source = 'app' ORDER BY index DESC LIMIT %s) newest"
            " WHERE type = ANY(%s) ORDER BY index DESC LIMIT %s",
            [subject, most, sorted(STATE_TYPES), limit],
        )
        return [Step(*row) for row in reversed(cursor.fetchall())]
