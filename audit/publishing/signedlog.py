"""The log as the publisher is given it: leaves, signed checkpoints, keys."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Signed(NamedTuple):
    """A row of `checkpoint`: what it says of its note, and the note."""

    size: int
    root: bytes
    note: str


class EntryMissing(Exception):
    """There is no entry of this index, though a later one was signed.

    Attributes:
        index: which entry.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(f"Entry {index} is missing, though it was signed.")


class SignedLog(Protocol):
    """The log to publish: its leaves, what was signed over them, and its keys."""

    def newest(self) -> Signed | None:
        """The checkpoint of the largest tree; None before the first."""
        ...

    def at(self, size: int) -> Signed | None:
        """The checkpoint of this very size, if there is one."""
        ...

    def after(self, size: int, *, within: int) -> Signed | None:
        """The checkpoint to publish next: the largest of at most `within` entries more, else the first one beyond."""
        ...

    def leaves(self, start: int, stop: int) -> Iterator[list[bytes]]:
        """Leaf bytes from `start` to before `stop`, some at a time. Raises EntryMissing."""
        ...

    def key_statements(self) -> list[str]:
        """The signed notes that join the log's keys, in their order (audit.tlog.keyhistory)."""
        ...
