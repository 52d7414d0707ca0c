"""Log folders of more than one run: several processes, resuming, interruption, the tiles above the runs."""

import json
import multiprocessing
import os
import signal as signals
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.folder import FolderReport, verify_folder
from audit.tlog.folderhash import Findings, LogFiles
from audit.tlog.folderopen import open_log
from audit.tlog.folderpool import WorkerError, verified_runs
from audit.tlog.folderresume import ResumeError
from audit.tlog.folderupper import UpperTiles
from audit.tlog.folderwork import RUN, Setup, Task
from audit.tlog.linefile import Span
from audit.tlog.source import FolderSource
from audit.tlog.tiles import bundle_path, tile_path
from audit.tlog.tree import EMPTY_EDGE
from config.verifierfile import archive
from tests.unit.folder_example import KEY, many_leaves, put, put_lines, unmeasured, write_checkpoints, write_tree
from tests.unit.tlog_reference import ORIGIN

SIZE = RUN + 1
KEPT = (1000, RUN - 1, RUN, SIZE)
KEYS = [KEY.verifier]
LEAVES = many_leaves(SIZE)
REPOSITORY = Path(__file__).resolve().parents[2]
NOTHING = Span(0, 0, b"")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    write_tree(folder, LEAVES)
    write_checkpoints(folder, LEAVES, KEPT)
    return folder


@contextmanager
def changed(path: Path, place: int = 100) -> Iterator[None]:
    """One bit of the file flipped for a while."""
    before = path.read_bytes()
    put(path, before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :])
    try:
        yield
    finally:
        put(path, before)


def comparable(report: FolderReport) -> dict[str, object]:
    return {name: value for name, value in report.to_dict().items() if name not in {"entries_read", "entries_resumed"}}


def test_two_processes_find_what_one_finds(log: Path) -> None:
    calls: list[tuple[int, int, int]] = []
    one = verify_folder(log, KEYS, watch=lambda *numbers: calls.append(numbers))
    assert one.ok and one.last_good == SIZE
    assert calls == [(RUN, RUN, SIZE), (SIZE, SIZE, SIZE)]
    assert comparable(verify_folder(log, KEYS, jobs=2)) == comparable(one)
    with changed(log / bundle_path(70)):
        broken = verify_folder(log, KEYS)
        assert broken.first_bad_index == 70 * 256 and (broken.last_good, broken.first_bad) == (1000, RUN - 1)
        assert comparable(verify_folder(log, KEYS, jobs=2)) == comparable(broken)


def test_the_tile_above_the_runs(log: Path) -> None:
    with changed(log / tile_path(2, 0, 1), 3):
        report = verify_folder(log, KEYS)
        assert [check.name for check in report.failures] == ["tile"] and report.first_bad is None
        assert "entries 0 to 65535" in report.failures[0].detail


def test_a_bad_line_ends_its_file_not_the_check(log: Path) -> None:
    lines = log / "sections.jsonl"
    try:
        put_lines(lines, [{"index": "x"}, {"index": RUN}])
        report = verify_folder(log, KEYS)
        assert [check.name for check in report.failures] == ["lines"] and report.last_good == SIZE
        lines.unlink()
        lines.mkdir()
        report = verify_folder(log, KEYS)
        assert report.incomplete and "sections.jsonl" in report.failures[0].detail
    finally:
        lines.rmdir()


def test_tiles_two_levels_above_the_runs(tmp_path: Path) -> None:
    roots = [sha256(number.to_bytes(2, "big")).digest() for number in range(258)]
    for level, n, row in (
        (2, 0, roots[:256]),
        (2, 1, roots[256:]),
        (3, 0, [EMPTY_EDGE.extend(roots[:256]).root()]),
    ):
        put(tmp_path / tile_path(level, n, len(row)), b"".join(row))

    def found(faulty: int | None = None) -> list[str]:
        findings = Findings()
        upper = UpperTiles(LogFiles(FolderSource(tmp_path), 258 * RUN, findings), findings)
        for number, root in enumerate(roots):
            upper.add(root, faulty=number == faulty)
        upper.finish()
        return [check.detail for check in findings.faults]

    assert found() == []
    with changed(tmp_path / tile_path(2, 0), 32 * 5):
        assert len(found()) == 1 and f"entries {5 * RUN} to {6 * RUN - 1}" in found()[0]
        assert found(faulty=5) == []
    with changed(tmp_path / tile_path(2, 1, 2), 32):
        assert len(found()) == 1 and f"entries {257 * RUN} to {258 * RUN - 1}" in found()[0]
    with changed(tmp_path / tile_path(3, 0, 1), 0):
        assert len(found()) == 1 and f"entries 0 to {256 * RUN - 1}" in found()[0]
        assert found(faulty=5) == []


def test_resuming_reads_again_only_what_changed_and_answers_the_same(log: Path, tmp_path: Path) -> None:
    book = tmp_path / "progress"

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_folder(log, KEYS, resume=book, watch=interrupt)
    fresh = verify_folder(log, KEYS)
    again = verify_folder(log, KEYS, resume=book, jobs=2)
    assert (again.read, again.resumed) == (1, RUN)
    assert comparable(again) == comparable(fresh)
    for path in (bundle_path(7), tile_path(0, 7), tile_path(1, 0)):
        with changed(log / path):
            broken = verify_folder(log, KEYS, resume=book)
            assert not broken.ok and broken.read == SIZE
    # Restored files have other times: they are read again, and proved again.
    assert verify_folder(log, KEYS, resume=book).read == SIZE
    assert verify_folder(log, KEYS, resume=book).read == 1
    assert list(tmp_path.iterdir()) == [book]


def test_a_resumed_root_is_still_that_of_the_checkpoint(log: Path, tmp_path: Path) -> None:
    book = tmp_path / "progress"
    kept = (log / "checkpoints.jsonl").read_bytes()
    newest = (log / "checkpoint").read_bytes()
    (log / "checkpoints.jsonl").unlink()
    try:
        assert verify_folder(log, KEYS, resume=book).ok
        write_checkpoints(log, LEAVES, (RUN,))
        shorter = verify_folder(log, KEYS, resume=book)
        assert shorter.ok and shorter.last_good == RUN and (shorter.read, shorter.resumed) == (0, RUN)
        put(log / "checkpoint", sign_checkpoint(Checkpoint(ORIGIN, RUN, b"\x05" * 32), KEY).encode())
        other = verify_folder(log, KEYS, resume=book)
        assert not other.ok and other.first_bad == RUN and other.read == RUN
    finally:
        put(log / "checkpoint", newest)
        put(log / "checkpoints.jsonl", kept)


def test_a_resume_file_cannot_stand_against_the_log(log: Path, tmp_path: Path) -> None:
    book = tmp_path / "progress"
    verify_folder(log, KEYS, resume=book)
    said = json.loads(book.read_text())
    said["runs"][0]["root"] = said["runs"][0]["inputs"]
    book.write_text(json.dumps(said))
    report = verify_folder(log, KEYS, resume=book)
    assert report.ok and report.read == SIZE
    assert verify_folder(log, KEYS, resume=book).resumed == RUN


def test_only_a_resume_file_of_this_check_is_taken(log: Path, tmp_path: Path) -> None:
    book = tmp_path / "progress"
    verify_folder(log, KEYS, resume=book)
    with pytest.raises(ResumeError, match="another log"):
        verify_folder(log, KEYS, resume=book, strict=True)
    with pytest.raises(ResumeError, match="another log"):
        verify_folder(log, None, resume=book)
    good = book.read_bytes()
    for text in (b"", b"{}", b"a diary", good[:-9], good.replace(b'"number":0', b'"number":-1')):
        book.write_bytes(text)
        with pytest.raises(ResumeError):
            verify_folder(log, KEYS, resume=book)
        assert book.read_bytes() == text
    with pytest.raises(ResumeError, match="cannot be read"):
        verify_folder(log, KEYS, resume=tmp_path)
    (tmp_path / ".later.tmp").mkdir()  # where the file is drafted
    with pytest.raises(ResumeError, match="cannot be written"):
        verify_folder(log, KEYS, resume=tmp_path / "later")


def test_a_worker_that_dies_is_no_answer(log: Path) -> None:
    opened = open_log(FolderSource(log), KEYS)
    assert opened.checkpoint
    setup = Setup.of(log, opened.checkpoint, opened.history, strict=False, stamped=False)

    def tasks() -> Iterator[Task]:
        yield Task(0, NOTHING, NOTHING, NOTHING)
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        yield Task(1, NOTHING, NOTHING, NOTHING)

    with pytest.raises(WorkerError, match="fewer --jobs"):
        list(verified_runs(setup, tasks(), 2))
    assert not multiprocessing.active_children()


INTERRUPTED = """
import os, signal, sys
from audit.tlog import commandverify
from audit.tlog.__main__ import main

def interrupt(*_):
    os.killpg(0, signal.{signal})  # as a terminal does: the whole group, workers too

commandverify._silent = interrupt
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def _hear_interrupts() -> None:
    signals.signal(signals.SIGINT, signals.default_int_handler)


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_an_interrupt_keeps_what_is_proved(log: Path, tmp_path: Path, signal: str) -> None:
    book, script = tmp_path / "progress", tmp_path / "script.py"
    script.write_text(INTERRUPTED.format(signal=signal))
    done = subprocess.run(
        [sys.executable, script, "verify", log, "--key", KEYS[0].to_text(), "--jobs", "2", "--resume", book],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        # A suite in the background of a shell ignores interrupts, and so would this child.
        preexec_fn=_hear_interrupts,
        check=False,
    )
    assert done.returncode == 3 and not done.stdout
    assert done.stderr == f"INCOMPLETE: interrupted. Run it again with --resume {book} to go on.\n"
    assert verify_folder(log, KEYS, resume=book).resumed == RUN


def test_the_verifier_in_one_file_starts_several_processes_too(log: Path, tmp_path: Path) -> None:
    (tmp_path / "assay-verifier.pyz").write_bytes(archive())
    # Isolated, without this repository; the file is named relatively, as people do.
    done = subprocess.run(
        [sys.executable, "-I", "assay-verifier.pyz", "verify", log, "--key", KEYS[0].to_text(), "--jobs", "2"],
        cwd=tmp_path,
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "") and f"The {SIZE} entries lead to" in done.stdout
