"""What the signer remembers outside the database: the last tree it vouched for, and whether it has stopped.

The file is the signer's only defence against a database that was rewritten or restored, so it is replaced
whole or not at all: temporary file, fsync, rename, fsync of the folder; mode 0600.
"""

import fcntl
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.tlog.tree import EMPTY_EDGE, RightEdge, TreeError

TAIL: Final = 256
"""Leaf hashes kept of the end of the tree. A stored tile names every leaf below it; the last 255 leaves may stand
in no full tile, and the edge alone could only say that one of them was changed, not which."""

_FILE: Final = "state.json"
_LOCK: Final = "lock"
_KEYS: Final = frozenset({"edge", "frozen", "origin", "root", "size", "tail"})
_ACKNOWLEDGED: Final = "acknowledged"
_IDENTITY: Final = re.compile(r"[0-9]{1,19}:[0-9a-f]{64}", re.ASCII)
_OTHERS_MAY_WRITE: Final = 0o022


class StateUnreadable(RuntimeError):
    """The state file is there, but it is not one that a signer wrote."""


class StateInUse(RuntimeError):
    """Another signer process holds the state folder."""


class StateExposed(RuntimeError):
    """Others than its owner may write in the state folder: they could replace what the signer remembers."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """Why and since when nothing is signed any more, and which entry is at fault (None: not known)."""

    reason: str
    at: datetime
    entry_index: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The newest tree the signer vouches for.

    Attributes:
        origin: name of the log.
        edge: right edge of the tree; its size and root are what was signed or is about to be.
        tail: hashes of the last min(size, TAIL) leaves, oldest first.
        frozen: set once; only `manage.py signer --thaw` takes it back, after everything was hashed again.
        acknowledged: identities (audit.formats.alarms) of the alarms a person has looked at when thawing, in the order
            of their ids: they freeze no more.
    """

    origin: str
    edge: RightEdge = EMPTY_EDGE
    tail: tuple[bytes, ...] = ()
    frozen: Frozen | None = None
    acknowledged: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Entries of the tree."""
        return self.edge.size

    def freeze(self, reason: str, *, at: datetime, entry_index: int | None = None) -> "State":
        """The same memory, stopped until a person thaws it."""
        return replace(self, frozen=Frozen(reason, at, entry_index))

    def thaw(self, *, acknowledged: Iterable[str]) -> "State":
        """The same memory, ready to sign again; the alarms with these identities freeze no more."""
        return replace(self, frozen=None, acknowledged=_in_order({*self.acknowledged, *acknowledged}))

    def grown(self, edge: RightEdge, tail: tuple[bytes, ...]) -> "State":
        """The memory of a larger tree."""
        return replace(self, edge=edge, tail=tail)

    def to_json(self) -> str:
        """The file's text: hashes in hexadecimal, the time in ISO 8601."""
        return json.dumps(
            {
                "origin": self.origin,
                "size": self.size,
                "root": self.edge.root().hex(),
                "edge": [item.hex() for item in self.edge.hashes],
                "tail": [item.hex() for item in self.tail],
                "frozen": self.frozen
                and {
                    "reason": self.frozen.reason,
                    "at": self.frozen.at.astimezone(UTC).isoformat(),
                    "entry": self.frozen.entry_index,
                },
                _ACKNOWLEDGED: list(self.acknowledged),
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> "State":
        """Inverse of to_json. Raises StateUnreadable on anything that does not hold together."""
        try:
            content = json.loads(text)
            if content.keys() - {_ACKNOWLEDGED} != _KEYS:
                raise ValueError("unknown or missing names")
            frozen = content["frozen"] and Frozen(
                str(content["frozen"]["reason"]),
                datetime.fromisoformat(content["frozen"]["at"]),
                None if content["frozen"]["entry"] is None else int(content["frozen"]["entry"]),
            )
            edge = RightEdge(int(content["size"]), tuple(map(bytes.fromhex, content["edge"])))
            tail = tuple(map(bytes.fromhex, content["tail"]))
            if edge.root().hex() != content["root"]:
                raise ValueError("the edge does not hash to the root")
            if len(tail) != min(edge.size, TAIL):
                raise ValueError("the tail does not fit the size")
            # Absent in a file of before thawing was. One of bare ids acknowledges nothing: which alarms they were meant
            # to name cannot be told.
            named = [item for item in content.get(_ACKNOWLEDGED, ()) if not isinstance(item, int)]
            if not all(map(_IDENTITY.fullmatch, named)):
                raise ValueError("an alarm's name is malformed")
            return cls(str(content["origin"]), edge, tail, frozen, _in_order(named))
        except (ValueError, TypeError, KeyError, AttributeError, TreeError) as error:
            raise StateUnreadable(
                f"The signer's {_FILE} is damaged ({error}). Put back the copy that belongs to this log; "
                f"do not delete it: without it a rewritten log could be signed."
            ) from error


def _in_order(identities: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(identities, key=lambda identity: (int(identity.partition(":")[0]), identity)))


@dataclass(frozen=True, slots=True)
class StateDir:
    """The signer's own folder; what is in it must not be in any backup of the database."""

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the kernel lets go when the process dies.

        Raises StateInUse, and StateExposed when others may write in it.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(self.path.stat().st_mode)
        if mode & _OTHERS_MAY_WRITE:
            raise StateExposed(
                f"{self.path} can be written by others (mode {mode:04o}), who could replace what the signer remembers: "
                "chmod 700 it, and see that nothing in it was changed."
            )
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateInUse(
                    f"Another signer works in {self.path}. One log has one signer: stop the other one first."
                ) from None
            yield
        finally:
            os.close(descriptor)

    def load(self) -> State | None:
        """The state kept here; None when this folder never held one. Raises StateUnreadable."""
        try:
            text = (self.path / _FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise StateUnreadable(f"The signer's {_FILE} is not text.") from error
        return State.from_json(text)

    def set_aside(self) -> None:
        """Keep what is left of a state that is about to be made anew: it may be evidence."""
        with suppress(FileNotFoundError):
            (self.path / _FILE).replace(self.path / f"{_FILE}.old")

    def save(self, state: State) -> None:
        """Replace the state. When this returns it survives a power cut; when it raises OSError, sign
        nothing.
        """
        write_private(self.path / _FILE, state.to_json())


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 that is either wholly there or not changed at all, also after a power cut."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a renaming or removal in this folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
