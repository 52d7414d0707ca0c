"""Checkpoints as pages: the list by keyset, and one with what it is worth: who signed, and whether the log bears it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import QuerySet

from audit.models import Checkpoint
from audit.queries.checkpoints import CheckpointRow, checkpoint_at, latest_checkpoint
from audit.queries.entries import EntryRow, entries_at
from audit.queries.keys import history
from audit.queries.proofs import consistency
from audit.queries.tree import reader
from audit.tlog.checkpoint import CheckpointError
from audit.tlog.keyhistory import KeyHistoryError, read_checkpoint_in
from audit.tlog.keys import KeyTextError, VerifierKey
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.proof import ProofError, root_nodes, verify_consistency
from audit.tlog.tree import RightEdge, TreeError

PAGE = 50
END = 1 << 62

Signature = Literal["valid", "unknown", "wrong"]


class CheckpointNotFound(LookupError):
    """No checkpoint of this size was signed."""

    def __init__(self, size: int) -> None:
        super().__init__(f"There is no checkpoint of {size} entries.")


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """A checkpoint in the list: how many entries it added to the one before, and when it came after the newest of them
    (seconds; None when that entry is not here).
    """

    row: CheckpointRow
    added: int
    waited: float | None


@dataclass(frozen=True, slots=True)
class CheckpointList:
    """A page of checkpoints, largest first; `older` and `newer` are cursors (`before`, `start`), None where none is."""

    lines: tuple[CheckpointLine, ...]
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class Continued:
    """That a checkpoint continues an older one: the proof of it, and whether it holds for both signed roots."""

    older: CheckpointRow
    newer: CheckpointRow
    hashes: tuple[bytes, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """One checkpoint.

    Attributes:
        signature: valid, when a key of this log that may sign this size did; unknown, when no such key did; wrong, when
            a signature does not fit the text.
        signers: the keys that signed it validly.
        computed: the root that the stored hashes of the log give now; None when some are missing.
        newest: the newest entry it covers; None when that is not here.
        since: that it continues the checkpoint before it; None for the first.
        until: that the newest checkpoint continues it; None for the newest itself.
    """

    row: CheckpointRow
    signature: Signature
    signers: tuple[VerifierKey, ...]
    computed: bytes | None
    newest: EntryRow | None
    previous: CheckpointRow | None
    following: CheckpointRow | None
    since: Continued | None
    until: Continued | None

    @property
    def last(self) -> int:
        """The newest entry it covers."""
        return self.row.size - 1

    @property
    def added(self) -> int:
        """Entries it covers that the one before did not."""
        return self.row.size - (self.previous.size if self.previous else 0)

    @property
    def waited(self) -> float | None:
        """Seconds from the receipt of its newest entry to its signature."""
        return None if self.newest is None else (self.row.signed_at - self.newest.received_at).total_seconds()

    @property
    def sound(self) -> bool:
        """Whether everything that is checked here holds."""
        proofs = [proof for proof in (self.since, self.until) if proof is not None]
        return self.signature == "valid" and self.computed == self.row.root and all(proof.holds for proof in proofs)


def covering_size(index: int) -> int | None:
    """The size of the oldest checkpoint that covers entry `index`; None while it waits."""
    return Checkpoint.objects.filter(size__gt=index).order_by("size").values_list("size", flat=True).first()


def checkpoint_list(*, before: int | None = None, start: int | None = None, limit: int = PAGE) -> CheckpointList:
    """Checkpoints of sizes below `before`, or from `start` up, or the newest; in two or three queries."""
    rising = start is not None and before is None
    rows = Checkpoint.objects.order_by("size" if rising else "-size")
    rows = rows.filter(size__gte=start) if rising else rows.filter(size__lt=END if before is None else before)
    found = [_row(checkpoint) for checkpoint in rows[: limit + 1]]
    more, found = len(found) > limit, found[:limit]
    if rising:
        found.reverse()
    if not found:
        return CheckpointList((), None, None)
    last = found[-1].size
    before_that = Checkpoint.objects.filter(size__lt=last).order_by("-size").values_list("size", flat=True).first()
    sizes = [*(row.size for row in found[1:]), before_that or 0]
    newest = entries_at(row.size - 1 for row in found)
    turned_down = before is not None and Checkpoint.objects.filter(size__gte=before).exists()
    return CheckpointList(
        lines=tuple(
            CheckpointLine(row, row.size - smaller, _waited(row, newest.get(row.size - 1)))
            for row, smaller in zip(found, sizes, strict=True)
        ),
        older=last if before_that is not None else None,
        newer=found[0].size + 1 if (more if rising else turned_down) else None,
    )


def checkpoint_page(size: int) -> CheckpointPage:
    """The checkpoint of `size` entries, everything about it computed anew.

    Raises:
        CheckpointNotFound: none of this size was signed.
    """
    row = checkpoint_at(size) if 0 <= size < END else None
    if row is None:
        raise CheckpointNotFound(size)
    previous = _first(Checkpoint.objects.filter(size__lt=size).order_by("-size"))
    following = _first(Checkpoint.objects.filter(size__gt=size).order_by("size"))
    latest = latest_checkpoint()
    signature, signers = _signers(row)
    return CheckpointPage(
        row=row,
        signature=signature,
        signers=signers,
        computed=_root(size),
        newest=entries_at([size - 1]).get(size - 1),
        previous=previous,
        following=following,
        since=_continued(previous, row) if previous and previous.size else None,
        until=_continued(row, latest) if latest and 0 < size < latest.size else None,
    )


def _row(found: Checkpoint) -> CheckpointRow:
    return CheckpointRow(found.size, bytes(found.root), found.note, found.signed_at)


def _first(rows: QuerySet[Checkpoint]) -> CheckpointRow | None:
    found = rows.first()
    return _row(found) if found else None


def _waited(row: CheckpointRow, newest: EntryRow | None) -> float | None:
    return None if newest is None else _seconds(newest.received_at, row.signed_at)


def _seconds(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds()


def _signers(row: CheckpointRow) -> tuple[Signature, tuple[VerifierKey, ...]]:
    try:
        said, opened = read_checkpoint_in(row.note, history())
    except (UnverifiedNoteError, KeyHistoryError, KeyTextError):
        return "unknown", ()
    except (InvalidSignatureError, MalformedNoteError, CheckpointError):
        return "wrong", ()
    if (said.size, said.root) != (row.size, row.root):
        return "wrong", ()
    return "valid", opened.signers


def _root(size: int) -> bytes | None:
    nodes = root_nodes(size)
    try:
        hash_at = reader(nodes)
        return RightEdge(size, tuple(hash_at(level, n) for level, n in nodes)).root()
    except TreeError:
        return None


def _continued(older: CheckpointRow, newer: CheckpointRow) -> Continued:
    hashes: tuple[bytes, ...] = ()
    try:
        hashes = tuple(consistency(older.size, newer.size))
        verify_consistency(older.size, newer.size, older.root, newer.root, hashes)
    except (TreeError, ProofError):
        return Continued(older, newer, hashes, holds=False)
    return Continued(older, newer, hashes, holds=True)
