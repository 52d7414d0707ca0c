"""The signer as it is run: `manage.py signer` in a process of its own, with its own role, key and state."""

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit import queries
from audit.models import Checkpoint, SignerLease
from audit.queries.keys import key_history_text
from audit.signer.state import StateDir
from audit.tlog.__main__ import main as verifier
from audit.tlog.note import SigningKey
from config import child, programs
from tests.integration.signer_story import alarms, cheat, record, roots, signer
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database
from tests.services.processes import process_environment
from tests.waiting import until


class Launcher:
    """Starts `manage.py signer`, and stops what is left of it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.environment = process_environment(database, "signer", worker="signer", folder=folder)
        self.folder = folder
        self.started: list[child.Child] = []

    def start(self, *arguments: str, state: Path | None = None, vkey: str = "", program: str = "") -> child.Child:
        environment = self.environment | ({"SIGNER_STATE_DIR": str(state)} if state else {})
        environment |= {"LEDGER_VKEY": vkey} if vkey else {}
        command = ["-c", program] if program else [programs.CHECKOUT / "manage.py", "signer", *arguments]
        process = child.start(
            "signer",
            [sys.executable, *command],
            environment=environment,
            log=self.folder / f"signer{len(self.started)}.log",
            directory=programs.CHECKOUT,
        )
        self.started.append(process)
        return process

    def ended(self, process: child.Child) -> int:
        until(lambda: not process.running, what="the signer's end")
        return process.process.wait()


@pytest.fixture
def launcher(committed: Database, signer_state: Path, tmp_path: Path) -> Iterator[Launcher]:
    found = Launcher(committed, tmp_path)
    yield found
    child.stop(found.started, grace=10)


def signed(size: int) -> bool:
    return Checkpoint.objects.filter(size=size).exists()


def test_it_signs_what_is_committed_and_ends_on_sigterm(launcher: Launcher) -> None:
    process = launcher.start()
    record(3)
    until(lambda: signed(3), what="a checkpoint of 3 entries")
    record(300)
    until(lambda: signed(303), what="a checkpoint of 303 entries")
    process.signal(signal.SIGTERM)
    assert launcher.ended(process) == 0
    assert "Traceback" not in process.tail()
    lease = SignerLease.objects.get()
    assert lease.expires_at <= datetime.now(UTC)
    again = launcher.start()
    record(1)
    until(lambda: signed(304), what="a checkpoint by the next signer")
    assert again.running
    assert (StateDir(launcher.folder / "signer").path / "state.json").stat().st_mode & 0o777 == 0o600


def test_it_survives_kill_9_between_remembering_and_publishing(launcher: Launcher) -> None:
    record(7)
    program = (
        "import os, signal, sys\n"
        "from audit.signer import database\n"
        "database.insert_checkpoint = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(['manage.py', 'signer'])\n"
    )
    assert launcher.ended(launcher.start(program=program)) == -signal.SIGKILL
    assert roots() == {}
    assert json.loads((launcher.folder / "signer" / "state.json").read_text())["size"] == 7
    launcher.start()
    until(lambda: signed(7), what="the remembered checkpoint")
    assert alarms() == []


def test_after_kill_9_the_next_signer_starts_at_once(launcher: Launcher) -> None:
    process = launcher.start()
    record(1)
    until(lambda: signed(1), what="a checkpoint")
    process.signal(signal.SIGKILL)
    launcher.ended(process)
    record(1)
    launcher.start()
    until(lambda: signed(2), seconds=8, what="a checkpoint before the dead signer's lease ran out")


def test_a_second_signer_in_the_same_folder_is_refused(launcher: Launcher) -> None:
    first = launcher.start()
    record(1)
    until(lambda: signed(1), what="a checkpoint")
    second = launcher.start()
    assert launcher.ended(second) == 3
    assert "Another signer works in" in second.tail()
    assert first.running


def test_a_second_signer_with_a_copied_folder_is_refused(launcher: Launcher, tmp_path: Path) -> None:
    first = launcher.start()
    record(1)
    until(lambda: signed(1), what="a checkpoint")
    copy = tmp_path / "copy"
    shutil.copytree(launcher.folder / "signer", copy)
    second = launcher.start(state=copy)
    assert launcher.ended(second) == 3
    assert "works on this log and is alive" in second.tail()
    assert first.running


def test_a_stopped_process_resumes_and_lays_down_a_pen_that_it_lost(launcher: Launcher, tmp_path: Path) -> None:
    """SIGSTOP is what a suspended machine does: time passes, and nothing in the process knows."""
    process = launcher.start()
    record(1)
    until(lambda: signed(1), what="a checkpoint")
    process.signal(signal.SIGSTOP)
    record(1)
    process.signal(signal.SIGCONT)
    until(lambda: signed(2), what="a checkpoint after resuming")
    # Longer than a lease, and meanwhile another signer, with a copy of the folder, was started elsewhere.
    process.signal(signal.SIGSTOP)
    copy = tmp_path / "copy"
    shutil.copytree(launcher.folder / "signer", copy)
    SignerLease.objects.using("signer").update(expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    record(1)
    second = launcher.start(state=copy)
    until(lambda: signed(3), what="a checkpoint by the second signer")
    process.signal(signal.SIGCONT)
    assert launcher.ended(process) == 3
    assert "took over while this one was paused" in process.tail()
    record(1)
    until(lambda: signed(4), what="another checkpoint by the second signer")
    assert second.running
    assert set(roots()) == {1, 2, 3, 4}
    assert alarms() == []


def test_keys_change_between_runs_and_an_auditor_follows_offline(launcher: Launcher, tmp_path: Path) -> None:
    process = launcher.start()
    record(1)
    until(lambda: signed(1), what="a checkpoint")
    early = launcher.start("--rotate")
    assert launcher.ended(early) == 3
    assert "Another signer works in" in early.tail()
    process.signal(signal.SIGTERM)
    launcher.ended(process)
    rotated = launcher.start("--rotate")
    assert launcher.ended(rotated) == 0
    process = launcher.start()
    record(1)
    until(lambda: signed(2), what="a checkpoint by two keys")
    process.signal(signal.SIGKILL)
    launcher.ended(process)
    assert launcher.ended(launcher.start("--retire")) == 0
    launcher.start()
    record(1)
    until(lambda: signed(3), what="a checkpoint by the new key")
    notes = {row.size: row.note.count("\n— ") for row in Checkpoint.objects.all()}
    assert notes == {1: 1, 2: 2, 3: 1}
    assert rotated.tail().strip() in key_history_text()
    (tmp_path / "keys").write_text(key_history_text())
    (tmp_path / "bundle.json").write_bytes(queries.bundle([0, 2], consistent_with=[1, 2]))
    stranger = SigningKey.generate(ORIGIN, b"S" * 32).verifier.to_text()
    for key, status in ((str(tmp_path / "keys"), 0), (SIGNING_KEY.verifier.to_text(), 0), (stranger, 1)):
        assert verifier(["verify", str(tmp_path / "bundle.json"), "--key", key]) == status


def test_a_freeze_survives_kill_9_before_it_was_told(launcher: Launcher, committed: Database) -> None:
    record(3)
    with signer(launcher.folder / "signer") as hand:
        hand.look()
    cheat(committed, "UPDATE entry SET leaf = leaf || '\\x20' WHERE index = 1")
    program = (
        "import os, signal\n"
        "from audit.signer import database\n"
        "database.raise_alarm = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from django.core.management import execute_from_command_line\n"
        "execute_from_command_line(['manage.py', 'signer'])\n"
    )
    assert launcher.ended(launcher.start(program=program)) == -signal.SIGKILL
    assert alarms() == []
    # Put back before anybody saw it: what was seen was seen.
    cheat(committed, "UPDATE entry SET leaf = substr(leaf, 1, length(leaf) - 1) WHERE index = 1")
    record(1)
    launcher.start()
    until(lambda: alarms() == [("signer.frozen", 1)], what="the alarm")
    assert not signed(4)


def test_a_lost_state_is_refused(launcher: Launcher) -> None:
    record(4)
    with signer(launcher.folder / "signer") as hand:
        hand.look()
    (launcher.folder / "signer" / "state.json").unlink()
    process = launcher.start()
    assert launcher.ended(process) == 4
    assert "state is lost" in process.tail()
    assert "4 entries were signed already" in process.tail()
    assert not (launcher.folder / "signer" / "state.json").exists()


def test_an_old_copy_of_the_state_is_refused(launcher: Launcher) -> None:
    folder = launcher.folder / "signer"
    record(4)
    with signer(folder) as hand:
        hand.look()
        old = (folder / "state.json").read_text()
        record(4)
        hand.look()
    (folder / "state.json").write_text(old)
    process = launcher.start()
    assert launcher.ended(process) == 4
    assert "is an old copy: it ends at 4 entries, but 8 were signed" in process.tail()


def test_another_key_is_refused(launcher: Launcher) -> None:
    other = SigningKey.generate(ORIGIN, bytes(32)).verifier.to_text()
    process = launcher.start(vkey=other)
    assert launcher.ended(process) == 4
    assert "LEDGER_VKEY is not the public half of" in process.tail()
    assert SIGNING_KEY.to_text() not in process.tail()


def test_init_makes_a_key_for_a_new_log_only(launcher: Launcher, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    process = launcher.start("--init", state=fresh)
    assert launcher.ended(process) == 0
    key = SigningKey.from_text((fresh / "signing.key").read_text())
    assert process.tail().strip() == key.verifier.to_text()
    assert (fresh / "signing.key").stat().st_mode & 0o777 == 0o600
    assert launcher.ended(launcher.start("--init", state=fresh)) == 4
    record(1)
    third = launcher.start("--init", state=tmp_path / "third")
    assert launcher.ended(third) == 4
    assert "has entries already" in third.tail()


def test_a_frozen_signer_keeps_running_and_says_why(launcher: Launcher, committed: Database) -> None:
    process = launcher.start()
    record(5)
    until(lambda: signed(5), what="a checkpoint")
    cheat(committed, "UPDATE entry SET leaf = leaf || '\\x20' WHERE index = 2")
    lease = until(lambda: SignerLease.objects.exclude(frozen_reason="").first(), what="the signer's freezing")
    assert lease is not None
    assert lease.frozen_reason == "Entry 2 was changed: its leaf has another hash than before."
    record(1)
    seen = lease.seen_at
    until(lambda: SignerLease.objects.get().seen_at > seen, what="a sign of life")
    assert process.running
    assert "frozen at 5 entries" in process.tail()
    assert not signed(6)
    assert alarms() == [("signer.frozen", 2)]


def test_it_outlives_its_connection(launcher: Launcher, committed: Database) -> None:
    """A database that is restarted is not a contradiction."""
    process = launcher.start()
    record(1)
    until(lambda: signed(1), what="a checkpoint")
    cheat(
        committed,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'assay_test_signer'",
    )
    record(1)
    until(lambda: signed(2), what="a checkpoint over a new connection")
    assert process.running
    assert alarms() == []
