"""`python -m audit.tlog` as an auditor runs it: in a process of its own, without Django."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit.tlog.keys import SigningKey
from tests.unit.tlog_reference import ORIGIN, SampleLog

REPOSITORY = Path(__file__).resolve().parents[2]
LOG = SampleLog(12)
KEY = LOG.key.verifier.to_text()
BUNDLE = LOG.bundle(range(12), older=[5], state={"deployment:2": json.dumps(SampleLog.state(11))})

# Any import of Django or an attempt to open a socket is an error in the child.
GUARD = """
import sys, runpy, socket
sys.modules["django"] = sys.modules["psycopg"] = None
def refuse(*arguments, **named):
    raise AssertionError("network")
socket.socket = socket.create_connection = refuse
sys.argv = ["audit.tlog", *sys.argv[1:]]
runpy.run_module("audit.tlog", run_name="__main__")
"""


def run(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", GUARD, *map(str, arguments)],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.json"
    path.write_bytes(BUNDLE)
    return path


def test_a_true_bundle_with_the_key_on_the_line_and_in_a_file(bundle: Path, tmp_path: Path) -> None:
    done = run("verify", bundle, "--key", KEY)
    assert done.returncode == 0
    assert done.stdout.startswith("VERIFIED")
    assert "12 of 12 entries" in done.stdout and "entry 11: request.approved of deployment:2" in done.stdout
    keys = tmp_path / "keys.txt"
    keys.write_text(f"# the log's key\n\n{KEY}\n")
    assert run("verify", bundle, "--key", keys).returncode == 0


def test_without_a_key_it_says_so(bundle: Path) -> None:
    done = run("verify", bundle)
    assert done.returncode == 0
    assert done.stdout.startswith("CONSISTENT, KEY NOT PINNED")
    assert "NOTE key: NOT PINNED" in done.stdout
    assert LOG.key.verifier.fingerprint in done.stdout


def test_a_changed_bundle_is_refused_and_the_entry_named(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(LOG.bundle(range(12), state={"deployment:2": json.dumps(SampleLog.state(8))}))
    done = run("verify", path, "--key", KEY)
    assert done.returncode == 1
    assert done.stdout.startswith("REFUSED") and "First bad entry: 11." in done.stdout
    found = json.loads(run("verify", path, "--key", KEY, "--json").stdout)
    assert found["verified"] is False and found["first_bad_index"] == 11
    assert {check["name"] for check in found["checks"] if not check["ok"]} == {"state"}


def test_another_key_is_refused(bundle: Path) -> None:
    stranger = SigningKey.generate(ORIGIN, b"S" * 32).verifier.to_text()
    assert run("verify", bundle, "--key", stranger).returncode == 1


def test_a_receipt_needs_its_leaf_and_a_key(tmp_path: Path) -> None:
    receipt, leaf = tmp_path / "entry.tlog-proof", tmp_path / "entry.json"
    receipt.write_text(LOG.receipt(4))
    leaf.write_bytes(LOG.leaves[4])
    assert run("verify", receipt, "--leaf", leaf, "--key", KEY).returncode == 0
    leaf.write_bytes(LOG.leaves[5])
    assert run("verify", receipt, "--leaf", leaf, "--key", KEY).returncode == 1
    assert run("verify", receipt, "--key", KEY).returncode == 2
    assert run("verify", receipt, "--leaf", leaf).returncode == 2
    shown = run("inspect", receipt)
    assert shown.returncode == 0 and "index    4" in shown.stdout and ORIGIN in shown.stdout


def test_inspect_shows_a_bundle_and_checks_nothing(bundle: Path) -> None:
    shown = run("inspect", bundle)
    assert shown.returncode == 0
    assert "Nothing is checked" in shown.stdout and '"reason":"はい, ok"' in shown.stdout


def test_help_has_examples() -> None:
    shown = run("--help")
    assert shown.returncode == 0 and "examples:" in shown.stdout and "exit status" in shown.stdout


def test_wrong_usage_is_status_2(bundle: Path, tmp_path: Path) -> None:
    for arguments in (
        (),
        ("verify",),
        ("burn", bundle),
        ("verify", tmp_path / "absent"),
        ("verify", tmp_path),
        ("verify", bundle, "--key", "nonsense"),
        ("verify", bundle, "--key", "x" * 5000),
        ("verify", bundle, "--key", bundle),
    ):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr


HOSTILE = {
    "empty": b"",
    "deep": b"[" * 3_000_000,
    "deep-object": b'{"a":' * 300_000,
    "bytes": bytes(range(256)) * 20,
    "digits": b'{"format":' + b"9" * 100_000 + b"}",
    "receipt": b"c2sp.org/tlog-proof@v1\n",
    "receipt-garbage": b"c2sp.org/tlog-proof@v1\nindex 0\n\n\xff",
    "pdf": b"%PDF-",
    "pdf-garbage": b"%PDF-1.7\n" + bytes(range(256)) * 50,
    "truncated": BUNDLE[:-100],
    "terminal": BUNDLE.replace(b'"origin": "assay', b'"origin": "\\u001b[2J\\ud800'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_never_pass_and_never_crash(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(HOSTILE[name])
    leaf = tmp_path / "leaf"
    leaf.write_bytes(b"{}")
    pinned = ("verify", path, "--key", KEY, "--leaf", leaf)
    for arguments in (("verify", path), ("verify", path, "--json"), pinned):
        done = run(*arguments)
        assert done.returncode in (1, 2), done
        assert "\x1b" not in done.stdout + done.stderr
    shown = run("inspect", path)
    assert shown.returncode in (0, 2)
    assert "\x1b" not in shown.stdout + shown.stderr


def test_output_survives_a_terminal_that_is_not_utf8(bundle: Path) -> None:
    shown = run("inspect", bundle, env={"PYTHONIOENCODING": "ascii"})
    assert shown.returncode == 0 and "\\u306f" in shown.stdout
