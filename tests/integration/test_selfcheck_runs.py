"""How the self-check runs: in slices, beside other runs, over what is not signed yet, and with other tables' word."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import Connection

from audit import queries, selfcheck
from audit.ledger.event import MAX_SECTION_BYTES
from audit.models import Alarm, Entry, SelfCheck
from audit.selfcheck import entries, findings
from audit.selfcheck import running as runs
from tests.integration.signer_story import cheat, record, rewrite_leaf, signer
from tests.services.databases import Database

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run ends after one chunk of 256 entries."""
    monkeypatch.setattr(entries, "CHUNK", 256)
    monkeypatch.setattr(runs, "SHARE_OF_PERIOD", -1.0)


def ticks() -> Iterator[datetime]:
    now = NOW
    while True:
        yield now
        now += timedelta(seconds=5)


@pytest.mark.usefixtures("in_slices")
def test_a_long_log_is_passed_over_in_slices(committed: Database, signer_state: Path) -> None:
    record(600)
    with signer(signer_state) as hand:
        hand.look()
    done = [selfcheck.run(now=now) for now, _ in zip(ticks(), range(4), strict=False)]
    assert [(run.start, run.entries, run.pass_finished) for run in done] == [
        (0, 256, False),
        (256, 256, False),
        (512, 88, True),
        (0, 256, False),
    ]
    assert not Alarm.objects.exists()
    row = SelfCheck.objects.get()
    assert (row.next_index, row.findings, row.pass_finished_at) == (256, 0, NOW + timedelta(seconds=10))
    assert row.pass_started_at == NOW + timedelta(seconds=15)


@pytest.mark.usefixtures("in_slices")
def test_a_slice_finds_what_stands_in_it(committed: Database, signer_state: Path) -> None:
    record(600)
    with signer(signer_state) as hand:
        hand.look()
    assert selfcheck.run(now=NOW).findings == ()
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index = 300")
    (found,) = selfcheck.run(now=NOW).findings
    assert (found.kind, found.entry_index) == ("section", 300)
    assert selfcheck.run(now=NOW).start == 0, "a pass that found something begins anew"


@pytest.mark.usefixtures("in_slices")
def test_a_forged_cursor_is_not_believed(committed: Database, signer_state: Path) -> None:
    """Working state is not evidence: an edge that is not of this log makes the next comparison fail, not pass."""
    record(600)
    with signer(signer_state) as hand:
        hand.look()
    selfcheck.run(now=NOW)
    row = SelfCheck.objects.get()
    row.edge = bytes(32)
    row.save()
    found = [finding.kind for _ in range(2) for finding in selfcheck.run(now=NOW).findings]
    assert found == ["checkpoint"]


def test_entries_that_wait_for_the_signer_are_checked_too(committed: Database) -> None:
    record(5)
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index = 4")
    (found,) = selfcheck.run(now=NOW).findings
    assert (found.kind, found.entry_index) == ("section", 4)


def test_a_leaf_rewritten_before_it_was_signed(committed: Database) -> None:
    record(5)
    rewrite_leaf(committed, 4)
    (found,) = selfcheck.run(now=NOW).findings
    assert (found.kind, found.detail) == ("head", "The head of 5 entries has another root.")


def test_a_note_that_the_key_did_not_sign(committed: Database, signer_state: Path) -> None:
    record(5)
    with signer(signer_state) as hand:
        hand.look()
    cheat(committed, "UPDATE checkpoint SET note = replace(note, E'\\n5\\n', E'\\n6\\n')")
    (found,) = selfcheck.run(now=NOW).findings
    assert (found.kind, found.subject) == ("checkpoint", "checkpoint:5")
    assert "is not what the log's key signed" in found.detail


@pytest.mark.parametrize(
    ("statement", "saying"),
    [
        ("UPDATE section SET media = 'text/plain' WHERE entry_index = 2", "another media type"),
        (
            "INSERT INTO section SELECT entry_index, 'extra', salt, body, media FROM section WHERE entry_index = 2",
            "is not in its leaf",
        ),
        ("UPDATE section SET salt = 'short' WHERE entry_index = 2", "is not what was recorded"),
        ("UPDATE entry SET occurred_at = now() WHERE index = 2", "differs from its leaf in: occurred_at."),
        ("UPDATE entry SET event_id = gen_random_uuid() WHERE index = 2", "differs from its leaf in: event_id."),
        ("UPDATE entry SET leaf = 'no leaf' WHERE index = 2", "does not have its stored hash"),
    ],
)
def test_what_else_can_be_changed(committed: Database, statement: str, saying: str) -> None:
    record(5)
    cheat(committed, statement)
    result = selfcheck.run(now=NOW)
    assert {found.entry_index for found in result.findings} - {None} == {2}
    assert saying in " ".join(found.detail for found in result.findings)


def test_a_trigger_that_was_switched_off_is_an_alarm(committed: Database) -> None:
    record(1)
    with psycopg.connect(committed.admin_address()) as admin:
        admin.execute("ALTER TABLE entry DISABLE TRIGGER entry_append_only")
    (found,) = selfcheck.run(now=NOW).findings
    assert (found.kind, found.subject) == ("guard", "table entry")


@dataclass(frozen=True, slots=True)
class Mismatch:
    subject: str
    entry_index: int | None
    detail: str


def compare_with(monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    monkeypatch.setattr(settings, "SELF_CHECK_COMPARISONS", list(paths))


def one_mismatch() -> list[Mismatch]:
    return [Mismatch("deployment:x", 3, "The table differs.")]


def cannot_compare() -> list[Mismatch]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return []


def test_what_a_comparison_returns_becomes_an_alarm(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_with(monkeypatch, f"{__name__}.one_mismatch")
    record(5)
    assert selfcheck.run(now=NOW).new == 1
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.entry_index, alarm.subject) == ("registry", 3, "deployment:x")
    assert alarm.raised_at == NOW


def test_a_comparison_that_fails_hides_nothing(
    committed: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compare_with(monkeypatch, f"{__name__}.cannot_compare", f"{__name__}.one_mismatch")
    record(5)
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index = 2")
    with pytest.raises(selfcheck.ComparisonFailed, match="cannot_compare"):
        selfcheck.run(now=NOW)
    assert set(Alarm.objects.values_list("kind", flat=True)) == {"section", "registry"}
    assert SelfCheck.objects.get().pass_finished_at is None
    assert "division by zero" in caplog.text


def test_an_hour_of_silence_then_one_entry(committed: Database) -> None:
    record(5)
    selfcheck.run(now=datetime.now(UTC))
    told = Entry.objects.get(type="selfcheck.completed")
    facts = queries.section_facts([told.index])[told.index]
    assert (facts["result"], facts["size"], facts["findings"]) == ("ok", 5, [])
    selfcheck.run(now=told.received_at + timedelta(minutes=59))
    assert Entry.objects.filter(type="selfcheck.completed").count() == 1
    selfcheck.run(now=told.received_at + timedelta(minutes=60))
    assert Entry.objects.filter(type="selfcheck.completed").count() == 2


def test_a_run_that_overtook_this_one_keeps_its_cursor(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    record(5)
    selfcheck.run(now=NOW)
    compare = findings.compare_tables

    def meanwhile() -> tuple[list[findings.Finding], tuple[str, ...]]:
        with psycopg.connect(committed.admin_address()) as other:
            other.execute("UPDATE self_check SET next_index = 256")
        return compare()

    monkeypatch.setattr(runs, "compare_tables", meanwhile)
    selfcheck.run(now=NOW + timedelta(seconds=5))
    row = SelfCheck.objects.get()
    assert (row.next_index, row.run_at) == (256, NOW)


def test_alarms_are_bounded(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_ALARMS", 3)
    record(10)
    cheat(committed, "UPDATE section SET body = 'forged'")
    result = selfcheck.run(now=NOW)
    assert (len(result.findings), result.new) == (10, 3)
    assert list(Alarm.objects.order_by("id").values_list("entry_index", flat=True)) == [0, 1, 2]
    assert selfcheck.run(now=NOW).new == 0


def test_a_change_committed_during_a_run_is_no_contradiction(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All reads of a run see one commit, so a row and its entry are never seen apart."""
    record(3)
    look = entries.chunks

    def and_then_somebody_records(
        raw: Connection[entries.Row], start: int, stop: int, *, origin: str
    ) -> Iterator[entries.Chunk]:
        with psycopg.connect(committed.admin_address()) as other:
            other.execute("INSERT INTO section VALUES (1, 'late', 'x', 'x', 'x')")
        yield from look(raw, start, stop, origin=origin)

    monkeypatch.setattr(runs, "chunks", and_then_somebody_records)
    assert selfcheck.run(now=NOW).findings == ()
    monkeypatch.undo()
    assert [found.entry_index for found in selfcheck.run(now=NOW).findings] == [1]


def test_it_refuses_to_run_inside_another_transaction(committed: Database) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        selfcheck.run(now=NOW)


def test_sections_of_a_megabyte_are_checked(committed: Database) -> None:
    body = b'"' + b"x" * (MAX_SECTION_BYTES - 2) + b'"'
    record(40, content=body)
    assert selfcheck.run(now=NOW).findings == ()
