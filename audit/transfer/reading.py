"""A log folder as an import reads it: checked whole first, then entry by entry and line by line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Final

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.folder import FolderError, verify_folder
from audit.tlog.folderhash import MAX_BUNDLE_BYTES, split_bundle
from audit.tlog.folderpool import WorkerError
from audit.tlog.keyhistory import KeyHistory
from audit.tlog.keys import VerifierKey
from audit.tlog.linefile import MAX_LINE_BYTES, Line, LineFileError
from audit.tlog.source import FolderSource, NotThere, SourceError
from audit.tlog.tiles import bundle_path
from audit.tlog.tree import TILE_WIDTH
from audit.transfer import layout

_MAX_SUMS_BYTES: Final = 4096
_BUFFER: Final = 1 << 20
_TOLD: Final = 5


class ImportRefused(RuntimeError):
    """Nothing was imported; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """A log folder in which nothing was found wrong.

    Attributes:
        note: its newest checkpoint, and `checkpoint` what that says.
        history: the log's keys.
        exported: whether it is an export, and not only what was published or mirrored.
    """

    source: FolderSource
    checkpoint: Checkpoint
    note: str
    history: KeyHistory
    exported: bool

    def entries(self, n: int) -> list[bytes]:
        """The entries of bundle `n` in this tree. Raises ImportRefused, SourceError."""
        width = min(TILE_WIDTH, self.checkpoint.size - n * TILE_WIDTH)
        try:
            found, problem = split_bundle(self.source.read(bundle_path(n, width), MAX_BUNDLE_BYTES), width)
        except NotThere:
            found, problem = split_bundle(self.source.read(bundle_path(n), MAX_BUNDLE_BYTES), TILE_WIDTH)
        if problem:
            raise ImportRefused(f"The bundle {bundle_path(n)} {problem}: it changed while it was read.")
        return found[:width]

    def has(self, path: str) -> bool:
        """Whether the folder has this file. Raises SourceError."""
        return _has(self.source, path)

    def lines(self, path: str, kinds: Mapping[str, type]) -> Iterator[Line]:
        """The lines of one of its files; none when it is not there. Raises LineFileError, SourceError."""
        try:
            opened = self.source.open(path)
        except NotThere:
            return
        with BufferedReader(opened, _BUFFER) as file:
            while data := file.readline(MAX_LINE_BYTES + 1):
                yield Line(data, path, kinds)


def check_folder(folder: Path, *, key: VerifierKey, origin: str, jobs: int) -> CheckedFolder:
    """Verify a folder as the offline verifier does, strictly, and what no signature covers by its sums.

    Raises ImportRefused.
    """
    source = FolderSource(folder)
    try:
        _no_marks(folder)
        exported = _has(source, layout.MANIFEST)
        _check_sums(source, exported=exported)
        report = verify_folder(folder, [key], jobs=jobs, strict=True)
    except (FolderError, SourceError, WorkerError) as error:
        raise ImportRefused(f"The folder cannot be imported: {error}") from error
    if not report.ok or report.checkpoint is None or report.history is None:
        found = " ".join(check.detail for check in report.failures[:_TOLD])
        index = report.first_bad_index
        where = "" if index is None else f" First bad entry: {index}."
        raise ImportRefused(f"The folder does not verify, so nothing was imported.{where} {found}")
    if report.checkpoint.origin != origin:
        raise ImportRefused(f"The folder holds the log {report.checkpoint.origin}; this installation is {origin}.")
    # Note and keys as they were verified: what is published or mirrored may have grown meanwhile.
    return CheckedFolder(source, report.checkpoint, report.note, report.history, exported)


def _no_marks(folder: Path) -> None:
    if (folder / layout.UNFINISHED).exists():
        raise ImportRefused("This export was interrupted and is not whole: export again.")
    if any(folder.glob("alarm-*")):
        raise ImportRefused("This mirror holds the evidence of an alarm: look at that first.")


def _has(source: FolderSource, path: str) -> bool:
    try:
        source.stamp(path)
    except NotThere:
        return False
    return True


def _check_sums(source: FolderSource, *, exported: bool) -> None:
    """Signatures cover the entries and checkpoints; sums cover everything else, so they must be there for that."""
    if not _has(source, layout.SUMS):
        if exported or _has(source, layout.EVENT_KEYS):
            raise ImportRefused(f"The export has lost its {layout.SUMS}: nothing shows that its files are whole.")
        return
    digests = {name: _digest(source, name) for name in layout.SUMMED if _has(source, name)}
    told = source.read(layout.SUMS, _MAX_SUMS_BYTES)
    if told != layout.sums(digests):
        lines = set(told.split(b"\n"))
        wrong = [name for name in digests if f"{digests[name].hex()}  {name}".encode() not in lines]
        raise ImportRefused(
            f"{', '.join(wrong) or layout.SUMS} is not what was exported: it was changed, or damaged on its way."
        )


def _digest(source: FolderSource, name: str) -> bytes:
    digest = sha256()
    with BufferedReader(source.open(name), _BUFFER) as file:
        while piece := file.read(_BUFFER):
            digest.update(piece)
    return digest.digest()


class Absences:
    """Sections that leaves commit to and that are not here, as runs of neighbouring entries with the same names."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, tuple[str, ...]]] = []
        self.count = 0

    def add(self, index: int, names: tuple[str, ...]) -> None:
        """These sections of an entry are absent."""
        self.count += len(names)
        if self._runs:
            first, end, same = self._runs[-1]
            if end == index and same == names:
                self._runs[-1] = (first, index + 1, names)
                return
        self._runs.append((index, index + 1, names))

    def parts(self, most: int, most_bytes: int) -> list[list[object]]:
        """The runs `[first, end, names]`, ascending, in each part at most `most` and at most `most_bytes` of JSON.

        A single run is in a part of its own however long it is: a leaf has at most 8192 bytes, so its names have less.
        """
        parts: list[list[object]] = []
        held = most_bytes
        for first, end, names in sorted(self._runs):
            run = [first, end, list(names)]
            size = len(json.dumps(run))
            if held + size > most_bytes or len(parts[-1]) == most:
                parts.append([])
                held = 0
            parts[-1].append(run)
            held += size
        return parts


__all__ = ["Absences", "CheckedFolder", "ImportRefused", "Line", "LineFileError", "check_folder"]
