"""Logs that hold many entries already: written by `ledger.append`, signed by the real signer, kept as templates.

Run as a program it is one of the processes that fill a log: `python -m bench.preload FIRST COUNT`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import django
from django.db import connections, transaction

from bench import databases
from bench.events import OCCURRED_AT, TYPE, event, subject
from bench.figure import progress
from config import child, programs

if TYPE_CHECKING:
    from audit import ledger
    from audit.access.tokens import Credential

STEP: Final = 4_000
"""Events of one commit while loading."""

_SIGNER_SECONDS: Final = 60
_SIGNED_A_SECOND: Final = 20_000
"""Far fewer than the signer reads: it is given up as stuck when it does not reach the end at this rate."""

_PROGRESS_SECONDS: Final = 15
_PAUSE: Final = Event()


class PreloadFailed(RuntimeError):
    """A log could not be filled or signed; the message ends with the log of the process that failed."""


@dataclass(frozen=True, slots=True)
class Template:
    """A database with a signed log, to be read as it is or cloned.

    Attributes:
        name: of the database.
        entries: that were loaded; a few more stand before them (accounts and tokens).
        folder: the state of its signer, and the token.
    """

    name: str
    entries: int
    folder: Path

    @property
    def seconds(self) -> float:
        """How long loading took, in this run or the one that kept it."""
        return float((self.folder / "seconds").read_text(encoding="ascii"))

    @property
    def token(self) -> str:
        """A token that may write events and read the log."""
        return (self.folder / "token").read_text(encoding="ascii")


def template(entries: int) -> Template:
    """The template of so many entries, in use afterwards: the one that was kept, else a new one.

    Raises:
        PreloadFailed: a process that fills or signs it ended with an error.
    """
    name = f"bench_{entries}_{schema_digest()}"
    folder = Path(os.environ["DATA_DIR"]) / name
    if databases.exists(name) and (folder / "token").exists():
        progress(f"using the kept log of {entries:,} entries")
        databases.use(name)
        return Template(name, entries, folder)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "signer").mkdir(mode=0o700, parents=True)
    shutil.copy(Path(os.environ["SIGNER_STATE_DIR"]) / "signing.key", folder / "signer" / "signing.key")
    draft = f"{name}_draft"
    databases.make(draft)
    token = _issue_token()
    started = time.perf_counter()
    _fill(entries, folder)
    seconds = time.perf_counter() - started
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with signer(folder / "signer"):
        _await_checkpoint()
    databases.rename(draft, name)
    (folder / "seconds").write_text(str(seconds), encoding="ascii")
    (folder / "token").write_text(token, encoding="ascii")
    progress(f"loaded {entries:,} entries in {seconds:.0f} s ({entries / seconds:,.0f}/s)")
    return Template(name, entries, folder)


def copy_signer_state(loaded: Template, folder: Path) -> Path:
    """The state of the template's signer, for a signer of a clone; returns its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(loaded.folder / "signer", folder / "signer")
    return folder / "signer"


@contextmanager
def signer(state: Path) -> Iterator[None]:
    """The real signer on the database in use, with this state folder."""
    log = state.parent / "signer.log"
    environment = {**os.environ, "SIGNER_STATE_DIR": str(state)}
    process = child.start("signer", programs.signer(), environment=environment, log=log, directory=programs.CHECKOUT)
    try:
        yield
        if not process.running:
            raise PreloadFailed(f"The signer ended early:\n{process.tail()}")
    finally:
        child.stop([process], grace=15)


def schema_digest() -> str:
    """Changes when a migration is added, so that a kept template of an older schema is not used."""
    names = sorted(str(path.relative_to(programs.CHECKOUT)) for path in programs.CHECKOUT.glob("*/migrations/0*.py"))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]


def _issue_token() -> str:
    from audit.access.people import register_login, register_service_account
    from audit.access.tokens import issue_token

    now = datetime.now(UTC)
    owner = register_login(
        username="bench", display_name="Bench", password=None, groups=[], actor="system:bench", now=now
    )
    account = register_service_account(
        name="bench", source_name="bench", owner_id=owner.person_id, actor=owner.actor, now=now
    )
    scopes, lifetime = ["events:write", "log:read"], timedelta(days=366)
    return issue_token(service_account_id=account.id, scopes=scopes, lifetime=lifetime, actor=owner.actor, now=now).text


def _fill(entries: int, folder: Path) -> None:
    """Append `entries` events, by as many processes as there are processors: most of the work needs no lock."""
    from audit.queries import head_size

    workers = [
        child.start(
            f"preload-{first}",
            [sys.executable, "-m", "bench.preload", str(first), str(count)],
            environment=dict(os.environ),
            log=folder / f"preload-{first}.log",
            directory=programs.CHECKOUT,
        )
        for first, count in shares(entries, os.cpu_count() or 1)
    ]
    try:
        while running := [worker for worker in workers if worker.running]:
            with suppress(subprocess.TimeoutExpired):
                running[0].process.wait(_PROGRESS_SECONDS)
            _require_success(workers)
            progress(f"loaded {head_size():,} of {entries:,} entries")
        _require_success(workers)
    finally:
        child.stop(workers, grace=5)


def _require_success(workers: Sequence[child.Child]) -> None:
    for worker in workers:
        if worker.process.returncode:
            raise PreloadFailed(f"Loading failed:\n{worker.tail()}")


def shares(entries: int, processes: int) -> list[tuple[int, int]]:
    """First number and count of what each process loads; nobody loads nothing."""
    size = -(-entries // processes)
    return [(first, min(size, entries - first)) for first in range(0, entries, size)]


def _await_checkpoint() -> None:
    from audit.queries import head_size, latest_checkpoint

    patience = _SIGNER_SECONDS + head_size() / _SIGNED_A_SECOND
    deadline = time.monotonic() + patience
    while True:
        newest, size = latest_checkpoint(), head_size()
        if newest is not None and newest.size == size:
            return
        if time.monotonic() > deadline:
            raise PreloadFailed(f"The signer did not sign {size} entries within {patience:.0f} s; see signer.log.")
        _PAUSE.wait(0.2)


def credential() -> "Credential":
    """What the token of the database in use says about the one who shows it."""
    from audit.access.tokens import Credential
    from audit.models import ServiceAccount

    account = ServiceAccount.objects.get(name="bench")
    return Credential(account.id, account.id, account.source_id, account.owner_id, account.name, frozenset())


def _append(first: int, count: int) -> None:
    """One process's share, without the work that only HTTP brings."""
    from audit import ledger

    for start in range(first, first + count, STEP):
        events = _events(start, min(start + STEP, first + count))
        with transaction.atomic(durable=True):
            ledger.append(events=events)


def _events(start: int, stop: int) -> "list[ledger.Event]":
    """Events as the REST interface makes them of what it is sent."""
    from audit import ledger
    from audit.api.incoming import hidden

    sender = credential()
    occurred_at = datetime.fromisoformat(OCCURRED_AT)
    made = []
    for number in range(start, stop):
        given = event(number)
        raw = json.dumps(given).encode()
        made.append(
            ledger.Event(
                type=TYPE,
                subject=hidden("subject", subject(number)),
                source=sender.source,
                actor=sender.actor,
                occurred_at=occurred_at,
                sections=(ledger.Section(name="facts", body=raw),),
                idempotency=ledger.Idempotency(client_id=given["id"], content=raw),
            )
        )
    return made


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _append(int(sys.argv[1]), int(sys.argv[2]))
