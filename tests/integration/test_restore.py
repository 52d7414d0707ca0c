"""Backup by pg_dump and restore: an equal copy goes on, an older one freezes the signer, and the ways out of it."""

import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from audit import checks, selfcheck
from audit import signer as signers
from audit.models import Alarm, Entry
from audit.queries.protection import Protection, protection
from audit.signer import lease
from audit.signer.core import Outcome
from audit.transfer import export_log
from governance.models import ApprovalRequest, Deployment, GpuPool
from tests.integration import governance_story
from tests.integration.signer_story import VKEY, record, roots, signer
from tests.integration.test_roles_sql import printed, rights
from tests.services import clients
from tests.services.constants import ORIGIN, ROLES
from tests.services.databases import Database, clone_of


@contextmanager
def restored(dump: Path, worker: str, blocker: DjangoDbBlocker, *options: str) -> Iterator[Database]:
    """A new database, made as `provision` makes it, with the dump in it; Django points there."""
    with clone_of("template0", worker, blocker) as database:
        done = clients.run(database, "pg_restore", "--exit-on-error", *options, "-d", database.admin_address(), dump)
        assert done.returncode == 0, done.stderr
        yield database


def dumped(database: Database, file: Path) -> Path:
    done = clients.run(database, "pg_dump", "-Fc", "-f", file, database.admin_address())
    assert done.returncode == 0, done.stderr
    return file


def look(folder: Path) -> tuple[Outcome, str]:
    """One look of a freshly started signer; the lease says how it ended, as the process would."""
    with signer(folder) as hand:
        outcome = hand.look()
        assert lease.renew(hand.connection, hand.holder, frozen_reason=hand.signer.frozen_reason)
        return outcome, hand.signer.frozen_reason


def put_back(state: Path, kept: Path) -> None:
    """What the signer's folder held: each restore is another future of the same log. The folder stays the same one."""
    for path in state.iterdir():
        path.unlink()
    shutil.copytree(kept, state, dirs_exist_ok=True)


def goes_on(folder: Path, size: int) -> None:
    """The log takes an entry, and the signer signs it."""
    record(1)
    assert look(folder) == (Outcome.SIGNED, "")
    assert max(roots()) == size + 1
    assert Client().get("/healthz").status_code == 200


def freezes(folder: Path, old: int, size: int) -> None:
    """The signer sees that the log is older than what it signed."""
    outcome, reason = look(folder)
    assert outcome is Outcome.FROZEN
    assert reason.startswith(f"The log holds {old} entries, but {size} were there before")
    said = Client().get("/healthz")
    assert (said.status_code, said.json()["status"]) == (503, "frozen")
    assert look(folder)[0] is Outcome.FROZEN, "it stays frozen"
    assert max(roots()) == old, "no second root for a size that was signed"


def thaw(folder: Path, reason: str) -> None:
    """As the operator does it: look at every alarm that stands, name them."""
    ids = list(Alarm.objects.values_list("id", flat=True))
    signers.thaw(
        folder=folder,
        origin=ORIGIN,
        vkey=VKEY,
        reason=reason,
        operator="operator",
        acknowledge=ids,
        tell=lambda *_: None,
    )


def differs_as_it_was_told(told: str, request: ApprovalRequest) -> None:
    """The tables are as old as the backup: the command names what to do again, the self-check does not alarm."""
    assert re.search(f"request:{request.pk}: request.approved, entry [0-9]+\n", told)
    assert ApprovalRequest.objects.get().state == "open"
    assert selfcheck.verify()[1] == ()


def is_compared_from_the_next_change_on(story: governance_story.Story, request: ApprovalRequest) -> None:
    """And so is a row that nobody changed since the backup."""
    assert selfcheck.verify()[1] == ()
    story.decided(ApprovalRequest.objects.get())
    assert selfcheck.verify()[1] == ()
    GpuPool.objects.update(region="elsewhere")
    Deployment.objects.update(purpose="Something else entirely.")
    wrong = {f"gpu_pool:{story.pool}", f"deployment:{request.deployment_id}"}
    assert {found.subject for found in selfcheck.verify()[1]} == wrong


def test_a_restored_copy_goes_on_or_freezes_and_how_it_comes_out(
    committed: Database,
    signer_state: Path,
    tmp_path: Path,
    worker_name: str,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    def restore(dump: Path, *options: str) -> AbstractContextManager[Database]:
        return restored(dump, worker_name, django_db_blocker, *options)

    story = governance_story.tell()
    request = story.submitted()
    record(3)
    assert look(signer_state)[0] is Outcome.SIGNED
    old = Entry.objects.count()
    older = dumped(committed, tmp_path / "older.dump")
    story.decided(request)
    story.submitted("another")
    size = Entry.objects.count()
    assert look(signer_state)[0] is Outcome.SIGNED
    newer = dumped(committed, tmp_path / "newer.dump")
    kept = Path(shutil.copytree(signer_state, tmp_path / "kept"))
    export_log(folder=tmp_path / "export", sections=True, event_keys=True)
    export_log(folder=tmp_path / "leaves", sections=False, event_keys=False)
    with psycopg.connect(committed.admin_address()) as admin:
        as_made = rights(admin)
    connections.close_all()

    with restore(newer) as copy:
        assert protection() == Protection(), "triggers stand ALWAYS on, and every right is as it was"
        with psycopg.connect(copy.admin_address()) as admin:
            assert rights(admin) == as_made
        goes_on(signer_state, size)

    put_back(signer_state, kept)
    with restore(older):
        freezes(signer_state, old, size)
        # The way out with what was exported or published since the backup.
        told = StringIO()
        call_command("import_log", str(tmp_path / "export"), "--continue", stdout=StringIO(), stderr=told)
        differs_as_it_was_told(told.getvalue(), request)
        thaw(signer_state, "Restored from the backup and completed from the export.")
        goes_on(signer_state, size + 1)
        is_compared_from_the_next_change_on(story, request)

    with restore(older):
        # Without content too: what the newest snapshots said is not here, those of the backup are.
        call_command("import_log", str(tmp_path / "leaves"), "--continue", stdout=StringIO(), stderr=StringIO())
        assert selfcheck.verify()[1] == ()

    put_back(signer_state, kept)
    with restore(older):
        record(size - old + 1)
        assert look(signer_state)[0] is Outcome.FROZEN
    # The way out with a newer backup: what the older one had taken meanwhile is not in it.
    with restore(newer):
        assert look(signer_state)[0] is Outcome.FROZEN, "the signer does not forget that it froze"
        thaw(signer_state, "The newest backup is in place.")
        goes_on(signer_state, size)


def test_a_copy_without_its_rights_says_so_and_gets_them_back(
    committed: Database, tmp_path: Path, worker_name: str, django_db_blocker: DjangoDbBlocker
) -> None:
    dump = dumped(committed, tmp_path / "log.dump")
    with psycopg.connect(committed.admin_address()) as admin:
        as_made = rights(admin)
    connections.close_all()
    with restored(dump, worker_name, django_db_blocker, "--no-privileges") as copy:
        with psycopg.connect(copy.admin_address(), autocommit=True) as admin:
            admin.execute(f"GRANT ALL ON DATABASE {copy.name} TO PUBLIC".encode())  # PostgreSQL's own default
            with pytest.raises(checks.LedgerUnprotected, match=f"{ROLES.app} may not INSERT entry") as refused:
                checks.require_protection("admin")
            assert f"{ROLES.app} may TEMPORARY in the database" in str(refused.value)
            admin.execute(printed(copy.name).encode())
            assert rights(admin) == as_made
        checks.require_protection()
