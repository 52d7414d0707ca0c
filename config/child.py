"""Child processes that end with their parent."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import psutil

from config.stopping import StopFlag

_SPAWN = Path(__file__).parent / "embedded" / "spawn.py"
_LOG_LIMIT = 10 * 1024 * 1024


class ChildFailed(Exception):
    """A child process ended with an error, or did not end in time."""


@dataclass(slots=True)
class Child:
    """A program in a session of its own: a terminal's Ctrl-C reaches it only through `stop`."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    log: Path | None = field(default=None)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            self.process.send_signal(number)

    def kill_group(self, *, seconds: float = 5.0) -> None:
        """Kill what the program left in its process group, and wait until it runs no more, at most so long."""
        group = self.process.pid
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
        # A signal is delivered when the kernel gets to it; orphans are reaped by whoever adopted them, so they cannot
        # be waited for by name. One that is dead and not reaped yet counts as gone.
        deadline, pause = time.monotonic() + seconds, Event()
        while _alive(group) and time.monotonic() < deadline:
            pause.wait(0.005)

    def tail(self, characters: int = 2000) -> str:
        """The end of its log, for error messages."""
        if self.log is None or not self.log.exists():
            return ""
        return self.log.read_text(encoding="utf-8", errors="replace")[-characters:]


def _alive(group: int) -> bool:
    """Whether a process of the group still runs."""
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError, PermissionError):
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                return True
    return False


def bound(
    program: Sequence[str | Path],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    user: pwd.struct_passwd | None = None,
) -> list[str | Path]:
    """Command line that runs `program` as `user` and signals it when this process dies, however it dies."""
    identity = (user.pw_uid, user.pw_gid) if user else (-1, -1)
    numbers = (os.getpid(), int(death_signal), *identity)
    return [sys.executable, "-I", "-S", _SPAWN, *(str(number) for number in numbers), *program]


def start(
    name: str,
    program: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    log: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    user: pwd.struct_passwd | None = None,
    directory: Path | None = None,
) -> Child:
    """Start `program`; with `log` its output is appended there, without it goes where ours goes."""
    output = _open_log(log) if log else None
    try:
        process = subprocess.Popen(
            bound(program, death_signal=stop_signal, user=user),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory or "/",
            start_new_session=True,
            umask=0o077,
        )
    finally:
        if output is not None:
            os.close(output)
    return Child(name, process, stop_signal, log)


def _open_log(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(path.suffix + ".old"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def finish(child: Child, *, flag: StopFlag, seconds: float, grace: float = 5.0) -> None:
    """Wait for a child that does one job; ChildFailed unless it ends with status 0 in time.

    One that does not is asked to end, and killed after `grace` seconds more.
    """
    try:
        ended = flag.until(lambda: not child.running, seconds=seconds)
    except BaseException:
        stop([child], grace=grace)
        raise
    if not ended:
        stop([child], grace=grace)
        raise ChildFailed(f"{child.name} did not end within {seconds:.0f} s.\n{child.tail()}".rstrip())
    if child.process.returncode:
        raise ChildFailed(f"{child.name} failed (status {child.process.returncode}).\n{child.tail()}".rstrip())


def stop(children: Sequence[Child], *, grace: float) -> None:
    """Ask all to end, last started first; kill what is left after `grace` seconds. Returns when all are
    gone.
    """
    for child in reversed(children):
        child.signal(child.stop_signal)
    deadline = time.monotonic() + grace
    for child in reversed(children):
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        child.kill_group()
