"""The mirror: what it accepts, what makes it stop for good, and that killing it anywhere does no harm."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit.publishing.folder import FolderStore
from audit.publishing.publisher import Publisher
from audit.tlog import mirror
from audit.tlog.folder import verify_folder
from audit.tlog.keyhistory import BEGINS, ENDS, of_keys, sign_statement
from audit.tlog.mirrorfolder import locked
from tests.unit import publishing_log
from tests.unit.tlog_published import KEY, OTHER_KEY, files, flip, leaves, publish, put
from tests.unit.tlog_server import serving

VKEY = KEY.verifier.to_text()
CHECKOUT = Path(__file__).resolve().parents[2]


def run(url: object, folder: Path, *more: str, key: str | None = VKEY) -> int:
    parser = argparse.ArgumentParser()
    mirror.add_arguments(parser)
    pinned = [] if key is None else ["--key", key]
    return mirror.run(parser.parse_args([str(url), str(folder), "--once", *pinned, *more]))


def alarm_of(folder: Path) -> dict[str, object]:
    [place] = folder.glob("alarm-*")
    found: dict[str, object] = json.loads((place / "alarm.json").read_text())
    return found


def test_a_log_is_followed_over_http(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, [])
    with serving(log) as server:
        assert run(server.url, kept) == mirror.UP_TO_DATE
        for size in (1, 255, 256, 257, 600):
            publish(log, leaves(size))
            with (kept / "checkpoints.jsonl").open("a") as file:
                file.write('{"size": 6')  # what a kill in the middle of a line leaves
            assert run(server.url, kept, "--json") == mirror.UP_TO_DATE
            assert json.loads(capsys.readouterr().out.splitlines()[-1])["size"] == size
            assert files(kept).keys() - files(log).keys() == {"checkpoints.jsonl"}
            assert all(files(kept)[path] == data for path, data in files(log).items() if ".p/" not in path)
            report = verify_folder(kept, of_keys([KEY.verifier]))
            assert report.ok, report
        server.asked.clear()
        assert run(server.url, kept) == mirror.UP_TO_DATE
        assert len(server.asked) == 4, "keys, checkpoint, and one old tile with its bundle"
    assert [json.loads(line)["size"] for line in (kept / "checkpoints.jsonl").read_text().splitlines()] == [
        0, 1, 255, 256, 257, 600,
    ]  # fmt: skip
    assert not list(kept.rglob("*.tmp"))
    assert not (kept / "tile/0/000.p").exists()
    assert (kept / "tile/0/002.p/88").exists()


def test_what_this_program_publishes_is_followed(tmp_path: Path) -> None:
    """The publisher removes partial files once full ones are there; a mirror that slept may still want them."""
    public, kept, late = tmp_path / "public", tmp_path / "kept", tmp_path / "late"
    key = publishing_log.KEY.verifier.to_text()
    for signed in ((100,), (100, 300), (100, 300, 512), (100, 300, 512, 1_100)):
        Publisher(FolderStore(public), publishing_log.KEY.verifier).step(publishing_log.MemoryLog(*signed))
        assert run(public, kept, key=key) == mirror.UP_TO_DATE
        if signed == (100,):
            assert run(public, late, key=key) == mirror.UP_TO_DATE
    assert run(public, late, key=key) == mirror.UP_TO_DATE
    for folder in (kept, late):
        assert publishing_log.wanted(1_100).items() <= files(folder).items()


def test_a_full_tile_stands_in_for_a_partial_one_that_is_gone(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    note = publish(log, leaves(300))
    publish(log, leaves(600), keep=False)
    put(log, "checkpoint", note.encode())  # a cache that lags behind
    put(log, "tile/1/000.p/1", (log / "tile/1/000.p/2").read_bytes()[:32])
    assert run(log, kept) == mirror.UP_TO_DATE
    assert (kept / "tile/entries/001.p/44").exists()
    assert verify_folder(kept, of_keys([KEY.verifier])).ok


def test_nothing_is_accepted_without_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(3), key=OTHER_KEY)
    assert run(log, kept, key=None) == mirror.UNUSABLE
    assert "--key" in capsys.readouterr().err
    assert run(log, kept) == mirror.REFUSED
    assert not (kept / "checkpoint").exists()
    assert not list(kept.glob("alarm-*")), "what nobody signed is no evidence"
    publish(log, leaves(3))
    assert run(log, kept, key=None) == mirror.UP_TO_DATE  # the pin is remembered
    assert run(log, kept, key=OTHER_KEY.verifier.to_text()) == mirror.UNUSABLE
    assert run(tmp_path / "nowhere", kept) == mirror.UNUSABLE
    (tmp_path / "other").mkdir()
    put(tmp_path / "other", "precious", b"")
    assert run(log, tmp_path / "other") == mirror.UNUSABLE
    capsys.readouterr()
    with locked(kept):
        assert run(log, kept) == mirror.UNUSABLE
    assert "Another mirror" in capsys.readouterr().err
    trusting = tmp_path / "trusting"
    assert run(log, trusting, "--trust-first-use", key=None) == mirror.UP_TO_DATE
    assert "WARNING" in capsys.readouterr().err
    assert run(log, trusting, key=None) == mirror.UP_TO_DATE
    assert "WARNING" in capsys.readouterr().err, "it says so until the key is given"
    assert run(log, trusting) == mirror.UP_TO_DATE
    assert run(log, trusting, key=None) == mirror.UP_TO_DATE
    assert "WARNING" not in capsys.readouterr().err
    (log / "checkpoint").unlink()
    assert run(log, kept) == mirror.INCOMPLETE


def test_keys_change_and_only_by_statements_that_continue(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(3))
    assert run(log, kept) == mirror.UP_TO_DATE
    begins = sign_statement(BEGINS, old=KEY, new=OTHER_KEY, size=4)
    ends = sign_statement(ENDS, old=KEY, new=OTHER_KEY, size=5)
    publish(log, leaves(6), key=OTHER_KEY)
    assert run(log, kept) == mirror.REFUSED  # the statements are not published yet
    put(log, "keys", f"{VKEY}\n\n{begins}\n{ends}".encode())
    assert run(log, kept) == mirror.UP_TO_DATE
    assert (kept / "keys").read_bytes() == (log / "keys").read_bytes()
    # A key after its end; also for a mirror that was given the history, and is shown none.
    publish(log, leaves(7), key=KEY)
    (log / "keys").unlink()
    assert run(log, tmp_path / "other", key=str(kept / "keys")) == mirror.REFUSED
    put(log, "keys", f"{VKEY}\n\n{begins}\n{ends}".encode())
    assert run(log, kept) == mirror.REFUSED
    for made_up in ("nonsense", f"{OTHER_KEY.verifier.to_text()}\n"):
        put(log, "keys", made_up.encode())
        assert run(log, kept) == mirror.REFUSED
    assert not list(kept.glob("alarm-*")), "anybody can make that up"
    other = sign_statement(ENDS, old=KEY, new=OTHER_KEY, size=9)
    put(log, "keys", f"{VKEY}\n\n{begins}\n{other}".encode())
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == "keys"


@pytest.mark.parametrize(
    ("older", "newer", "changed"), [(700, 700, 650), (700, 900, 3), (300, 1000, 299), (257, 258, 256)]
)
def test_a_fork_is_an_alarm_until_a_person_clears_it(tmp_path: Path, older: int, newer: int, changed: int) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(older))
    assert run(log, kept) == mirror.UP_TO_DATE
    before = files(kept)
    publish(log, leaves(newer, changed=changed), keep=False)
    assert run(log, kept) == mirror.REFUSED
    report = alarm_of(kept)
    assert report["kind"] == "fork"
    assert report["first_bad_index"] == changed
    evidence = kept / "alarm-1"
    assert (evidence / "seen-checkpoint").read_bytes() == (log / "checkpoint").read_bytes()
    assert (evidence / "kept-checkpoint").read_bytes() == before["checkpoint"]
    assert {path: data for path, data in files(kept).items() if "alarm" not in path} == before
    publish(log, leaves(older + 1), keep=False)
    assert run(log, kept) == mirror.REFUSED, "an honest log does not clear it"
    shutil.rmtree(evidence)
    assert run(log, kept) == mirror.UP_TO_DATE
    assert verify_folder(kept, of_keys([KEY.verifier])).ok


def test_a_fork_is_told_also_when_tiles_are_missing(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(700))
    assert run(log, kept) == mirror.UP_TO_DATE
    publish(log, leaves(900, changed=300), keep=False)
    (log / "tile/0/001").unlink()
    assert run(log, kept) == mirror.REFUSED
    report = alarm_of(kept)
    assert (report["kind"], report["first_bad_index"]) == ("fork", None)
    assert "entries 256 to 511" in str(report["text"])


def test_a_log_that_goes_back_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(300))
    assert run(log, kept) == mirror.UP_TO_DATE
    monkeypatch.setattr("audit.tlog.mirrorpass._SECONDS_BETWEEN_LOOKS", (0.0, 0.0))
    older = publish(tmp_path / "older", leaves(260))
    put(log, "checkpoint", older.encode())
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["kind"] == "rollback"
    shutil.rmtree(kept / "alarm-1")
    put(log, "checkpoint", publish(tmp_path / "forked", leaves(260, changed=40)).encode())
    assert run(log, kept) == mirror.REFUSED
    assert (alarm_of(kept)["kind"], alarm_of(kept)["first_bad_index"]) == ("fork", None)
    shutil.rmtree(kept / "alarm-1")
    assert run(tmp_path / "forked", kept) == mirror.REFUSED
    assert (alarm_of(kept)["kind"], alarm_of(kept)["first_bad_index"]) == ("fork", 40)
    shutil.rmtree(kept / "alarm-1")
    with serving(log) as server:  # a cache that lags, then catches up
        stale = publish(tmp_path / "stale", leaves(299))
        put(log, "stale", stale.encode())
        publish(log, leaves(300))
        server.faults["checkpoint"] = ["/stale"]
        assert run(server.url, kept) == mirror.UP_TO_DATE


@pytest.mark.parametrize(
    ("path", "place", "kind", "index"),
    [
        ("tile/0/001", 32 * 7, "tile", 256 + 7),
        ("tile/0/002.p/88", 32 * 2, "tile", 512 + 2),
        ("tile/1/000.p/2", 32, "tile", None),
        ("tile/entries/001", 2, "entry", 256),
        ("tile/entries/001", 0, "entry", 256),
        ("tile/entries/002.p/88", -1, "entry", 599),
    ],
)
def test_a_rewritten_file_is_an_alarm(tmp_path: Path, path: str, place: int, kind: str, index: int | None) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(200))
    assert run(log, kept) == mirror.UP_TO_DATE
    before = (kept / "checkpoint").read_bytes()
    publish(log, leaves(600))
    flip(log, path, place)
    assert run(log, kept) == mirror.REFUSED
    report = alarm_of(kept)
    assert (report["kind"], report["first_bad_index"]) == (kind, index)
    assert (kept / "checkpoint").read_bytes() == before
    shutil.rmtree(kept / "alarm-1")
    flip(log, path, place)
    assert run(log, kept) == mirror.UP_TO_DATE
    assert verify_folder(kept, of_keys([KEY.verifier])).ok


@pytest.mark.parametrize("path", ["tile/0", "tile/entries"])
def test_what_was_published_long_ago_is_read_again(tmp_path: Path, path: str) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(600))
    assert run(log, kept) == mirror.UP_TO_DATE
    for n in range(2):  # whichever is chosen
        flip(log, f"{path}/00{n}", -1)
    assert run(log, kept) == mirror.REFUSED
    assert alarm_of(kept)["first_bad_index"] in {255, 511}


def test_a_file_that_is_missing_is_no_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(600))
    (log / "tile/entries/001").rename(tmp_path / "away")
    assert run(log, kept) == mirror.INCOMPLETE
    assert "tile/entries/001" in capsys.readouterr().err
    (tmp_path / "away").rename(log / "tile/entries/001")
    publish(log, leaves(700))
    assert run(log, kept) == mirror.UP_TO_DATE
    sizes = [json.loads(line)["size"] for line in (kept / "checkpoints.jsonl").read_text().splitlines()]
    assert sizes == [600, 700], "what was begun is finished first"
    for damage in ("tile/0/002.p/188", "tile/1/000.p/2"):
        flip(kept, damage)
        assert run(log, kept) == mirror.UNUSABLE
        assert "new folder" in capsys.readouterr().err
        flip(kept, damage)


_DYING = """
import argparse, os, sys
from audit.tlog import mirror
left = int(sys.argv[1])
def dying(real):
    def call(*a, **k):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
        return real(*a, **k)
    return call
os.replace, os.fsync, os.rename = dying(os.replace), dying(os.fsync), dying(os.rename)
parser = argparse.ArgumentParser()
mirror.add_arguments(parser)
sys.exit(mirror.run(parser.parse_args([*sys.argv[2:], "--once"])))
"""


def test_killed_anywhere_it_goes_on_where_it_was(tmp_path: Path) -> None:
    log, start = tmp_path / "log", tmp_path / "start"
    publish(log, leaves(300))
    assert run(log, start) == mirror.UP_TO_DATE
    publish(log, leaves(900))
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    assert run(log, whole) == mirror.UP_TO_DATE
    killed = 0
    for point in (*range(1, 4), *range(7, 200, 10)):
        kept = tmp_path / f"kept-{point}"
        shutil.copytree(start, kept)
        done = subprocess.run(
            [sys.executable, "-c", _DYING, str(point), str(log), str(kept)], cwd=CHECKOUT, check=False, timeout=60
        )
        assert done.returncode in {0, -9}
        if done.returncode == 0:
            break
        killed += 1
        state = (kept / "checkpoint").read_bytes()
        assert state in {(start / "checkpoint").read_bytes(), (log / "checkpoint").read_bytes()}
        # What was being written when it died may hold anything.
        for draft in kept.rglob("*.tmp"):
            draft.write_bytes(b"half")
        assert run(log, kept) == mirror.UP_TO_DATE
        assert {p: d for p, d in files(kept).items() if not p.endswith(".tmp")} == files(whole)
    assert killed > 6


def test_large_steps_are_resumed_tile_by_tile(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    entries = [b"%d" % n for n in range(65_536 + 300)]
    publish(log, entries)
    away = tmp_path / "away"
    (log / "tile/entries/256").rename(away)  # all of the first 65,536 entries come, then it breaks off
    assert run(log, kept) == mirror.INCOMPLETE
    away.rename(log / "tile/entries/256")
    with serving(log) as server:
        assert run(server.url, kept) == mirror.UP_TO_DATE
        asked = set(server.asked)
    assert "tile/entries/256" in asked
    assert "tile/1/000" in asked
    assert not any(path.startswith(("tile/entries/000", "tile/0/255")) for path in asked)
    assert files(kept).keys() - files(log).keys() == {"checkpoints.jsonl"}


def test_following_goes_on_until_it_is_stopped(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    publish(log, leaves(3))
    program = _DYING.replace(', "--once"', ', "--interval", "0.1", "--json"')
    with subprocess.Popen(
        [sys.executable, "-c", program, "0", str(log), str(kept), "--key", VKEY],
        cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        try:
            assert json.loads(process.stdout.readline())["size"] == 3
            (log / "checkpoint").unlink()
            while json.loads(process.stdout.readline())["status"] != "incomplete":
                pass
            publish(log, leaves(5))
            while json.loads(process.stdout.readline()).get("size") != 5:
                pass
            process.terminate()
            process.stdout.read()
            assert process.wait(20) == mirror.UP_TO_DATE
        finally:
            process.kill()
