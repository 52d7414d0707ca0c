"""Writers that are killed with -9 at random points, and a database server that crashes under them: nothing
acknowledged is lost, nothing is doubled, and the tree is what a naive recomputation says.

Each writer is a client with a notebook: it notes what it is about to send, sends it, notes the answer. One that was
killed is started again and first sends again what it has no answer for, as a pipeline would.
"""

import argparse
import logging
import os
import random
import signal
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connections

from bench.crashcheck import Wrong, check
from bench.crashwriter import write
from bench.figure import Figure, progress

WRITERS = 8
SECONDS_BETWEEN_KILLS = 0.15
SECONDS_BETWEEN_CRASHES = 15.0
SECONDS_TO_FINISH = 120


@dataclass(slots=True)
class _Storm:
    folder: Path
    seed: int
    writers: int
    kills: int = 0
    crashes: int = 0
    running: dict[int, int] = field(default_factory=dict)
    """Process id to number of the writer."""

    def start(self, number: int, *, finish: bool = False) -> None:
        # Forked, not started anew: a fresh interpreter would spend its life on imports before it is killed.
        pid = os.fork()
        if pid:
            self.running[pid] = number
            return
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            logging.disable()  # every crash of the server would be told by every writer
            write(self.folder / f"writer-{number}", f"{self.seed}-{number}", finish=finish)
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)

    def kill_one(self, chance: random.Random) -> None:
        pid = chance.choice(sorted(self.running))
        number = self.running.pop(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.kills += 1
        self.start(number)

    def end(self) -> None:
        """Kill all, and let each finish what it has no answer for."""
        for pid in self.running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.kills += len(self.running)
        self.running.clear()
        for number in range(self.writers):
            self.start(number, finish=True)
        deadline = time.monotonic() + SECONDS_TO_FINISH
        for pid in list(self.running):
            while os.waitpid(pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    raise Wrong(f"Writer {self.running[pid]} did not come to an end.")
                threading.Event().wait(0.02)

    def crash_server(self, chance: random.Random) -> None:
        """Kill one backend with -9: PostgreSQL then drops all connections and recovers from its log."""
        with suppress(psycopg.Error), psycopg.connect(_admin(), connect_timeout=5) as admin:
            rows = admin.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
            if rows:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(chance.choice(rows)[0], signal.SIGKILL)
                    self.crashes += 1


def run(options: argparse.Namespace) -> None:
    """Let it storm for `--seconds` (or `--kills`), then check; raises Wrong when the ledger did not stand."""
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    connections.close_all()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    progress(f"seed {seed}: {WRITERS} writers, killed about every {SECONDS_BETWEEN_KILLS} s")
    with tempfile.TemporaryDirectory(prefix="assay-crash-") as folder:
        storm = _Storm(Path(folder), seed, WRITERS)
        started = time.monotonic()
        _blow(storm, random.Random(seed), options)
        storm.end()
        elapsed = time.monotonic() - started
        found = check(Path(folder), _admin())
    progress(
        f"{storm.kills} writers killed and {storm.crashes} server crashes in {elapsed:.0f} s; {found.entries} entries,"
        f" {found.acknowledged} acknowledged, {found.repeated} of them found again after a kill; root as recomputed"
    )
    parts = {
        "seconds": round(elapsed, 1),
        "server_crashes": storm.crashes,
        "entries": found.entries,
        "acknowledged": found.acknowledged,
        "acknowledged_after_a_kill": found.repeated,
    }
    Figure("crash_kills_survived", storm.kills, "kills", parts=parts).print()


def _blow(storm: _Storm, chance: random.Random, options: argparse.Namespace) -> None:
    for number in range(storm.writers):
        storm.start(number)
    pause = threading.Event()
    end = time.monotonic() + options.seconds
    crash_at = time.monotonic() + SECONDS_BETWEEN_CRASHES
    told = 0
    while time.monotonic() < end and (not options.kills or storm.kills < options.kills):
        pause.wait(chance.expovariate(1 / SECONDS_BETWEEN_KILLS))
        storm.kill_one(chance)
        if options.server_crashes and time.monotonic() > crash_at:
            storm.crash_server(chance)
            crash_at = time.monotonic() + SECONDS_BETWEEN_CRASHES
        if storm.kills - told >= 100:
            told = storm.kills
            progress(f"{storm.kills} kills, {storm.crashes} server crashes")


def _admin() -> str:
    return os.environ["DATABASE_ADMIN_URL"]
