"""That the database guards the ledger is checked, not assumed: triggers, their functions, grants, health."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import checks, selfcheck
from audit.queries import protection as design
from audit.queries.health import health
from audit.queries.protection import protection
from audit.tlog.keys import SigningKey
from config import child, programs
from tests.integration.signer_story import cheat, record, signer
from tests.services.constants import ROLES
from tests.services.databases import Database
from tests.services.processes import process_environment


def as_owner(database: Database, statement: str) -> None:
    with psycopg.connect(next(iter(database.environment("owner").values()))) as owner:
        owner.execute(statement.encode())


def ids() -> list[tuple[str | None, str]]:
    return [
        (message.id, message.msg)
        for message in run_checks(databases=["default"])
        if str(message.id).startswith("audit.")
    ]


@pytest.mark.django_db
def test_a_migrated_database_is_as_designed() -> None:
    assert protection() == design.Protection()
    checks.require_protection()
    assert ids() == []


def test_the_design_knows_every_insert_only_table() -> None:
    ledger = import_module("audit.migrations.0002_append_only")
    telemetry = import_module("audit.migrations.0004_telemetry_append_only")
    assert set(ledger.INSERT_ONLY) == set(design.LEDGER)
    assert {*telemetry.PARTITIONED, *telemetry.INSERT_ONLY} == set(design.RECORDS)
    assert set(import_module("audit.migrations.0007_erasure").INSERT_ONLY) == set(design.ERASURES)


FALLEN = {
    "disabled": ("ALTER TABLE entry DISABLE TRIGGER entry_append_only", "table entry"),
    "enabled for replicas only": ("ALTER TABLE tile ENABLE REPLICA TRIGGER tile_append_only", "table tile"),
    "enabled but not always": ("ALTER TABLE section ENABLE TRIGGER section_no_truncate", "table section"),
    "dropped": ("DROP TRIGGER head_only_grows ON head", "table head"),
    "replaced by one that looks away": (
        """DROP TRIGGER alarm_append_only ON alarm;
        CREATE TRIGGER alarm_append_only BEFORE UPDATE OR DELETE ON alarm FOR EACH ROW WHEN (OLD.id < 0)
        EXECUTE FUNCTION assay_refuse_change();
        ALTER TABLE alarm ENABLE ALWAYS TRIGGER alarm_append_only""",
        "table alarm",
    ),
    "function emptied": (
        """CREATE OR REPLACE FUNCTION assay_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RETURN NEW; END$$""",
        "function assay_refuse_change",
    ),
    "a table without a trigger": ("ALTER TABLE usage_record DISABLE TRIGGER USER", "table usage_record"),
}


@pytest.mark.parametrize("what", FALLEN)
def test_a_guard_the_owner_took_down_is_seen(committed: Database, what: str) -> None:
    statement, name = FALLEN[what]
    as_owner(committed, statement)
    assert name in protection().fallen
    number = "audit.E002" if name.startswith("function") else "audit.E001"
    assert any(found == number and text.startswith(f"The {name} ") for found, text in ids())
    with pytest.raises(checks.LedgerUnprotected, match=name):
        checks.require_protection()
    assert ("guard", name) in {(found.kind, found.subject) for found in selfcheck.run(now=datetime.now(UTC)).findings}


def test_no_process_starts_on_a_ledger_without_its_guards(
    committed: Database, signer_state: Path, worker_name: str, tmp_path: Path
) -> None:
    as_owner(committed, "CREATE RULE mine AS ON INSERT TO section DO INSTEAD NOTHING")
    started = [
        child.start(
            name,
            command,
            environment=process_environment(committed, role, worker=worker_name, folder=tmp_path),
            log=tmp_path / f"{name}.log",
            directory=programs.CHECKOUT,
        )
        for name, role, command in (
            ("web", "app", programs.web(bind="127.0.0.1:0", workers=1)),
            ("worker", "app", programs.worker(name=f"refused-{worker_name}", concurrency=1)),
            ("signer", "signer", programs.signer()),
        )
    ]
    try:
        for process in started:
            assert process.process.wait(timeout=60), f"{process.name} is refused"
            assert "The rule mine of table section was not made by a migration." in process.tail(20_000)
    finally:
        child.stop(started, grace=10)


def test_a_partition_without_its_guard_is_seen(committed: Database) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_record'::regclass")
        part = cursor.fetchone()[0]
    as_owner(committed, f"ALTER TABLE {part} DISABLE TRIGGER {part}_no_truncate")
    assert protection().unguarded == (f"table {part}",)


BEYOND = {
    f"GRANT UPDATE ON entry TO {ROLES.app}": f"{ROLES.app} may UPDATE entry",
    f"GRANT UPDATE (note) ON checkpoint TO {ROLES.app}": f"{ROLES.app} may UPDATE checkpoint",
    f"GRANT TRUNCATE ON alarm TO {ROLES.signer}": f"{ROLES.signer} may TRUNCATE alarm",
    f"GRANT INSERT ON entry TO {ROLES.reader}": f"{ROLES.reader} may INSERT entry",
    "GRANT DELETE ON section TO PUBLIC": f"{ROLES.signer} may DELETE section",
    f"GRANT CREATE ON SCHEMA public TO {ROLES.app}": f"{ROLES.app} may CREATE in the schema",
}


def test_a_privilege_beyond_the_design_or_short_of_it_is_seen(committed: Database) -> None:
    for grant, saying in BEYOND.items():
        as_owner(committed, grant)
        assert saying in protection().grants
        assert ("audit.E003", f"The database role {saying}.") in ids()
        assert protection().fallen == (), "a mistake of set-up is no evidence of a change"
    as_owner(committed, f"REVOKE INSERT ON alarm FROM {ROLES.signer}")
    assert protection().missing == (f"{ROLES.signer} may not INSERT alarm",)
    assert ("audit.E006", f"The database role {ROLES.signer} may not INSERT alarm.") in ids()


@pytest.mark.parametrize(
    ("vkey", "saying"),
    [
        ("nonsense", "LEDGER_VKEY is no verifier key"),
        ("a.example/b", "LEDGER_VKEY is no verifier key"),
        ("other", "LEDGER_VKEY is the key of other.example/log"),
    ],
)
def test_a_verifier_key_of_another_log_is_refused(monkeypatch: pytest.MonkeyPatch, vkey: str, saying: str) -> None:
    if vkey == "other":
        vkey = SigningKey.generate("other.example/log", bytes(32)).verifier.to_text()
    monkeypatch.setattr(settings, "LEDGER_VKEY", vkey)
    (found,) = checks.verifier_key_fits(None)
    assert found.id == "audit.E004"
    assert found.msg.startswith(saying)


def test_health_has_everything_in_a_constant_number_of_queries(committed: Database, signer_state: Path) -> None:
    def queries_of(what: Callable[[], object]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            what()
        return len(captured)

    now = datetime.now(UTC)
    empty = health(now=now)
    assert (empty.ok, empty.signer_alive, empty.self_check.overdue) == (False, False, True)
    few = queries_of(lambda: health(now=now))
    record(300)
    with signer(signer_state) as hand:
        hand.look()
    selfcheck.run(now=datetime.now(UTC))
    now = datetime.now(UTC)
    well = health(now=now)
    assert (well.ok, well.pulse.signed_size, well.self_check.findings) == (True, 300, 0)
    assert queries_of(lambda: health(now=now)) == few <= 10
    assert not health(now=now + timedelta(minutes=1)).ok, "signer and self-check have been silent for a minute"
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index = 7")
    selfcheck.run(now=now)
    with signer(signer_state) as hand:
        hand.look()
    ill = health(now=now)
    assert not ill.ok
    assert (ill.pulse.state, ill.self_check.findings) == ("frozen", 1)


def test_verify_log_checks_everything_and_writes_nothing(
    committed: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    record(600)
    call_command("verify_log")
    assert capsys.readouterr().out == "600 entries checked. Everything agrees.\n"
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index = 599")
    with pytest.raises(CommandError, match="600 entries checked, 1 contradictions"):
        call_command("verify_log")
    assert "entry 599 is not what was recorded" in capsys.readouterr().err
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM alarm), (SELECT count(*) FROM self_check), (SELECT size FROM head)"
        )
        assert cursor.fetchone() == (0, 0, 600)


def test_the_command_passes_over_everything_and_names_what_it_found(
    committed: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    record(5)
    call_command("selfcheck")
    assert "Everything agrees." in capsys.readouterr().out
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index = 2")
    with pytest.raises(CommandError, match="1 findings"):
        call_command("selfcheck")
    assert "entry 2 is not what was recorded" in capsys.readouterr().err
