"""One run of 65,536 entries of a log folder, checked by itself: what a worker process does.

The run's entries hash to one subtree root, which the caller combines with those of the other runs. For every
checkpoint whose size ends inside the run the worker also gives the root of the run's entries up to there.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, Self

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.folderextra import Contents, Erasure, kept_checkpoints
from audit.tlog.folderform import LeafForm
from audit.tlog.folderhash import Findings, LogFiles, subtree_root
from audit.tlog.keyhistory import KeyHistory, KeyRange
from audit.tlog.keys import VerifierKey
from audit.tlog.linefile import Span
from audit.tlog.source import FolderSource, SourceError
from audit.tlog.tiles import bundle_path, tile_path
from audit.tlog.tree import EMPTY_EDGE, TILE_WIDTH, RightEdge, node_hash, root_of, split_hashes

RUN: Final = TILE_WIDTH * TILE_WIDTH
"""Entries of a full run: those under one tile of level 1."""


@dataclass(frozen=True)
class Setup:
    """What all runs of one verification have in common, in values that can be sent to another process."""

    folder: str
    origin: str
    size: int
    root: bytes
    """What the newest checkpoint says of the whole tree."""
    strict: bool
    """Whether every leaf is parsed, not only its form looked at."""
    stamped: bool
    """Whether the state of the run's files is to be noted, for a later verification to compare."""
    ranges: tuple[tuple[str, int, int | None], ...]
    pinned: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, checkpoint: Checkpoint, history: KeyHistory, *, strict: bool, stamped: bool) -> Self:
        """The setup for the log in `folder`, whose newest checkpoint and keys are given."""
        return cls(
            str(folder),
            checkpoint.origin,
            checkpoint.size,
            checkpoint.root,
            strict,
            stamped,
            tuple((item.key.to_text(), item.first, item.last) for item in history.ranges),
            tuple(sorted(key.to_text() for key in history.pinned)),
        )

    @cached_property
    def history(self) -> KeyHistory:
        """The log's keys."""
        return KeyHistory(
            tuple(KeyRange(VerifierKey.parse(text), first, last) for text, first, last in self.ranges),
            pinned=frozenset(map(VerifierKey.parse, self.pinned)),
        )


class Point(NamedTuple):
    """A tree size that ends inside a run."""

    size: int
    signed: bytes
    """The root that a checkpoint says the tree has."""
    below: bytes
    """The root of the run's own entries up to the size."""


@dataclass(frozen=True)
class RunResult:
    """What one run holds, and what is wrong with it."""

    number: int
    root: bytes | None = None
    """Root of a full run; None of the last, begun one, and where some entries could not be hashed."""
    points: tuple[Point, ...] = ()
    opened: int = 0
    """Sections that open their commitments."""
    erased: tuple[Erasure, ...] = ()
    recorded: tuple[Erasure, ...] = ()
    inputs: bytes = b""
    """SHA-256 over the state of the run's files before they were read; empty when that was not asked for."""
    broken_at: int | None = None
    """Index of the first entry of the bundle from which on nothing could be hashed."""
    findings: Findings = field(default_factory=Findings)
    read: bool = True
    """False when an earlier verification's result was taken."""

    @property
    def proven(self) -> bool:
        """Whether the run is full and faultless, so that unchanged files need no second reading."""
        return bool(self.root and self.inputs) and not self.findings.count and not self.findings.unreadable


@dataclass(frozen=True)
class Task:
    """The run `number` and its lines in the files beside the tiles."""

    number: int
    kept: Span
    sections: Span
    erasures: Span
    known: RunResult | None = None
    """What an earlier verification proved of it, to be taken when its files are as they were."""


def fold(edge: RightEdge, root: bytes) -> bytes:
    """Root of the tree whose last part, right of the complete subtrees of `edge`, has the root `root`."""
    for left in reversed(edge.hashes):
        root = node_hash(left, root)
    return root


def verify_run(setup: Setup, task: Task) -> RunResult:
    """Check one run. What is wrong stands in the result's findings."""
    return _Run(setup, task).result()


class _Run:
    def __init__(self, setup: Setup, task: Task) -> None:
        self._setup = setup
        self._task = task
        self._findings = Findings()
        self._source = FolderSource(Path(setup.folder))
        self._files = LogFiles(self._source, setup.size, self._findings)
        self._first = task.number * RUN
        self._width = min(RUN, setup.size - self._first)
        self._points: list[Point] = []

    def result(self) -> RunResult:
        inputs = self._inputs() if self._setup.stamped and self._width == RUN else b""
        if self._task.known and inputs and self._task.known.inputs == inputs:
            return replace(self._task.known, read=False)
        contents = Contents(self._source, self._task.sections, self._task.erasures, self._findings)
        root, broken_at = self._walk(contents)
        return RunResult(
            number=self._task.number,
            root=root,
            points=tuple(self._points),
            opened=contents.opened,
            erased=tuple(contents.erased),
            recorded=tuple(contents.recorded),
            inputs=inputs,
            broken_at=broken_at,
            findings=self._findings,
        )

    def _walk(self, contents: Contents) -> tuple[bytes | None, int | None]:
        """Read bundle after bundle; the root of a full run, and where it could not go on."""
        form = self._form()
        wanted = self._wanted()
        stored = self._stored()
        edge = EMPTY_EDGE
        rebuilt: list[bytes] = []
        for place in range((self._width + TILE_WIDTH - 1) // TILE_WIDTH):
            first = self._first + place * TILE_WIDTH
            width = min(TILE_WIDTH, self._setup.size - first)
            faults = self._findings.count
            bundle = self._files.bundle(first // TILE_WIDTH, stored[place] if place < len(stored) else None)
            for at, fault in form.faults(bundle.entries):
                self._findings.fault("leaf", fault, first + at)
            contents.check(first, width, bundle.entries)
            if bundle.hashes is None:
                return None, first
            while wanted and wanted[0].size <= first + width:
                checkpoint = wanted.pop(0)
                edge = edge.extend(rebuilt[edge.size :])
                below = fold(edge, root_of(bundle.hashes[: checkpoint.size - first]))
                self._points.append(Point(checkpoint.size, checkpoint.root, below))
            if width == TILE_WIDTH:
                rebuilt.append(subtree_root(bundle.hashes))
                if stored and stored[place] != rebuilt[-1] and self._findings.count == faults:
                    self._rewritten(first, place)
        return (subtree_root(rebuilt) if self._width == RUN else None), None

    def _rewritten(self, first: int, place: int) -> None:
        tile = tile_path(1, self._task.number, self._files.width(1, self._task.number))
        self._findings.fault(
            "tile",
            f"Entries {first} to {first + TILE_WIDTH - 1} and their hash tile agree with each other, not with hash "
            f"{place} of {tile}: either they were rewritten together, or that hash was.",
        )

    def _stored(self) -> list[bytes]:
        """The roots that the tile of level 1 says the run's bundles have."""
        if not self._files.width(1, self._task.number):
            return []
        tile = self._files.tile(1, self._task.number)
        return [] if tile is None else split_hashes(tile)

    def _wanted(self) -> list[Checkpoint]:
        """The checkpoints whose sizes end in this run; an empty tree's has nothing to rebuild.

        Where the log ends with a full run the caller has its root without this one's help.
        """
        setup = self._setup
        found = kept_checkpoints(self._source, self._task.kept, setup.history, setup.origin, self._findings)
        if self._width < RUN:
            found.append(Checkpoint(setup.origin, setup.size, setup.root))
        return [item for item in found if item.size]

    def _form(self) -> LeafForm:
        form = LeafForm(self._setup.origin, strict=self._setup.strict)
        if self._setup.strict and self._first:
            before = LogFiles(self._source, self._setup.size, Findings()).bundle(self._first // TILE_WIDTH - 1)
            if before.entries:
                form.follow(before.entries[-1])
        return form

    def _inputs(self) -> bytes:
        """Digest of the state of all files of a full run; empty when one of them is not there."""
        paths = [tile_path(1, self._task.number)]
        for n in range(self._task.number * TILE_WIDTH, (self._task.number + 1) * TILE_WIDTH):
            paths += (bundle_path(n), tile_path(0, n))
        digest = sha256()
        for span in (self._task.kept, self._task.sections, self._task.erasures):
            digest.update(span.digest)
        try:
            for path in paths:
                digest.update(f"{path} {tuple(self._source.stamp(path))}\n".encode())
        except SourceError:
            return b""
        return digest.digest()
