"""The verbs of ./quickstart that need more than a shell."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from config import programs
from config.child import ChildFailed, bound
from config.embedded.place import EmbeddedError
from config.embedded.services import hold
from config.installation import NotRunningError, data_dir, opened, throwaway
from config.stopping import StopFlag, Stopped
from config.supervise import DemoFailedError, run_demo, say

_EXPECTED = (EmbeddedError, ChildFailed, NotRunningError, DemoFailedError)
_STOPPED_BY_USER = 130
_MADE_BY_US = (
    *("files", "logs", "signer", "secrets", "postgres18", "postgres18.tmp"),
    *("running.json", "migrated", "exporter_port"),
)


def run(flag: StopFlag, arguments: Sequence[str]) -> int:
    """Do one verb (the first argument); returns the exit status."""
    verbs: dict[str, Callable[[StopFlag, list[str]], int]] = {
        "demo": _demo,
        "manage": _manage,
        "tamper": _tamper,
        "bench": _bench,
        "reset": _reset,
    }
    verb, rest = (arguments[0], list(arguments[1:])) if arguments else ("demo", [])
    try:
        flag.check()
        return verbs[verb](flag, rest)
    except Stopped:
        return _STOPPED_BY_USER
    except _EXPECTED as error:
        say(f"error: {error}")
        return 1


def _demo(flag: StopFlag, rest: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./quickstart demo", description="Run the demo organisation.")
    parser.add_argument("--once", action="store_true", help="do the main job, print a summary, end")
    parser.add_argument("--port", type=int, help="port of the web server (default: the first free from 8000)")
    options = parser.parse_args(rest)
    return run_demo(flag, once=options.once, port=options.port)


def _manage(flag: StopFlag, rest: list[str]) -> int:
    roles = ["signer"] if rest[:1] in (["signer"], ["publisher"]) else ["app", "owner", "reader"]
    with opened(flag, join=True) as place:
        return _foreground(programs.manage(*rest), place.environment(*place.known(*roles)), flag)


def _tamper(flag: StopFlag, rest: list[str]) -> int:
    with opened(flag, join=True, need_running=True) as place:
        return _foreground(programs.manage("demo_tamper", *rest), place.environment("app", "admin"), flag)


def _bench(flag: StopFlag, rest: list[str]) -> int:
    # Loading millions of entries takes minutes: --keep lets the next run with --keep find them.
    keep = "--keep" in rest
    folder = data_dir(os.environ) / "bench" if keep else Path(tempfile.mkdtemp(prefix="assay-bench-"))
    with throwaway(flag, folder, keep=keep) as place:
        roles = ("app", "owner", "signer", "reader", "admin")
        return _foreground([sys.executable, "-m", "bench", *rest], place.environment(*roles), flag)


def _reset(_flag: StopFlag, rest: list[str]) -> int:
    argparse.ArgumentParser(prog="./quickstart reset", description="Delete the demo and its log.").parse_args(rest)
    if os.environ.get("DATABASE_URL"):
        say("error: DATABASE_URL is set. Only the private demo database can be reset.")
        return 1
    folder = data_dir(os.environ)
    if not (folder / "lock").exists():
        say(f"Nothing to reset: there is no demo in {folder}.")
        return 0
    with hold(folder):
        # By name: DATA_DIR may be a folder that holds other things. `lock` stays: others may wait on it.
        for target in (folder / name for name in _MADE_BY_US):
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
    say("The demo is deleted. ./quickstart starts a new one with a new log.")
    return 0


def _foreground(command: Sequence[str | Path], environment: dict[str, str], flag: StopFlag) -> int:
    """Run a command on this terminal. Ctrl-C reaches it from the terminal itself, other signals through
    us.
    """
    flag.check()
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    process = subprocess.Popen(bound(command), env=environment, cwd=programs.CHECKOUT)
    while process.poll() is None:
        if flag.wait(0.05):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode
