"""A private PostgreSQL: own data folder, own socket folder, no TCP, one password for each role."""

import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from config import child
from config.embedded.place import EmbeddedError, postgres_programs, reachable
from config.stopping import StopFlag

ADMIN = "assay_admin"
_MAJOR = "18"
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# For servers whose data nobody reads again after a crash.
_NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data folder and whom it belongs to (None: to us)."""

    folder: Path
    user: pwd.struct_passwd | None
    log: Path
    durable: bool

    @classmethod
    def in_data_dir(cls, data_dir: Path, *, user: pwd.struct_passwd | None, durable: bool) -> "Cluster":
        return cls(cluster_folder(data_dir), user, data_dir / "logs" / "postgres.log", durable)


def cluster_folder(data_dir: Path) -> Path:
    return data_dir / f"postgres{_MAJOR}"


def start(cluster: Cluster, *, sockets: Path, password: str, flag: StopFlag) -> child.Child:
    """Initialise the cluster where it is new, start the server and wait until it answers."""
    programs = postgres_programs()
    server = reachable(programs / "postgres", tree=programs.parents[1], user=cluster.user)
    if not cluster.folder.exists():
        _initialise(cluster, server.with_name("initdb"), password=password, flag=flag)
    _remove_stale_lock(cluster.folder, flag=flag)
    settings = {
        **_SETTINGS,
        **({} if cluster.durable else _NOT_DURABLE),
        "unix_socket_directories": str(sockets),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    process = child.start(
        "postgres",
        [server, "-D", cluster.folder, *options],
        environment=_environment(),
        log=cluster.log,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, then shuts down cleanly
        user=cluster.user,
    )
    try:
        _await_answer(process, sockets=sockets, password=password, flag=flag)
    except BaseException:
        child.stop([process], grace=10)
        raise
    return process


def _environment() -> Mapping[str, str]:
    # PG* variables of the user's shell would redirect or break the tools.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _initialise(cluster: Cluster, initdb: Path, *, password: str, flag: StopFlag) -> None:
    """initdb into a draft folder, renamed when complete: a run that is cut off leaves no half cluster."""
    draft = cluster.folder.with_suffix(".tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = draft.with_suffix(".password")
    try:
        password_file.touch(mode=0o600)
        password_file.write_text(password, encoding="utf-8")
        if cluster.user:
            for path in (draft, password_file):
                os.chown(path, cluster.user.pw_uid, cluster.user.pw_gid)
        process = child.start(
            "initdb",
            [
                initdb, "-D", draft, "-U", ADMIN, "-E", "UTF8", "--no-instructions",
                "--auth=scram-sha-256", f"--pwfile={password_file}",
                "--locale-provider=builtin", "--locale=C.UTF-8",
                *([] if cluster.durable else ["--no-sync"]),
            ],
            environment=_environment(),
            log=cluster.log,
            user=cluster.user,
        )  # fmt: skip
        child.finish(process, flag=flag, seconds=120)
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(cluster.folder)


def _remove_stale_lock(folder: Path, *, flag: StopFlag) -> None:
    """Deal with a postmaster.pid of an earlier run; the caller holds the lock of the data folder.

    A server of ours may still be shutting down (its parent was killed): wait for it. A process id that
    meanwhile belongs to another program would make PostgreSQL refuse to start: the file is removed, the
    other program left alone.
    """
    pid_file = folder / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if _serves(pid, folder):
        if not flag.until(lambda: not _serves(pid, folder), seconds=5):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).send_signal(signal.SIGINT)
        if not flag.until(lambda: not _serves(pid, folder), seconds=30):
            raise EmbeddedError(f"Process {pid} still serves {folder} and does not end: stop it, then try again.")
    elif psutil.pid_exists(pid):
        pid_file.unlink(missing_ok=True)


def _serves(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        return process.status() != psutil.STATUS_ZOMBIE and "postgres" in command[0] and str(folder) in command
    except (psutil.NoSuchProcess, IndexError):
        return False


def _await_answer(process: child.Child, *, sockets: Path, password: str, flag: StopFlag) -> None:
    def answers() -> bool:
        if not process.running:
            raise EmbeddedError(f"PostgreSQL did not start. The end of its log:\n{process.tail()}")
        try:
            psycopg.connect(
                host=str(sockets), user=ADMIN, password=password, dbname="postgres", connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    if not flag.until(answers, seconds=60):
        raise EmbeddedError(f"PostgreSQL did not answer within 60 s. The end of its log:\n{process.tail()}")
