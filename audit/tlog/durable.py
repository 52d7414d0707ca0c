"""Files that are wholly there or not there at all, also after a power cut: temporary file, fsync, rename.

A file is safe for good once the folders above it are synced too; `sync_folders` does that for many files at once.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def draft_name(name: str) -> str:
    """What the draft of a file is called until it is whole; a killed run leaves it behind."""
    return f".{name}.tmp"


def write_file(root: Path, path: str, data: bytes) -> None:
    """Put `data` at `path` (with `/`) below `root`, making folders as needed. Raises OSError; nothing is half done.

    The draft has a name of its own for each path, so the draft of a killed run is overwritten by the next.
    """
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(draft_name(place.name))
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)


def append_line(root: Path, path: str, line: bytes) -> None:
    """Add one line to a file. After a kill it may stand there in part: see `whole_lines`. Raises OSError."""
    with (root / path).open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def whole_lines(root: Path, path: str) -> None:
    """Cut off what a killed `append_line` left behind the last whole line. Raises OSError."""
    place = root / path
    if not place.exists():
        return
    with place.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        keep = end
        while keep:
            start = max(0, keep - 4096)
            file.seek(start)
            found = file.read(keep - start).rfind(b"\n")
            if found >= 0:
                keep = start + found + 1
                break
            keep = start
        if keep < end:
            file.truncate(keep)
            os.fsync(file.fileno())


def sync_folders(root: Path, paths: Iterable[str]) -> None:
    """Make the names of these files permanent: fsync every folder from theirs up to `root`. Raises OSError."""
    folders = {folder for path in paths for folder in (root / path).parents if folder.is_relative_to(root)}
    for folder in sorted(folders, key=lambda item: len(item.parts), reverse=True):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
