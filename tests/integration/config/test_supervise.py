"""`./quickstart demo` as a person runs it: what each process is given, and that nothing outlives it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from config.programs import BIN, CHECKOUT
from tests.services.measuring import measuring
from tests.waiting import until


class Run:
    """`python -m config VERB` with a data folder of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.log = folder, folder / "output.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config", *arguments],
                cwd=CHECKOUT,
                env={"DATA_DIR": str(folder), "PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder), **measuring()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_output(self, text: str) -> None:
        def said() -> bool:
            assert text in self.output() or self.process.poll() is None, self.output()
            return text in self.output()

        until(said, seconds=90, what=f"{text!r} in the output")

    def wait(self) -> int:
        return self.process.wait(timeout=60)

    def descendants(self) -> dict[int, psutil.Process]:
        """All processes it started, found by the data folder in their environment or command."""
        found = {}
        for process in psutil.process_iter(["pid", "cmdline", "environ"]):
            environment, command = process.info["environ"] or {}, " ".join(process.info["cmdline"] or [])
            mine = environment.get("DATA_DIR", "").startswith(str(self.folder)) or str(self.folder) in command
            if mine and process.pid not in (self.process.pid, os.getpid()):
                found[process.pid] = process
        return found

    def assert_nothing_left(self) -> None:
        until(lambda: not self.descendants(), seconds=20, what="the end of all processes")
        assert "Traceback" not in self.output()


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="assay-test-"))
    yield path
    record = path / "running.json"
    if record.exists():  # of a killed run, whose sockets the next run would have removed
        shutil.rmtree(json.loads(record.read_text(encoding="utf-8"))["sockets"], ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def demo(folder: Path) -> Iterator[Run]:
    run = Run(folder, "demo")
    yield run
    run.process.kill()
    run.process.wait()
    run.assert_nothing_left()


def _command_of(process: psutil.Process, words: Sequence[str]) -> bool:
    try:
        return all(word in process.cmdline() for word in words)
    except psutil.NoSuchProcess:
        return False


def _find(run: Run, *words: str) -> psutil.Process:
    matching = [process for process in run.descendants().values() if _command_of(process, words)]
    assert matching, f"no process with {words}"
    return min(matching, key=lambda process: process.create_time())


def test_each_process_has_its_own_role_and_a_dead_one_ends_the_demo(demo: Run) -> None:
    demo.await_output("Stop    Ctrl-C")
    roles = {
        name: {variable for variable in _find(demo, *words).environ() if variable.startswith("DATABASE_")}
        for name, words in {
            "web": ("config.wsgi:application",),
            "worker": ("worker",),
            "signer": ("signer",),
            "publisher": ("publisher",),
            "beat": ("beat",),
            "exporter": ("demo.exporters",),
            "pipeline": ("demo.pipeline",),
        }.items()
    }
    assert roles == {
        "web": {"DATABASE_URL"},
        "worker": {"DATABASE_URL"},
        "signer": {"DATABASE_SIGNER_URL"},
        "publisher": {"DATABASE_SIGNER_URL"},
        "beat": set(),
        "exporter": set(),
        "pipeline": set(),
    }
    assert "SIGNER_STATE_DIR" not in _find(demo, "worker").environ()
    assert "SIGNER_STATE_DIR" not in _find(demo, "publisher").environ()
    assert "LEDGER_HMAC_KEY_FILE" in _find(demo, "worker").environ()
    assert "LEDGER_HMAC_KEY_FILE" not in _find(demo, "signer").environ()
    _find(demo, "worker").kill()
    assert demo.wait() == 1
    assert "error: worker ended (status -9)" in demo.output()
    demo.assert_nothing_left()


def test_killed_supervisor_leaves_nothing_running(demo: Run) -> None:
    demo.await_output("Stop    Ctrl-C")
    demo.process.kill()
    demo.wait()
    demo.assert_nothing_left()


@pytest.mark.parametrize("sign", ["", "PostgreSQL and Valkey are running."], ids=["at once", "while starting"])
def test_stopped_early_and_twice_leaves_nothing_running(demo: Run, sign: str) -> None:
    if sign:
        demo.await_output(sign)
    else:
        until(lambda: (demo.folder / "lock").exists(), what="the lock")
    demo.process.send_signal(signal.SIGINT)
    demo.process.send_signal(signal.SIGINT)
    demo.process.send_signal(signal.SIGTERM)
    assert demo.wait() == 130
    demo.assert_nothing_left()


def test_management_command_starts_servers_when_none_run_and_passes_its_status_on(folder: Path) -> None:
    fine = Run(folder, "manage", "version")
    assert fine.wait() == 0
    assert "5.2" in fine.output()
    refused = Run(folder, "manage", "no_such_command")
    assert refused.wait() == 1
    assert "Unknown command: 'no_such_command'" in refused.output()
    refused.assert_nothing_left()


def test_tampering_needs_a_running_demo(folder: Path) -> None:
    run = Run(folder, "tamper")
    assert run.wait() == 1
    assert "error: Start the demo first" in run.output()


def test_reset_deletes_the_private_demo_only(folder: Path) -> None:
    assert Run(folder, "manage", "version").wait() == 0
    assert (folder / "secrets").exists()
    assert Run(folder, "reset").wait() == 0
    assert {path.name for path in folder.iterdir()} == {"lock", "output.log"}


def test_reset_and_demo_refuse_a_database_they_were_given(folder: Path) -> None:
    given = {"DATABASE_URL": "postgresql://a:b@/c?host=/nowhere", "REDIS_URL": "unix:///nowhere"}
    for verb, sentence in (("reset", "Only the private demo database"), ("demo", "set DEMO=1 too")):
        result = subprocess.run(
            [sys.executable, "-m", "config", verb],
            cwd=CHECKOUT, env={"DATA_DIR": str(folder), "PATH": str(BIN), **measuring(), **given},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert result.returncode == 1
        assert sentence in result.stderr
