"""PostgreSQL and Valkey of one data folder: started, shared with later commands, stopped."""

import fcntl
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from config import child, roles
from config.embedded import keys, postgres, valkey
from config.embedded.place import EmbeddedError, check_enterable, service_user
from config.env import Environment
from config.stopping import StopFlag

DATABASE = "assay"
_SOCKET_PATH_LIMIT = 90  # bytes; the kernel's limit is 107 with the file name


class InUse(EmbeddedError):
    """Another process holds the data folder."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services of a run answer: one address for each database role, and the broker."""

    database: Mapping[str, str]
    redis: str

    def environment(self, *words: str) -> dict[str, str]:
        """Variables that give a process the named roles (app, owner, signer, reader, admin) and the broker.

        Raises EmbeddedError naming the variable of a role whose address is not known.
        """
        result = {"REDIS_URL": self.redis}
        for word in words:
            if word not in self.database:
                raise EmbeddedError(f"DATABASE_URL is set, so {variable(word)} must be set too.")
            result[variable(word)] = self.database[word]
        return result


def variable(word: str) -> str:
    """Name of the environment variable with the address of a role (app, owner, signer, reader, admin)."""
    return "DATABASE_URL" if word == "app" else f"DATABASE_{word.upper()}_URL"


@dataclass(slots=True)
class Services:
    """Context manager over the private servers of `data_dir`; leaving it stops them.

    Raises InUse when another process runs them (`running` then tells where they answer).
    """

    data_dir: Path
    flag: StopFlag
    with_postgres: bool = True
    with_valkey: bool = True
    durable: bool = True
    """False: no fsync, for servers whose data nobody reads after a crash."""
    keep: bool = True
    """False: the data folder is deleted at the end."""
    children: list[child.Child] = field(default_factory=list)
    _lock: int = -1
    _sockets: Path | None = None

    def __enter__(self) -> Self:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _take_lock(self.data_dir)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        _forget_sockets(self.data_dir)
        user = service_user(postgres.cluster_folder(self.data_dir))
        if user:
            self.data_dir.chmod(0o711)  # the service user passes through to its own folder, and lists nothing
            check_enterable(self.data_dir, user)
        self._sockets = _socket_folder()
        # Written before anything starts in it: whatever happens next, a later run finds and removes it.
        _write_running(self.data_dir, self._sockets)
        if user:
            os.chown(self._sockets, user.pw_uid, user.pw_gid)
        if self.with_postgres:
            self._start_postgres(self._sockets, user)
        if self.with_valkey:
            log = self.data_dir / "logs" / "valkey.log"
            self.children.append(valkey.start(sockets=self._sockets, log=log, user=user, flag=self.flag))
        self.flag.check()

    def _start_postgres(self, sockets: Path, user: pwd.struct_passwd | None) -> None:
        passwords = keys.database_passwords(self.data_dir)
        cluster = postgres.Cluster.in_data_dir(self.data_dir, user=user, durable=self.durable)
        server = postgres.start(cluster, sockets=sockets, password=passwords["admin"], flag=self.flag)
        self.children.append(server)
        _provision(sockets, passwords)

    def _stop(self) -> None:
        child.stop(self.children, grace=20)
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
        (self.data_dir / "running.json").unlink(missing_ok=True)
        if not self.keep:
            shutil.rmtree(self.data_dir, ignore_errors=True)
        os.close(self._lock)

    @property
    def addresses(self) -> Addresses:
        if self._sockets is None:
            raise EmbeddedError("The private services are not running.")
        return _addresses(self._sockets, keys.database_passwords(self.data_dir))


def running(data_dir: Path) -> Addresses | None:
    """Addresses of the services another process runs for `data_dir`; None when nobody does."""
    try:
        os.close(_take_lock(data_dir))
    except FileNotFoundError:
        return None
    except InUse:
        record = data_dir / "running.json"
        if not record.exists():
            raise
        sockets = Path(json.loads(record.read_text(encoding="utf-8"))["sockets"])
        return _addresses(sockets, keys.database_passwords(data_dir))
    return None


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Keep everybody else out of `data_dir`; raises InUse while a run holds it."""
    lock = _take_lock(data_dir)
    try:
        yield
    finally:
        os.close(lock)


def _take_lock(data_dir: Path) -> int:
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(f"{data_dir} is in use by another run of ./quickstart: stop that one first.") from None
    return descriptor


def _socket_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="assay-")
    if len(os.fsencode(folder)) > _SOCKET_PATH_LIMIT:
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="assay-", dir="/tmp")
    return Path(folder)


def _write_running(data_dir: Path, sockets: Path) -> None:
    draft = data_dir / "running.json.tmp"
    draft.write_text(json.dumps({"sockets": str(sockets), "pid": os.getpid()}), encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(data_dir / "running.json")


def _forget_sockets(data_dir: Path) -> None:
    """Remove what a killed run left: its folder of sockets. The caller holds the lock."""
    record = data_dir / "running.json"
    if record.exists():
        sockets = Path(json.loads(record.read_text(encoding="utf-8"))["sockets"])
        if sockets.name.startswith("assay-"):
            shutil.rmtree(sockets, ignore_errors=True)
        record.unlink()


def _addresses(sockets: Path, passwords: Mapping[str, str]) -> Addresses:
    def url(role: str) -> str:
        return f"postgresql://assay_{role}:{passwords[role]}@/{DATABASE}?host={sockets}"

    return Addresses({role: url(role) for role in passwords}, f"unix://{sockets / 'valkey.sock'}")


def _provision(sockets: Path, passwords: Mapping[str, str]) -> None:
    admin = Environment({"URL": _addresses(sockets, passwords).database["admin"]}).database("URL")
    assert admin is not None
    named = {f"assay_{role}": password for role, password in passwords.items()}
    roles.provision(admin, database=DATABASE, roles=roles.Roles(), passwords=named)
