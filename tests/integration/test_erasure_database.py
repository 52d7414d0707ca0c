"""What the database itself refuses: every way around the rules of erasure, as the app, as the owner, as the others."""

from collections.abc import Callable
from threading import Thread
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from msgspec.structs import replace

from audit import erasure, ledger
from audit.events import EventType
from audit.models import Erasure, ErasureDecision, Section, User
from audit.queries.protection import protection
from tests.integration.erasure_story import NOW, REASON, Erasing, record, tell_erasures
from tests.services.databases import Database
from tests.waiting import until

TABLES = ("erasure", "erasure_request", "erasure_decision", "legal_hold", "hold_release", "retention_floor")
DENIED = "42501"


@pytest.fixture
def story(committed: Database) -> Erasing:
    return tell_erasures()


def tried(database: Database, role: str, *statements: str) -> str:
    """The constraint or SQLSTATE that refused one of the statements or their commit; empty when all of it stands."""
    address = next(iter(database.environment(role).values()))
    with psycopg.connect(address, autocommit=True) as connection:
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement.encode())
        except psycopg.Error as error:
            return error.diag.constraint_name or error.sqlstate or "unknown"
    return ""


def approval(request: UUID, by: User, *, person: User | None = None) -> str:
    return (
        "INSERT INTO erasure_decision (request_id, decision, decided_by, account_id, decided_at)"
        f" VALUES ('{request}', 'approve', '{(person or by).person_id}', {by.pk}, now())"
    )


def asking(
    index: int, by: User, *, section: str = "personal", basis: str = "order", request: UUID | None = None
) -> str:
    return (
        "INSERT INTO erasure_request (id, entry_index, name, legal_basis, requested_by, account_id, requested_at)"
        f" VALUES ('{request or uuid4()}', {index}, '{section}', '{basis}', '{by.person_id}', {by.pk}, now())"
    )


def erase(request: UUID) -> str:
    return f"SELECT erase_section('{request}')"


def test_the_guards_stand_as_designed(story: Erasing) -> None:
    assert protection().fallen == () and protection().grants == ()
    with connections["owner"].cursor() as owner:
        owner.execute("ALTER TABLE erasure DISABLE TRIGGER erasure_told")
    assert protection().fallen == ("table erasure",)
    with connections["owner"].cursor() as owner:
        owner.execute("ALTER TABLE erasure ENABLE ALWAYS TRIGGER erasure_told")
        owner.execute(
            "CREATE OR REPLACE FUNCTION assay_is_in(account bigint, human uuid, pools text[])"
            " RETURNS boolean LANGUAGE sql AS 'SELECT true'"
        )
    assert protection().fallen == ("function assay_is_in",)


def test_nobody_deletes_changes_or_adds_but_by_the_rules(committed: Database, story: Erasing) -> None:
    gone = story.ask(story.old_log)
    told = story.decide(gone).entry
    hold = erasure.place_hold(reference="case", scope=erasure.Scope(source="source:none"), by=story.officer, now=NOW)
    erasure.release_hold(hold_id=hold, reason=REASON, by=story.second, now=NOW)
    for role in ("app", "owner"):
        for table in TABLES:
            column = "reference" if table == "legal_hold" else "hold_id" if table == "hold_release" else "type"
            column = "legal_basis" if table in {"erasure", "erasure_request"} else column
            column = "decision" if table == "erasure_decision" else column
            for attempt in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                assert tried(committed, role, attempt) == DENIED, f"{role}: {attempt}"
        assert tried(committed, role, f"DELETE FROM section WHERE entry_index = {story.young_log}") == DENIED
        assert tried(committed, role, "UPDATE section SET salt = salt") == DENIED
        back = f"INSERT INTO section VALUES ({story.old_log}, 'personal', sha256('x'), 'x', 'text/plain')"
        assert tried(committed, role, back) == DENIED, "what was erased is not put back"
    alone = (
        "INSERT INTO erasure (entry_index, name, erased_by, legal_basis, requested_by, override, erased_at)"
        f" VALUES (0, 'facts', {told}, 'order', gen_random_uuid(), false, now())"
    )
    app_only = (
        alone,
        "INSERT INTO retention_floor VALUES ('request.approved', 183)",
        "SELECT assay_refuse_change()",
    )
    assert [tried(committed, "app", attempt) for attempt in app_only] == [DENIED, DENIED, "0A000"]
    for role in ("signer", "reader"):
        for attempt in (erase(gone), f"SELECT import_erasure(0, 'facts', {told})", asking(0, story.auditor)):
            assert tried(committed, role, attempt) == DENIED, f"{role}: {attempt}"
    assert Section.objects.filter(entry_index=story.young_log).count() == 2


def test_the_function_needs_a_request_an_approval_two_persons_and_the_entry(
    committed: Database, story: Erasing
) -> None:
    asked = story.ask(story.young_log)
    own = story.ask(story.old_document, by=story.officer)
    after = story.ask(story.old_log)
    officer, second, auditor = story.officer, story.second, story.auditor
    early = "erasure_before_the_floor_by_two"
    ahead(20)
    attempts: list[tuple[tuple[str, ...], str]] = [
        ((erase(officer.person_id),), "erasure_is_approved"),
        ((erase(asked),), "erasure_is_approved"),
        ((approval(asked, officer),), "erasure_decision_is_done"),
        ((approval(asked, officer), erase(asked)), "erasure_is_told"),
        ((approval(after, officer), erase(after)), "erasure_is_told"),
        ((approval(asked, officer), erase(asked), erase(asked)), "erasure_pkey"),
        ((approval(own, officer), erase(own)), early),
        # Another's log-in, one of no pool, and a decision on nothing.
        ((approval(own, second, person=officer),), "erasure_decision_by_a_member"),
        ((approval(asked, auditor),), "erasure_decision_by_a_member"),
        ((approval(auditor.person_id, officer),), "erasure_decision_of_a_request"),
        ((asking(story.young_log, auditor, section="none"),), "erasure_request_of_a_section"),
        ((asking(story.young_log, auditor, basis=""),), "erasure_request_has_a_basis"),
        ((f"SELECT import_erasure({story.young_log}, 'personal', 0)",), DENIED),
        # A clock of one's own, twenty years ahead, is not the one that the function asks.
        (("SET search_path = ahead, pg_catalog, public", approval(own, officer), erase(own)), early),
    ]
    for statements, refused in attempts:
        assert tried(committed, "app", *statements) == refused, statements
    assert not Erasure.objects.exists() and not ErasureDecision.objects.exists()


def ahead(years: int) -> None:
    """A schema whose clock is that far ahead."""
    with connections["admin"].cursor() as admin:
        admin.execute("CREATE SCHEMA ahead")
        admin.execute("GRANT USAGE ON SCHEMA ahead TO PUBLIC")
        admin.execute(
            "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
            f" $$ SELECT pg_catalog.clock_timestamp() + interval '{years} years' $$"
        )


def test_the_owner_meets_the_same_rules(committed: Database, story: Erasing) -> None:
    asked = story.ask(story.young_log)
    told = story.erase(story.old_log)
    for_ever = UUID(int=7)
    officer, second = f"'{story.officer.person_id}'", f"'{story.second.person_id}'"

    def row(request: UUID, approver: str, override: str, moment: str) -> tuple[str, str]:
        statement = (
            "INSERT INTO erasure (entry_index, name, erased_by, request_id, legal_basis, requested_by, approved_by,"
            " override, erased_at) SELECT r.entry_index, r.name, h.size, r.id, r.legal_basis, r.requested_by,"
            f" {approver}, {override}, {moment} FROM erasure_request r, head h WHERE r.id = '{request}'"
        )
        return approval(request, story.officer), statement

    gone = f"DELETE FROM section WHERE entry_index = {story.young_log} AND name = 'personal'"
    attempts: list[tuple[tuple[str, ...], str]] = [
        # That the floor had passed, that the erasure comes when it has, that another approved.
        (row(asked, officer, "false", "now()"), "erasure_floor"),
        (row(asked, officer, "false", "now() + interval '1 year'"), "erasure_floor"),
        (row(asked, second, "true", "now()"), "erasure_is_approved"),
        # And the truth, without deleting anything, and without telling it.
        (row(asked, officer, "true", "now()"), "erasure_deletes"),
        ((*row(asked, officer, "true", "now()"), gone), "erasure_is_told"),
        # What tells of an erasure stays for ever.
        (
            (
                asking(told, story.auditor, section="facts", request=for_ever),
                *row(for_ever, officer, "true", "now()"),
            ),
            "erasure_of_what_may_go",
        ),
    ]
    for statements, refused in attempts:
        assert tried(committed, "owner", *statements) == refused, statements
    assert Erasure.objects.get().entry_index == story.old_log


LIES: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "another entry": lambda facts: {**facts, "entry": 0},
    "an index as text": lambda facts: {**facts, "entry": str(facts["entry"])},
    "another section": lambda facts: {**facts, "section": "facts"},
    "another basis": lambda facts: {**facts, "legal_basis": "order"},
    "that the floor had passed": lambda facts: {**facts, "before_floor": False},
    "nothing of the floor": lambda facts: {key: value for key, value in facts.items() if key != "before_floor"},
    "that one person did it": lambda facts: {**facts, "approved_by": None},
    "another person": lambda facts: {**facts, "requested_by": facts["approved_by"]},
}


def test_the_entry_must_tell_the_truth(story: Erasing) -> None:
    asked = story.ask(story.young_log)

    def attempt(change: Callable[[ledger.Event], ledger.Event]) -> None:
        with transaction.atomic(durable=True):
            ErasureDecision.objects.create(
                request_id=asked,
                decision="approve",
                decided_by=story.officer.person_id,
                account_id=story.officer.pk,
                decided_at=NOW,
            )
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT erase_section(%s)", [asked])
            ledger.append(events=[change(truth)])

    facts: dict[str, object] = {
        "entry": story.young_log,
        "section": "personal",
        "legal_basis": "gdpr-17-1-b",
        "before_floor": True,
        "requested_by": story.auditor.actor,
        "approved_by": story.officer.actor,
    }
    words = ledger.facts({"reason": REASON})._replace(name="restricted")
    truth = ledger.Event(
        type=EventType.SECTION_ERASED,
        subject=f"erasure:{asked}",
        source="app",
        actor=story.officer.actor,
        occurred_at=NOW,
        sections=(ledger.facts(facts), words),
    )

    def telling(lie: Callable[[dict[str, object]], dict[str, object]]) -> Callable[[ledger.Event], ledger.Event]:
        return lambda event: replace(event, sections=(ledger.facts(lie(facts)), words))

    changes: dict[str, Callable[[ledger.Event], ledger.Event]] = {
        **{name: telling(lie) for name, lie in LIES.items()},
        "another type": lambda event: replace(event, type=EventType.ERASURE_REJECTED),
        "another source": lambda event: replace(event, source="source:a"),
        "another request": lambda event: replace(event, subject="erasure:other"),
        "no reason": lambda event: replace(event, sections=event.sections[:1]),
        "no facts": lambda event: replace(event, sections=(words,)),
    }
    for name, change in changes.items():
        with pytest.raises(IntegrityError, match=r"does not tell it|a reason is needed"):
            attempt(change)
        assert not Erasure.objects.exists(), name
    with pytest.raises(DatabaseError, match="invalid input syntax for type json"):
        attempt(lambda event: replace(event, sections=(ledger.Section("facts", b"no JSON"), words)))
    attempt(lambda event: event)
    assert Erasure.objects.get().override


def test_a_hold_that_comes_while_an_erasure_waits_holds(story: Erasing) -> None:
    """The head lock orders them as the log does: what is told first counts."""
    asked = story.ask(story.young_log)
    results: list[object] = []

    def decide() -> None:
        try:
            results.append(story.decide(asked))
        except erasure.Refused as error:
            results.append(str(error))
        finally:
            connections.close_all()

    def waits() -> bool:
        with connections["admin"].cursor() as admin:
            admin.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'erase_'")
            return bool(admin.fetchone()[0])

    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT FROM head WHERE id = 1 FOR UPDATE")
        thread = Thread(target=decide)
        thread.start()
        until(waits, what="the erasure waiting for the head")
        cursor.execute(
            "INSERT INTO legal_hold (id, reference, subject, source, type, placed_by, account_id, placed_at)"
            " VALUES (gen_random_uuid(), 'case', 'x:abc', '', '', %s, %s, now())",
            [story.officer.person_id, story.officer.pk],
        )
    thread.join(timeout=20)
    assert results == ["A legal hold is on this entry: release it first."]
    assert Section.objects.filter(entry_index=story.young_log).count() == 2


def test_an_imported_erasure_must_be_told_by_its_entry(committed: Database, story: Erasing) -> None:
    """As an import does it: the section never was here, the entry that tells its erasure is."""
    told = story.erase(story.young_log)
    missing = record(ledger.facts({"n": 1}), ledger.Section("personal", b"x", "text/plain"))
    with connections["admin"].cursor() as admin:
        admin.execute("ALTER TABLE section DISABLE TRIGGER section_append_only")
        admin.execute("ALTER TABLE erasure DISABLE TRIGGER erasure_append_only")
        admin.execute("DELETE FROM section WHERE entry_index = %s AND name = 'personal'", [missing])
        admin.execute("DELETE FROM erasure")
        admin.execute("ALTER TABLE section ENABLE ALWAYS TRIGGER section_append_only")
        admin.execute("ALTER TABLE erasure ENABLE ALWAYS TRIGGER erasure_append_only")
    for attempt, refused in (
        (f"SELECT import_erasure({missing}, 'personal', {told})", "erasure_comes_after_its_entry"),
        (f"SELECT import_erasure({story.old_log}, 'personal', {told})", "erasure_has_a_request"),
        (f"SELECT import_erasure({story.young_log}, 'never', {told})", "erasure_is_told"),
        (f"SELECT import_erasure({story.young_log}, 'personal', {told - 1})", "erasure_before_the_floor_by_two"),
        (f"SELECT import_erasure({story.young_log}, 'personal', {missing})", "23502"),
        (f"SELECT import_erasure({story.young_log}, 'personal', {told})", ""),
    ):
        assert tried(committed, "app", attempt) == DENIED, attempt
        assert tried(committed, "owner", attempt) == refused, attempt
    found = Erasure.objects.get()
    assert (found.request_id, found.override, found.approved_by) == (None, True, story.officer.person_id)
