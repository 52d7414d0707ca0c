"""What a mirror blames on whom: on a log that takes back what it had signed, on its own disk, or on nobody."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from audit.tlog import mirror
from audit.tlog.folder import verify_folder
from audit.tlog.folderhash import MAX_BUNDLE_BYTES
from audit.tlog.keyhistory import BEGINS, ENDS, of_keys, sign_statement
from audit.tlog.keys import SigningKey
from tests.unit.test_tlog_mirror import CHECKOUT, VKEY, alarm_of, run
from tests.unit.tlog_published import KEY, ORIGIN, OTHER_KEY, files, flip, leaves, publish, put
from tests.unit.tlog_server import serving
from tests.waiting import until

THIRD_KEY = SigningKey.generate(ORIGIN, bytes(range(128, 160)))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.tlog.mirrorpass._SECONDS_BETWEEN_LOOKS", (0.0, 0.0))


def see_without_files(log: Path, kept: Path, before: int) -> bytes:
    """A mirror of `before` entries that has seen a checkpoint of 500, one file of which is not there."""
    if before:
        publish(log, leaves(before))
        assert run(log, kept) == mirror.UP_TO_DATE
    publish(log, leaves(500))
    (log / "tile/0/001.p/244").unlink()
    assert run(log, kept) == mirror.INCOMPLETE
    return (log / "checkpoint").read_bytes()


@pytest.mark.parametrize(
    ("before", "size", "changed", "kind"),
    [
        (300, 400, 350, "rollback"),
        (300, 300, None, "rollback"),
        (300, 200, None, "rollback"),
        (300, 200, 100, "fork"),
        (0, 400, 350, "rollback"),
        (300, 500, 350, "fork"),
        (0, 510, 499, "fork"),
    ],
)
def test_what_was_signed_counts_before_its_files_came(
    tmp_path: Path, before: int, size: int, changed: int | None, kind: str
) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    pending = see_without_files(log, kept, before)
    accepted = files(kept)
    publish(log, leaves(size, changed=changed), keep=False)
    if size == 500:
        (log / "tile/0/001.p/244").unlink()
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == kind
    evidence = {path.name: path.read_bytes() for path in (kept / "alarm-1").iterdir()}
    assert evidence["seen-checkpoint"] == (log / "checkpoint").read_bytes()
    assert evidence.get("kept-checkpoint") == accepted.get("checkpoint")
    if changed != 100:  # that one contradicts what is kept, and needs nothing else
        assert evidence["pending-checkpoint"] == pending
    assert {path: data for path, data in files(kept).items() if "alarm" not in path} == accepted


def test_files_that_are_late_are_no_alarm(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    see_without_files(log, kept, 300)
    assert run(log, kept) == mirror.INCOMPLETE
    put(log, "older", publish(tmp_path / "older", leaves(300)).encode())
    with serving(log) as server:
        server.faults["checkpoint"] = ["/older"]
        assert run(server.url, kept) == mirror.INCOMPLETE, "a cache that lagged"
        assert server.asked.count("checkpoint") == 2
    publish(log, leaves(505))  # the missing file stays away, and the log goes on honestly
    assert run(log, kept) == mirror.INCOMPLETE
    publish(log, leaves(600))
    assert run(log, kept) == mirror.UP_TO_DATE
    assert not list(kept.glob("alarm-*"))


def test_another_alarm_does_not_forget_what_is_pending(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    see_without_files(log, kept, 300)
    begins = sign_statement(BEGINS, old=KEY, new=OTHER_KEY, size=900)
    put(log, "keys", f"{VKEY}\n\n{begins}".encode())
    assert run(log, kept) == mirror.INCOMPLETE
    put(log, "keys", f"{VKEY}\n\n{sign_statement(BEGINS, old=KEY, new=OTHER_KEY, size=901)}".encode())
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == "keys"
    shutil.rmtree(kept / "alarm-1")
    publish(log, leaves(300), keep=False)
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == "rollback"
    shutil.rmtree(kept / "alarm-1")
    assert run(log, kept) == mirror.UP_TO_DATE, "the pending note was part of that evidence"


def _flip(folder: Path, path: str) -> None:
    flip(folder, path, 5)


def _cut(folder: Path, path: str) -> None:
    put(folder, path, b"x" * 100)


def _lengthen(folder: Path, path: str) -> None:
    put(folder, path, b"x" * 9_000)


def _remove(folder: Path, path: str) -> None:
    (folder / path).unlink()


@pytest.mark.parametrize("damage", [_flip, _cut, _lengthen, _remove])
def test_damage_here_is_not_blamed_on_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path, str], None]
) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    older = publish(log, leaves(300))
    newer = publish(log, leaves(600))
    assert run(log, kept) == mirror.UP_TO_DATE
    whole = tmp_path / "whole"
    shutil.copytree(kept, whole)
    for n in range(2):  # whichever is chosen
        damage(kept, f"tile/0/00{n}")
    for note in (newer, older):
        put(log, "checkpoint", note.encode())
        capsys.readouterr()
        assert run(log, kept) == mirror.UNUSABLE
        told = capsys.readouterr().err
        assert "own folder is damaged" in told
        assert "new folder" in told
    assert not list(kept.glob("alarm-*"))
    # A fork that both notes prove is told all the same; only where they part is not.
    for changed in (270, 10):
        publish(log, leaves(600, changed=changed), keep=False)
        assert run(log, kept) == mirror.REFUSED
        assert (alarm_of(kept)["kind"], alarm_of(kept)["first_bad_index"]) == ("fork", None)
        shutil.rmtree(kept / "alarm-1")
    assert run(log, whole) == mirror.REFUSED
    assert alarm_of(whole)["first_bad_index"] == 10


def test_a_damaged_pending_note_is_told_as_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    see_without_files(log, kept, 300)
    flip(kept, ".mirror/pending", 30)
    assert run(log, kept) == mirror.UNUSABLE
    assert "own folder is damaged" in capsys.readouterr().err


def test_leaving_out_a_key_statement_is_no_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, kept, late = tmp_path / "log", tmp_path / "kept", tmp_path / "late"
    begins = sign_statement(BEGINS, old=KEY, new=OTHER_KEY, size=100)
    ends = sign_statement(ENDS, old=KEY, new=OTHER_KEY, size=200)
    third = sign_statement(BEGINS, old=OTHER_KEY, new=THIRD_KEY, size=300)
    full, short = (f"{VKEY}\n\n" + "\n".join(notes) for notes in ((begins, ends, third), (begins, third)))
    publish(log, leaves(50))
    put(log, "keys", full.encode())
    assert run(log, kept) == mirror.UP_TO_DATE
    put(log, "keys", short.encode())
    assert run(log, kept) == mirror.REFUSED
    assert "leaves out statements" in capsys.readouterr().err
    assert run(log, late) == mirror.UP_TO_DATE
    put(log, "keys", full.encode())
    assert run(log, late) == mirror.REFUSED, "which of both is true a person must find out"
    assert run(log, kept) == mirror.UP_TO_DATE
    assert not [*kept.glob("alarm-*"), *late.glob("alarm-*")]
    other = sign_statement(ENDS, old=KEY, new=OTHER_KEY, size=250)
    put(log, "keys", (f"{VKEY}\n\n" + "\n".join((begins, other, third))).encode())
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == "keys"


@pytest.mark.parametrize(("path", "length", "kind"), [("tile/0", 8_193, "tile"), ("tile/entries", 0, "entry")])
def test_a_file_that_became_too_long_is_an_alarm(tmp_path: Path, path: str, length: int, kind: str) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(300))
    assert run(log, kept) == mirror.UP_TO_DATE
    with (log / path / "000").open("r+b") as file:
        file.truncate(length or MAX_BUNDLE_BYTES + 1)
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == kind
    assert "000 " in str(alarm_of(kept)["text"])
    publish(log, leaves(700))
    with (log / path / "001").open("r+b") as file:
        file.truncate(length or MAX_BUNDLE_BYTES + 1)
    shutil.rmtree(kept / "alarm-1")
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == kind


def test_killed_while_accepting_it_does_not_say_that_the_log_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(300))
    assert run(log, kept) == mirror.UP_TO_DATE
    publish(log, leaves(500))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("audit.tlog.mirrorfolder.append_line", killed)
        assert run(log, kept) == mirror.INCOMPLETE
    report = verify_folder(kept, of_keys([KEY.verifier]))
    assert report.ok, report
    assert (kept / "checkpoint").read_bytes() == (log / "checkpoint").read_bytes()
    assert run(log, kept) == mirror.UP_TO_DATE
    assert [json.loads(line)["size"] for line in (kept / "checkpoints.jsonl").read_text().splitlines()] == [300, 500]


_FOLLOW = "from audit.tlog.__main__ import main; import sys; sys.exit(main(sys.argv[1:]))"


def _says(file: Path, text: str, times: int) -> bool:
    return file.read_text().count(text) == times


def test_junk_does_not_stop_a_mirror_that_follows(tmp_path: Path) -> None:
    log, kept, told = tmp_path / "log", tmp_path / "kept", tmp_path / "told"
    note = publish(log, leaves(3)).encode()
    with (
        told.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-c", _FOLLOW, "mirror", str(log), str(kept), "--key", VKEY, "--interval", "0.1"],
            cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=errors, text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout
        try:
            assert "3 entries" in process.stdout.readline()
            for size in (5, 6):
                put(log, "draft", b"<html>log in first</html>")
                (log / "draft").rename(log / "checkpoint")
                until(partial(_says, told, "not one that the log's key signed", size - 4))
                draft = tmp_path / "next"
                publish(draft, leaves(size))
                shutil.copytree(draft / "tile", log / "tile", dirs_exist_ok=True)
                (draft / "checkpoint").rename(log / "checkpoint")
                assert f"{size} entries" in process.stdout.readline()
            put(log, "draft", note.replace(b"3\n", b"7\n", 1))
            (log / "draft").rename(log / "checkpoint")
            until(partial(_says, told, "not one that the log's key signed", 3))
            process.terminate()
            assert process.wait(20) == mirror.REFUSED
        finally:
            process.kill()
