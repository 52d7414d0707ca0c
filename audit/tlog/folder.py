"""A whole log in a folder, checked offline: what is published, mirrored or exported.

Every entry is hashed, every hash tile that the newest checkpoint's tree has is compared, and the root is rebuilt
at the size of every checkpoint in the folder. Hash tiles are not needed for that; they show which entry is wrong.
The work is cut into runs of 65,536 entries, so that processes share it and only a few runs are in memory at once.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.folderextra import CHECKPOINTS, ERASURES, SECTIONS, Erasure, is_erasure
from audit.tlog.folderhash import Findings, LogFiles
from audit.tlog.folderopen import FolderError, OpenedLog, manifest_checks, newest_size, open_log
from audit.tlog.folderpool import verified_runs
from audit.tlog.folderreport import LISTED, UNREADABLE, FolderReport, erasure_checks, root_check
from audit.tlog.folderresume import ResumeFile
from audit.tlog.folderupper import UpperTiles
from audit.tlog.folderwork import RUN, RunResult, Setup, Task, fold
from audit.tlog.keyhistory import Trusted
from audit.tlog.leaf import LeafError, parse_leaf
from audit.tlog.linefile import LineFile, LineFileError, Span
from audit.tlog.source import FolderSource, SourceError
from audit.tlog.tree import EMPTY_EDGE, TILE_WIDTH
from audit.tlog.verification import Check

__all__ = ["FolderError", "FolderReport", "verify_folder"]

KIND: Final = "log folder"
RUNS_BETWEEN_SAVES: Final = 16

_LINES: Final = {CHECKPOINTS: "size", SECTIONS: "index", ERASURES: "index"}
_NO_LINES: Final = Span(0, 0, b"")

Watch = Callable[[int, int, int], None]
"""Called now and then with entries done, how many of these were read here, and the log's size."""


def verify_folder(
    folder: Path,
    given: Trusted | None,
    *,
    jobs: int = 1,
    strict: bool = False,
    resume: Path | None = None,
    watch: Watch = lambda done, read, size: None,
) -> FolderReport:
    """Check everything in a log folder against the keys one trusts.

    With `given` None the folder's own file `keys` is used, which shows only that the folder agrees with itself.
    `jobs` is the number of processes. `strict` parses every leaf instead of looking at its form only. `resume`
    names a file of what earlier calls proved; it is read, used and replaced, also when this call is interrupted.
    Raises FolderError, ResumeError and WorkerError.
    """
    source = FolderSource(folder)
    log = open_log(source, given)
    if log.checkpoint is None:
        return FolderReport(KIND, tuple(log.checks), log.pinned)
    setup = Setup.of(folder, log.checkpoint, log.history, strict=strict, stamped=resume is not None)
    book = ResumeFile(resume, setup) if resume else None
    report = _Whole(log, log.checkpoint, setup, book, watch).verify(jobs)
    if book and report.resumed and not report.ok:
        # A damaged resume file must not stand against the log.
        book.runs.clear()
        report = _Whole(log, log.checkpoint, setup, book, watch).verify(jobs)
    return report


class _Whole:
    """Puts the runs together, in order."""

    def __init__(
        self, log: OpenedLog, checkpoint: Checkpoint, setup: Setup, book: ResumeFile | None, watch: Watch
    ) -> None:
        self._log = log
        self._checkpoint = checkpoint
        self._setup = setup
        self._book = book
        self._watch = watch
        self._size = checkpoint.size
        self._runs = max(1, -(-checkpoint.size // RUN))
        self._findings = Findings(limit=LISTED)
        self._upper = UpperTiles(LogFiles(log.source, self._size, self._findings), self._findings)
        self._lines: dict[str, LineFile] = {}
        self._edge = EMPTY_EDGE
        self._last_good: int | None = None
        self._first_bad: int | None = None
        self._kept = 0
        self._opened = 0
        self._erased: list[Erasure] = []
        self._recorded: list[Erasure] = []
        self._done = 0
        self._read = 0
        self._broken_at: int | None = None

    def verify(self, jobs: int) -> FolderReport:
        """Check all runs and what joins them."""
        unsaved = 0
        try:
            with ExitStack() as stack:
                for path, key in _LINES.items():
                    self._lines[path] = stack.enter_context(LineFile(self._log.source, path, key))
                runs = verified_runs(self._setup, self._tasks(), min(jobs, self._runs))
                try:
                    for result in stack.enter_context(closing(runs)):
                        self._take(result)
                        if self._book and result.proven and result.read:
                            self._book.keep(result)
                            unsaved += 1
                            if unsaved % RUNS_BETWEEN_SAVES == 0:
                                self._book.save()
                        self._watch(self._done, self._read, self._size)
                        if self._broken_at is not None:
                            break
                    else:
                        self._finish()
                finally:
                    if self._book and unsaved:
                        self._book.save()
        except SourceError as error:
            self._findings.cannot_read(error)
        return self._report()

    def _tasks(self) -> Iterator[Task]:
        known = self._book.runs if self._book else {}
        for number in range(self._runs):
            end = min((number + 1) * RUN, self._size)
            yield Task(
                number,
                kept=self._cut(CHECKPOINTS, end + 1),
                sections=self._cut(SECTIONS, end),
                erasures=self._cut(ERASURES, end),
                known=known.get(number),
            )

    def _cut(self, path: str, below: int) -> Span:
        if path not in self._lines:
            return _NO_LINES
        try:
            return self._lines[path].take(below)
        except LineFileError as error:
            self._findings.fault("lines", str(error))
            del self._lines[path]
            return _NO_LINES

    def _take(self, result: RunResult) -> None:
        self._findings.absorb(result.findings)
        for point in result.points:
            self._compare(point.size, fold(self._edge, point.below), point.signed)
        self._opened += result.opened
        self._erased += result.erased
        self._recorded += result.recorded
        self._broken_at = result.broken_at
        entries = min(RUN, self._size - self._done)
        self._done += entries
        self._read += entries if result.read else 0
        if result.root is not None:
            self._edge = self._edge.extend([result.root])
            self._upper.add(result.root, faulty=result.findings.count > 0)

    def _compare(self, size: int, rebuilt: bytes, signed: bytes) -> None:
        """Note whether the root of the first `size` entries is the signed one."""
        if rebuilt != signed:
            self._first_bad = size if self._first_bad is None else min(size, self._first_bad)
            return
        self._last_good = max(size, self._last_good or 0)
        self._kept += size < self._size

    def _finish(self) -> None:
        """What only the end shows: the last tiles, the whole root, and lines left over."""
        self._upper.finish()
        if self._size % RUN == 0 and self._size:
            self._compare(self._size, self._edge.root(), self._checkpoint.root)
        for path, lines in self._lines.items():
            try:
                if not lines.ended:
                    self._left_over(path)
            except LineFileError as error:
                self._findings.fault("lines", str(error))

    def _left_over(self, path: str) -> None:
        """There are lines for more entries than the newest checkpoint has."""
        if path != CHECKPOINTS:
            self._findings.fault("lines", f"{path} has lines for entries that the log does not have.")
        elif newest_size(self._log) <= self._size:
            self._findings.fault("lines", f"{path} holds a checkpoint of more entries: the log was cut back.")

    def _report(self) -> FolderReport:
        checks = [*self._log.checks, *self._findings.faults]
        if self._findings.count > len(self._findings.faults):
            more = f"{self._findings.count - len(self._findings.faults)} more faults are not listed."
            checks.append(Check("faults", ok=False, detail=more))
        checks += [Check(UNREADABLE, ok=False, detail=text) for text in self._findings.unreadable]
        if self._broken_at is not None or self._done < self._size:
            name = "root" if self._findings.count else UNREADABLE
            detail = (
                f"Nothing was rebuilt from entry {self._broken_at or self._done} on: entries and hashes are missing."
            )
            checks.append(Check(name, ok=False, detail=detail))
        elif not self._findings.count and not self._findings.unreadable:
            form = "is a leaf of this log" if self._setup.strict else "has the form of a leaf of this log"
            checks.append(Check("tiles", ok=True, detail=f"All hash tiles agree with the entries; each entry {form}."))
        if self._first_bad is not None or self._broken_at is None:
            checks.append(root_check(self._size, self._kept, self._last_good, self._first_bad))
        if self._book and self._book.left_out:
            detail = f"The file to resume from is full: {self._book.left_out} runs are read again by the next check."
            checks.append(Check("resume", ok=True, detail=detail))
        if self._opened:
            detail = f"{self._opened} disclosed sections are as recorded."
            checks.append(Check("sections", ok=True, detail=detail))
        checks += erasure_checks(self._erased, self._recorded, self._erasures())
        try:
            known = self._broken_at is None and not self._findings.unreadable
            counts = {"sections": self._opened, "erased": len(self._erased)} if known else {}
            checks += manifest_checks(self._log.source, self._checkpoint, counts)
        except SourceError as error:
            checks.append(Check(UNREADABLE, ok=False, detail=str(error)))
        return FolderReport(
            KIND,
            tuple(checks),
            self._log.pinned,
            self._log.signers,
            self._checkpoint,
            last_good=self._last_good,
            first_bad=self._first_bad,
            read=self._read,
            resumed=self._done - self._read,
            note=self._log.note,
            history=self._log.history,
        )

    def _erasures(self) -> set[int]:
        """Which of the entries that are said to tell erasures are erasures."""
        found: set[int] = set()
        files = LogFiles(self._log.source, self._size, Findings())
        n, entries = -1, list[bytes]()
        for index in sorted({item.entry for item in self._erased if item.entry < self._size}):
            if index // TILE_WIDTH != n:
                n = index // TILE_WIDTH
                entries = files.bundle(n).entries
            with suppress(IndexError, LeafError):
                if is_erasure(parse_leaf(entries[index % TILE_WIDTH])):
                    found.add(index)
        return found
