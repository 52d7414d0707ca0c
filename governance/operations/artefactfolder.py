"""Registering every file of a folder as an artefact of a version: hashed as a stream, and resumable."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from audit.models import User
from governance.formats.artefacts import judged
from governance.models import ModelArtefact, ModelVersion
from governance.operations.artefacts import File, add_artefact
from governance.operations.base import Refused

MAX_FILES: Final = 10_000
BLOCK: Final = 1 << 22
TOLD_EVERY: Final = 1 << 30
_START: Final = 16

Progress = Callable[[str, int, int], None]
"""Told of a file while it is hashed: its path, how many bytes are done, and how many it has."""


@dataclass(frozen=True, slots=True)
class FolderDone:
    """What a run over a folder did."""

    added: int
    skipped: int


def add_artefacts_from_folder(
    *, login: str, model_name: str, version: str, folder: Path, progress: Progress, now: datetime
) -> FolderDone:
    """Register the files below `folder` in the name of a log-in, each in a transaction of its own.

    A path that stands already with the same length is skipped without being read, so a run that was cut off is
    simply started again.

    Raises:
        Refused: nobody or nothing by that name, a file that cannot be read or changes while it is read, or one that
            stands with another length.
    """
    by = User.objects.filter(username=login).first()
    if by is None:
        raise Refused("as", f"{login!r} is no log-in.")
    found = ModelVersion.objects.filter(model__name=model_name, version=version).first()
    if found is None:
        raise Refused("version", f"{model_name} {version} is not registered.")
    stands = dict(ModelArtefact.objects.filter(model_version=found).values_list("name", "size_bytes"))
    added = skipped = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        size = path.stat().st_size
        if name in stands:
            if stands[name] not in {None, size}:
                raise Refused("folder", f"{name} has {size} bytes and stands with {stands[name]}; it is another file.")
            skipped += 1
            continue
        add_artefact(by=by, file=_hashed(path, name, progress), model_version_id=found.pk, now=now)
        added += 1
    return FolderDone(added, skipped)


def _files(folder: Path) -> Iterator[Path]:
    """Regular files below the folder, in the order of their names; links are not followed."""
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        raise Refused("folder", f"{folder}: {error.strerror or 'cannot be read'}.") from error
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if len(found) > MAX_FILES:
        raise Refused("folder", f"holds more than {MAX_FILES} files; this is not the folder of one model.")
    return iter(found)


def _hashed(path: Path, name: str, progress: Progress) -> File:
    try:
        before = path.stat()
        digest, done, start = hashlib.sha256(), 0, b""
        progress(name, 0, before.st_size)
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                start = start or block[:_START]
                digest.update(block)
                if (done + len(block)) // TOLD_EVERY > done // TOLD_EVERY:
                    progress(name, done + len(block), before.st_size)
                done += len(block)
        after = path.stat()
    except OSError as error:
        raise Refused("folder", f"{name}: {error.strerror or 'cannot be read'}.") from error
    if done != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Refused("folder", f"{name} changed while it was read; start again when nobody writes to it.")
    kind, form = judged(name, start)
    return File(name=name, kind=kind, format=form, sha256=digest.hexdigest(), size_bytes=done)
