"""A row of the log as queries give it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

COLUMNS: Final = (
    "index",
    "leaf",
    "leaf_hash",
    "event_id",
    "type",
    "source",
    "subject",
    "actor",
    "occurred_at",
    "received_at",
)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry: its place, its leaf bytes and hash, and what the leaf says."""

    index: int
    leaf: bytes
    leaf_hash: bytes
    id: str
    type: str
    source: str
    subject: str
    actor: str
    occurred_at: datetime
    received_at: datetime


def row_of(values: tuple[Any, ...]) -> EntryRow:
    """The row with these values of `COLUMNS`."""
    index, leaf, leaf_hash, event_id, *others = values
    return EntryRow(index, bytes(leaf), bytes(leaf_hash), str(event_id), *others)
