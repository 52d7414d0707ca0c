"""Where published files go: the one interface of a folder and of object storage, and what each file is served as.

A file under `tile/` never changes once it is there; `checkpoint` and `keys` are replaced. No file is ever seen half
written.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

CHECKPOINT: Final = "checkpoint"
KEYS: Final = "keys"
TILES: Final = "tile/"

MAX_FILE_BYTES: Final = 256 * (2 + 65_535)
"""A full entry bundle of the largest entries; nothing that is published is larger."""


class File(NamedTuple):
    """A file to publish: its path below the log's prefix (c2sp.org/tlog-tiles) and its bytes."""

    path: str
    content: bytes


class StoreError(Exception):
    """The store did not answer, or did not take a file. That says nothing about the log: try again later."""


class Differs(Exception):
    """A published file is not what it must be.

    Attributes:
        path: which file.
    """

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(message)


class Store(Protocol):
    """A place for published files. Every method raises StoreError when the place does not serve."""

    place: str
    """The name of the place, for messages: a folder's path or s3://bucket/prefix."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, cut after MAX_FILE_BYTES + 1; None when there is no such file."""
        ...

    def add(self, files: Sequence[File]) -> None:
        """Put new files; when this returns all of them are there to stay. One that is there already must be the same.

        Raises Differs for a file that is there with other bytes; it is left as it is, others may have been written.
        """
        ...

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """Put a file in place of `expected` (None: of no file) in one step; when this returns it is there to stay.

        Raises Differs when something else is there, unless it is `content` already.
        """
        ...

    def remove(self, folder: str) -> None:
        """Remove a folder of files, if there is one: for partial tiles, which may go once the full tile is there."""
        ...

    def close(self) -> None:
        """Let go of what the store holds: connections, threads."""
        ...


def content_type(path: str) -> str:
    """The media type of a published file (c2sp.org/tlog-tiles)."""
    return "application/octet-stream" if path.startswith(TILES) else "text/plain; charset=utf-8"


def cache_control(path: str) -> str:
    """How long anybody may keep a published file."""
    return "public, max-age=31536000, immutable" if path.startswith(TILES) else "no-cache"


def differs(path: str, place: str) -> Differs:
    """For a file that is there with other bytes than the log gives."""
    return Differs(path, f"The published file {path} in {place} is not what the log's entries give: it was changed.")
