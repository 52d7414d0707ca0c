"""Entries as rows to hand out: what leaves say, newest first, without any content."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from audit.queries.names import candidates
from audit.queries.rows import EntryRow
from audit.queries.search import Wanted, search_all

BATCH: Final = 2000
LEDGER_COLUMNS: Final = (
    "index", "id", "type", "source", "subject", "actor", "occurred_at", "received_at", "leaf_hash",
)  # fmt: skip


class SubjectUnclear(LookupError):
    """A subject that the ledger does not know, or that may be several."""


def exact(wanted: Wanted, *, kinds: Sequence[str], hidden: str) -> Wanted:
    """`wanted` with the subject that its words mean, as it stands in a leaf.

    Raises:
        SubjectUnclear: they mean none, or several.
    """
    if not wanted.subject:
        return wanted
    meant = candidates(wanted.subject, kinds=kinds, hidden=hidden)
    if meant.one is None:
        raise SubjectUnclear
    return replace(wanted, subject=meant.one.reference)


def ledger_rows(wanted: Wanted) -> Iterator[dict[str, object]]:
    """Every entry that matches, newest first, in batches."""
    before: int | None = None
    while batch := list(search_all(wanted, before=before, limit=BATCH)):
        for row in batch:
            yield _told(row)
        before = batch[-1].index


def _told(row: EntryRow) -> dict[str, object]:
    return {
        **{column: getattr(row, column) for column in LEDGER_COLUMNS},
        "leaf_hash": row.leaf_hash.hex(),
    }
