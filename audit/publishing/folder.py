"""Published files in a folder, for any static web server to serve.

A new file is written under a temporary name, flushed to the disk, renamed, and its folder flushed: after a crash or
a power cut it is there whole or not at all. Files can be read by everybody, whatever the umask: they are public.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audit.publishing.store import MAX_FILE_BYTES, File, StoreError, differs

_DRAFTS: Final = ".drafts"
_FILE_MODE: Final = 0o644
_FOLDER_MODE: Final = 0o755


class FolderStore:
    """A folder of this machine or of a mounted file system. One publisher at a time writes to it."""

    def __init__(self, root: Path) -> None:
        self.place = str(root)
        self._root = root
        self._drafts = root / _DRAFTS
        self._tidy = False
        with self._translated():
            for folder in self._make_folder(self._drafts):
                _flush_folder(folder)

    def read(self, path: str) -> bytes | None:
        """See Store.read."""
        with self._translated():
            try:
                with (self._root / path).open("rb") as file:
                    return file.read(MAX_FILE_BYTES + 1)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def add(self, files: Sequence[File]) -> None:
        """See Store.add."""
        with self._translated():
            folders = set()
            for file in files:
                target = self._root / file.path
                found = self.read(file.path)
                if found is None:
                    folders |= self._make_folder(target.parent)
                    self._write(target, file.content)
                elif found != file.content:
                    raise differs(file.path, self.place)
                # Also for a file that was there: its writer may have been killed before the folder was flushed.
                folders.add(target.parent)
            for folder in folders:
                _flush_folder(folder)

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """See Store.replace."""
        with self._translated():
            target, found = self._root / path, self.read(path)
            if found not in (content, expected):
                raise differs(path, self.place)
            if found != content:
                self._write(target, content)
            _flush_folder(target.parent)

    def remove(self, folder: str) -> None:
        """See Store.remove."""
        with self._translated():
            path = self._root / folder
            if path.is_dir():
                for file in path.iterdir():
                    file.unlink()
                path.rmdir()

    def close(self) -> None:
        """Nothing is held."""

    def _remove_drafts(self) -> None:
        """What a publisher that was killed left. Not before the first write: until then another one may be at work."""
        if not self._tidy:
            for draft in self._drafts.iterdir():
                draft.unlink()
            self._tidy = True

    def _write(self, target: Path, content: bytes) -> None:
        self._remove_drafts()
        draft = self._drafts / f"{target.name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), _FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)

    def _make_folder(self, folder: Path) -> set[Path]:
        """Make the folder and those above it; the folders in which an entry is new, to be flushed."""
        made = set()
        while not folder.is_dir():
            missing = folder
            while not missing.parent.is_dir():
                missing = missing.parent
            missing.mkdir(mode=_FOLDER_MODE)
            missing.chmod(_FOLDER_MODE)
            made.add(missing.parent)
        return made

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"The folder {self.place} does not take or give files: {error.strerror}.") from error


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
