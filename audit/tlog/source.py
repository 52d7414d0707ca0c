"""Where a log's files come from: one small reading interface, and a folder as one source of them.

Paths are those of c2sp.org/tlog-tiles, relative to the log's prefix, with `/` on every system. The files may
come from anybody, so every read has a limit and no path leads out of the source.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar

_PATH: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,64}(?:/(?!\.)[A-Za-z0-9._-]{1,64}){0,31}", re.ASCII)

# Where the system knows these: opening a pipe or a terminal neither waits nor takes it over, and a link that is
# put in place after the path was resolved is not followed.
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_NOFOLLOW", "O_BINARY")
)

_FOLDERS_KEPT: Final = 4096

_Found = TypeVar("_Found")


class SourceError(Exception):
    """A log's file cannot be read: network, permission, size. The text says what, for a user to act on."""


class NotThere(SourceError):
    """The source has no such file."""


class TooLarge(SourceError):
    """The file has more bytes than such a file can have."""


class Source(Protocol):
    """Something that holds the files of one log."""

    def read(self, path: str, limit: int) -> bytes:
        """The whole file at `path`, relative to the log's prefix, of at most `limit` bytes.

        Raises NotThere when there is none, TooLarge, or SourceError when it cannot be read.
        """
        ...


class Stamp(NamedTuple):
    """What a file system tells of a file without reading it."""

    inode: int
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since 1970."""
    changed: int
    """Nanoseconds since 1970 of the last change to content or properties; not settable on POSIX systems."""


class FolderSource:
    """The log's files in a folder of this machine. Symbolic links may lead around in it, never out of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._folder = lru_cache(maxsize=_FOLDERS_KEPT)(self._resolve_folder)

    def read(self, path: str, limit: int) -> bytes:
        """The whole file; see Source.read."""
        with self.open(path) as file:
            try:
                data = file.read(min(os.fstat(file.fileno()).st_size, limit) + 1)
                # One read may return less than the file has, for example on a network file system.
                while len(data) <= limit and (more := file.read(limit + 1 - len(data))):
                    data += more
            except OSError as error:
                raise SourceError(f"{path} in {self.root} cannot be read: {error.strerror}.") from None
        if len(data) > limit:
            raise TooLarge(f"{path} in {self.root} has more than {limit} bytes, the most that it can have.")
        return data

    def open(self, path: str) -> FileIO:
        """The plain file at `path`, to be read in pieces and closed. Raises NotThere or SourceError."""
        descriptor = self._reach(path, lambda place: os.open(place, _FLAGS))
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SourceError(f"{path} in {self.root} is not a plain file.")
        return FileIO(descriptor)

    def stamp(self, path: str) -> Stamp:
        """Size and times of the file at `path`, which is not opened. Raises NotThere or SourceError."""
        found = self._reach(path, _look_at)
        return Stamp(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def _reach(self, path: str, way: Callable[[str], _Found]) -> _Found:
        """What `way` does to the file, with its errors told as a source tells them."""
        if not _PATH.fullmatch(path):
            raise SourceError(f"{path[:80]!r} is not a path inside a log.")
        folder, _, name = path.rpartition("/")
        place = f"{self._folder(folder)}/{name}"
        try:
            try:
                return way(place)
            except OSError as error:
                # A link: O_NOFOLLOW refuses it as ELOOP, or as EMLINK on FreeBSD.
                if error.errno not in (errno.ELOOP, errno.EMLINK):
                    raise
                return way(self._inside(os.path.realpath(place), path))
        except (FileNotFoundError, NotADirectoryError):
            raise NotThere(f"{self.root} has no file {path}.") from None
        except OSError as error:
            raise SourceError(f"{path} in {self.root} cannot be opened: {error.strerror}.") from None

    def _resolve_folder(self, folder: str) -> str:
        return self._inside(os.path.realpath(f"{self._real}/{folder}"), folder)

    def _inside(self, place: str, path: str) -> str:
        if os.path.commonpath((place, self._real)) != self._real:
            raise SourceError(f"{path} in {self.root} is a link that leads out of the folder.")
        return place


def _look_at(place: str) -> os.stat_result:
    found = Path(place).lstat()
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "it is a link")
    return found
