"""Signed checkpoints and the size of the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from audit.models import Checkpoint, Head, SignerLease


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed note over the first `size` entries and their root."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


def _row(found: Checkpoint | None) -> CheckpointRow | None:
    if found is None:
        return None
    return CheckpointRow(found.size, bytes(found.root), found.note, found.signed_at)


def latest_checkpoint() -> CheckpointRow | None:
    """The checkpoint with the largest tree size; None before the signer has signed."""
    return _row(Checkpoint.objects.order_by("-size").first())


def checkpoint_covering(index: int) -> CheckpointRow | None:
    """The oldest checkpoint that covers the entry at `index`; None while it waits for the signer."""
    return _row(Checkpoint.objects.filter(size__gt=index).order_by("size").first())


def checkpoint_at(size: int) -> CheckpointRow | None:
    """The checkpoint of exactly this tree size, if one was signed."""
    return _row(Checkpoint.objects.filter(size=size).first())


def all_checkpoints() -> Iterator[CheckpointRow]:
    """Every checkpoint, largest first."""
    for found in Checkpoint.objects.order_by("-size").iterator(chunk_size=500):
        yield CheckpointRow(found.size, bytes(found.root), found.note, found.signed_at)


def is_frozen() -> bool:
    """Whether the signer has stopped for good, so that waiting for a checkpoint is in vain."""
    return SignerLease.objects.exclude(frozen_reason="").exists()


def head_size() -> int:
    """How many entries the log holds."""
    return Head.objects.values_list("size", flat=True).get(id=1)
