"""The file to resume from keeps to its limit: what has no room is read again, and said."""

from pathlib import Path

import pytest

from audit.tlog import folderresume
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.folder import verify_folder
from audit.tlog.folderextra import Erasure
from audit.tlog.folderresume import ResumeError, ResumeFile
from audit.tlog.folderwork import RunResult, Setup
from audit.tlog.keyhistory import of_keys
from tests.unit.folder_example import KEY, write_checkpoints, write_tree
from tests.unit.tlog_reference import ORIGIN, SampleLog

SETUP = Setup.of(Path(), Checkpoint(ORIGIN, 1, bytes(32)), of_keys([KEY.verifier]), strict=False, stamped=True)


def run(number: int) -> RunResult:
    erased = tuple(Erasure(index, "personal", index + 1) for index in range(number * 10))
    return RunResult(number, root=bytes([number]) * 32, inputs=bytes(32), erased=erased)


def test_what_has_no_room_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book"
    book = ResumeFile(path, SETUP)
    for number in (2, 0, 3, 1):
        book.keep(run(number))
    book.save()
    assert book.left_out == 0
    size = path.stat().st_size
    assert ResumeFile(path, SETUP).runs == {number: run(number) for number in range(4)}
    monkeypatch.setattr(folderresume, "MAX_BYTES", size - 1)
    with pytest.raises(ResumeError, match="more than"):
        ResumeFile(path, SETUP)
    book.save()
    assert book.left_out == 1 and path.stat().st_size < size
    again = ResumeFile(path, SETUP)
    assert again.runs == {number: run(number) for number in range(3)}
    again.keep(run(3))
    again.save()
    assert again.left_out == 1 and set(ResumeFile(path, SETUP).runs) == {0, 1, 2}


def test_a_verification_says_that_the_file_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SampleLog(3)
    write_tree(tmp_path / "log", log.leaves)
    write_checkpoints(tmp_path / "log", log.leaves, (3,))

    class Full(ResumeFile):
        def __init__(self, path: Path, setup: Setup) -> None:
            super().__init__(path, setup)
            self.left_out = 2

    monkeypatch.setattr("audit.tlog.folder.ResumeFile", Full)
    report = verify_folder(tmp_path / "log", [KEY.verifier], resume=tmp_path / "book")
    assert report.ok
    assert ["2 runs are read again" in check.detail for check in report.checks if check.name == "resume"] == [True]
