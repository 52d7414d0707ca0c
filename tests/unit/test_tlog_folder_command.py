"""`python -m audit.tlog` on log folders, and what it says on the way."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from audit.tlog import commandverify
from audit.tlog.__main__ import main
from audit.tlog.folder import Watch
from audit.tlog.folderpool import WorkerError
from audit.tlog.folderprogress import Progress
from tests.unit.folder_example import KEY, put, write_checkpoints, write_sections, write_tree
from tests.unit.tlog_reference import SampleLog

LOG = SampleLog(300)
GIVEN = ("--key", KEY.verifier.to_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_tree(folder, LOG.leaves)
    write_checkpoints(folder, LOG.leaves, (100, 300))
    write_sections(folder, LOG, [3, 299])
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "log"))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(item) for item in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_true_folder(whole: Path, call: Any) -> None:
    status, out, err = call("verify", whole, *GIVEN)
    assert (status, err) == (0, "") and out.startswith("VERIFIED: this log folder is what the log recorded.")
    assert "The 300 entries lead to the signed root." in out and "3 disclosed sections" in out
    status, out, _ = call("verify", whole)
    assert status == 0 and out.startswith("CONSISTENT, KEY NOT PINNED")
    status, out, err = call("verify", whole, *GIVEN, "--strict", "--jobs", 1, "--progress", "--json")
    assert status == 0 and json.loads(out)["last_good_size"] == 300
    assert "100% of 300 entries" in err


def test_a_changed_folder(folder: Path, call: Any) -> None:
    path = folder / "tile/entries/000"
    put(path, path.read_bytes().replace(b"entry-200", b"entry-201"))
    status, out, _ = call("verify", folder, *GIVEN)
    assert status == 1 and out.startswith("REFUSED") and "First bad entry: 200." in out
    assert "among entries 100 to 299" in out
    found = json.loads(call("verify", folder, *GIVEN, "--json")[1])
    assert (found["verified"], found["first_bad_index"]) == (False, 200)
    assert (found["last_good_size"], found["first_bad_size"]) == (100, 300)


def test_a_folder_that_cannot_be_read_through(folder: Path, call: Any) -> None:
    (folder / "tile/entries/000").unlink()
    (folder / "tile/entries/000").mkdir()
    status, out, _ = call("verify", folder, *GIVEN)
    assert status == 3 and out.startswith("INCOMPLETE") and "is not a plain file" in out


def test_wrong_usage(whole: Path, tmp_path: Path, call: Any) -> None:
    file = tmp_path / "file"
    file.write_bytes(LOG.bundle([1]))
    usages: list[tuple[object, ...]] = [
        ("verify", tmp_path),
        ("inspect", tmp_path),
        ("verify", whole, "--leaf", file),
        ("verify", file, "--resume", tmp_path / "progress"),
        ("verify", file, "--jobs", 2),
        ("verify", whole, *GIVEN, "--resume", file),
        ("verify", whole, "--key", tmp_path),
    ]
    for arguments in usages:
        status, out, err = call(*arguments)
        assert status == 2 and not out and err, arguments
    for arguments in (
        ("verify", whole, "--jobs", "0"),
        ("verify", whole, "--jobs", "x"),
        ("verify", "--quiet", "--progress"),
    ):
        with pytest.raises(SystemExit, match="2"):
            call(*arguments)


def test_interrupted_and_without_workers(
    whole: Path, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[BaseException] = [KeyboardInterrupt(), WorkerError("No worker."), KeyboardInterrupt()]

    def fail(*_: object, watch: Watch, **__: object) -> None:
        watch(300, 1, 300)
        raise errors.pop()

    monkeypatch.setattr(commandverify, "verify_folder", fail)
    status, out, err = call("verify", whole, *GIVEN, "--progress")
    assert status == 3 and not out and err.endswith("\nINCOMPLETE: interrupted.\n")
    assert call("verify", whole, *GIVEN) == (3, "", "INCOMPLETE: No worker.\n")
    _, _, err = call("verify", whole, *GIVEN, "--resume", tmp_path / "book")
    assert err == f"INCOMPLETE: interrupted. Run it again with --resume {tmp_path / 'book'} to go on.\n"


def test_inspect_a_folder(folder: Path, call: Any) -> None:
    status, out, _ = call("inspect", folder)
    assert status == 0 and "Nothing is checked" in out and "size     300 entries" in out
    assert f"key      {KEY.verifier.to_text()}, for sizes from 0 on" in out
    assert "tiles    level 0: 1 full, one of 44; the last one is 1408 bytes" in out
    assert "manifest.json     not there" in out
    (folder / "keys").unlink()
    (folder / "tile/0/001.p/44").unlink()
    status, out, _ = call("inspect", folder)
    assert "none in this folder" in out and "the last one is not there" in out
    put(folder / "keys", b"\xff")
    assert "key      unreadable" in call("inspect", folder)[1]
    put(folder / "checkpoint", b"no note")
    assert call("inspect", folder)[0] == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_writes_over_its_line() -> None:
    times = iter([0.0, 0.1, 10.0, 11.0, 5000.0, 5001.0])
    stream = Terminal()
    progress = Progress(stream, clock=lambda: next(times))
    progress(10, 10, 1000)
    assert stream.getvalue() == ""
    progress(100, 100, 1000)
    assert stream.getvalue() == "\r10% of 1,000 entries, 10 a second, 1 min 30 s left"
    progress(500, 500, 1000)
    progress(501, 501, 10_000_000)
    assert stream.getvalue().endswith("left")
    progress(1000, 1000, 1000)
    progress.close()
    assert stream.getvalue().rstrip(" \n").endswith("100% of 1,000 entries, 0 a second")
    assert stream.getvalue().endswith("\n") and stream.getvalue().count("\n") == 1


def test_progress_elsewhere_is_a_line_now_and_then() -> None:
    times = iter([0.0, 4.0, 10.0, 20.0])
    stream = io.StringIO()
    progress = Progress(stream, clock=lambda: next(times))
    progress(1, 1, 100_000)
    progress(10, 10, 100_000)
    progress(20, 0, 100_000)
    progress.close()
    assert stream.getvalue() == (
        "0% of 100,000 entries, 1 a second, 27 h 46 min left\n0% of 100,000 entries, 0 a second\n"
    )
