"""What `python -m audit.tlog` prints, called in this process."""

import io
import json
import os
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from audit.tlog import show
from audit.tlog.__main__ import main
from audit.tlog.bundleformat import write_bundle
from audit.tlog.receipt import Receipt
from tests.unit.tlog_reference import ORIGIN, SampleLog

LOG = SampleLog(230)
KEY = LOG.key.verifier.to_text()


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command on these bytes; exit status, standard output and standard error."""

    def run(command: str, data: bytes, *options: str) -> tuple[int, str, str]:
        path = tmp_path / "file"
        path.write_bytes(data)
        status = main([command, str(path), *options])
        return status, *capsys.readouterr()

    return run


def test_long_lists_are_shortened_but_counted(call: Any) -> None:
    status, out, _ = call("verify", LOG.bundle(range(230)), "--key", KEY)
    assert status == 0
    assert "entry 199:" in out and "entry 200:" not in out
    assert "... and 30 more; --json lists them all." in out
    _, out, _ = call("verify", LOG.bundle(range(230)), "--key", KEY, "--json")
    assert len(json.loads(out)["entries"]) == 230


def test_failures_come_first(call: Any) -> None:
    bad = LOG.bundle([4, 7], state={"deployment:1": "{}"})
    status, out, _ = call("verify", bad)
    assert status == 1
    lines = out.split("\n")
    assert lines[:2] == ["REFUSED: this bundle does not verify.", "First bad entry: 7."]
    assert lines.index(next(line for line in lines if line.startswith("FAIL state 7"))) < lines.index(
        next(line for line in lines if line.startswith("ok   checkpoint"))
    )
    assert "NOTE key: NOT PINNED" in out


def test_a_bundle_nobody_signed(call: Any) -> None:
    found = json.loads(LOG.bundle([4]))
    found["checkpoint"] = "nothing"
    status, out, _ = call("verify", json.dumps(found).encode(), "--key", KEY)
    assert status == 1 and "First bad entry" not in out
    status, out, _ = call("inspect", json.dumps(found).encode())
    assert status == 0 and "checkpoint unreadable" in out


def test_inspect_shows_what_it_can_read(call: Any) -> None:
    found = json.loads(LOG.bundle([3, 4], state={"deployment:1": "{}"}))
    found["entries"][0]["sections"]["facts"]["body"] = "*"
    found["entries"][1]["leaf"] = b64encode(b"no leaf").decode()
    status, out, _ = call("inspect", json.dumps(found).encode())
    assert status == 0
    assert "(not readable)" in out and "entry 4: The leaf is not JSON." in out and "state    deployment:1: {}" in out


def test_inspect_names_other_files(call: Any) -> None:
    status, out, _ = call("inspect", b"%PDF-1.7\n")
    assert status == 0 and out.startswith("PDF of 9 bytes")
    receipt = Receipt.parse(LOG.receipt(3))
    with_extra = Receipt(3, receipt.hashes, receipt.checkpoint_note, b"four").to_text().encode()
    status, out, _ = call("inspect", with_extra)
    assert status == 0 and "extra    4 bytes that no signature covers" in out


def test_receipts(call: Any, tmp_path: Path) -> None:
    leaf = tmp_path / "leaf"
    leaf.write_bytes(LOG.leaves[3])
    data = LOG.receipt(3).encode()
    assert call("verify", data, "--leaf", str(leaf), "--key", KEY)[0] == 0
    assert call("verify", data)[0] == 2
    leaf.write_bytes(bytes(65_536))
    status, _, err = call("verify", data, "--leaf", str(leaf), "--key", KEY)
    assert status == 2 and "more than 65535 bytes" in err


def test_pdfs_go_to_their_verifier(call: Any) -> None:
    status, out, _ = call("verify", b"%PDF-1.7\n", "--key", KEY)
    assert status == 1 and "this pdf does not verify" in out


def test_key_files(call: Any, tmp_path: Path) -> None:
    data = LOG.bundle([1])
    keys = tmp_path / "keys"
    for content, words in ((b"", "holds no key"), (b"\xff", "is not text"), (b"word\n", "name+hash+base64")):
        keys.write_bytes(content)
        status, _, err = call("verify", data, "--key", str(keys))
        assert status == 2 and words in err
    keys.write_text(f"# comment\n{KEY}\n")
    assert call("verify", data, "--key", str(keys))[0] == 0
    assert "neither a key nor a readable file" in call("verify", data, "--key", "x" * 5000)[2]


def test_control_characters_are_not_obeyed() -> None:
    assert show.printable("a\x1b[2J\x9b\u202e\ud800b はい") == "a\\x1b[2J\\x9b\\u202e\\ud800b はい"


def test_a_reader_that_closes_early_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(LOG.bundle([1]))
    reading, writing = os.pipe()
    os.close(reading)
    with io.TextIOWrapper(io.FileIO(writing, "w"), encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["verify", str(path)]) == 0


def test_a_machine_without_memory(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("audit.tlog.commandverify.verify_bundle", exhausted)
    status, _, err = call("verify", LOG.bundle([1]))
    assert status == 2 and "too little memory" in err


def test_a_bundle_of_nothing_but_a_checkpoint(call: Any) -> None:
    empty = write_bundle(origin=ORIGIN, keys=[], checkpoint=LOG.checkpoint(5), entries=[])
    status, out, _ = call("verify", empty, "--key", KEY)
    assert status == 1 and "Nothing is shown" in out
