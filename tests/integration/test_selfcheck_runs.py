"""How the self-check runs: in slices, beside other runs, over what is not signed yet, and with other tables' word."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import Connection

from audit import queries, selfcheck
from audit.ledger.prepare import MAX_SECTION_BYTES
from audit.models import Alarm, Entry, SelfCheck, SelfCheckComparison
from audit.queries.checked import Round, last_self_check
from audit.queries.health import health
from audit.selfcheck import entries, findings
from audit.selfcheck import running as runs
from audit.selfcheck.comparing import Compared, compare_tables
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
    assert (row.round_started_at, row.round_entries, row.round_sections) == (NOW, 600, 600)
    told = Entry.objects.get(type="selfcheck.completed")
    facts = queries.section_facts([told.index])[told.index]
    assert (facts["started_at"], facts["entries"], facts["sections"]) == (NOW.isoformat(timespec="seconds"), 600, 600)
    assert facts["on_time"] is True
    checked = last_self_check(now=NOW + timedelta(seconds=20))
    assert checked is not None
    assert checked.last_round == Round(NOW, NOW + timedelta(seconds=10), 600, 600)
    assert (checked.done, checked.size, checked.late) == (256, 601, False)
    assert checked.expected_at == NOW + timedelta(seconds=15 + 2 * 5), "345 entries are two more runs"


@pytest.mark.usefixtures("in_slices")
def test_a_round_that_is_too_slow_says_so(
    committed: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every entry is hashed again within the stated period: what one has not been for longer is late."""
    record(600)
    monkeypatch.setattr(settings, "SELF_CHECK_FULL_PERIOD", timedelta(seconds=12))
    monkeypatch.setattr(runs, "LEAST", 1)
    late = []
    for now, _run in zip(ticks(), range(4), strict=False):
        selfcheck.run(now=now)
        late.append(health(now=now).self_check.late)
    assert late == [False, False, False, True], "the last whole round began 15 s ago"
    assert "a run needs 600 entries and managed 256" in caplog.text
    monkeypatch.setattr(settings, "SELF_CHECK_FULL_PERIOD", timedelta(seconds=1200))
    caplog.clear()
    result = selfcheck.run(now=NOW + timedelta(seconds=20))
    assert (result.due, result.entries) == (4, 256), "108 runs are left for 345 entries"
    assert caplog.text == ""


def test_a_run_takes_what_its_round_needs_and_no_more(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large content is hashed in portions, so that a run can stop between two of them."""
    record(600)
    monkeypatch.setattr(runs, "LEAST", 1)
    monkeypatch.setattr(entries, "BYTES_AT_ONCE", 1000)
    done = [selfcheck.run(now=now) for now, _ in zip(ticks(), range(3), strict=False)]
    assert [(run.start, run.entries, run.sections) for run in done] == [(0, 256, 256), (256, 256, 256), (512, 88, 88)]


@pytest.mark.usefixtures("in_slices")
def test_the_first_damage_does_not_hide_the_one_further_on(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a round with findings told as clean because its last run had none."""
    monkeypatch.setattr(settings, "SELF_CHECK_FULL_PERIOD", timedelta(0))
    record(600)
    clock = (datetime.now(UTC) + timedelta(hours=hour) for hour in range(1, 100))
    cheat(committed, "UPDATE section SET body = 'forged' WHERE entry_index IN (3, 300)")
    done = [selfcheck.run(now=next(clock)) for _ in range(3)]
    assert [[(found.kind, found.entry_index) for found in run.findings] for run in done] == [
        [("section", 3)],
        [("section", 300)],
        [],
    ]
    assert list(Alarm.objects.order_by("id").values_list("entry_index", flat=True)) == [3, 300]
    assert (done[-1].pass_finished, SelfCheck.objects.get().pass_found) == (True, True)

    def told() -> list[object]:
        indexes = Entry.objects.filter(type="selfcheck.completed").order_by("index").values_list("index", flat=True)
        facts = queries.section_facts(list(indexes))
        return [facts[index]["result"] for index in indexes]

    assert told() == ["found", "found"]
    cheat(committed, """UPDATE section SET body = '{"after":{"n":1}}' WHERE entry_index IN (3, 300)""")
    assert [selfcheck.run(now=next(clock)).start for _ in range(3)] == [0, 256, 512]
    assert (told(), SelfCheck.objects.get().pass_found) == (["found", "found", "ok"], False)
    cheat(committed, "UPDATE entry SET leaf = 'no leaf' WHERE index = 10")
    assert {(found.kind, found.entry_index) for found in selfcheck.run(now=next(clock)).findings} == {
        ("leaf", 10),
        ("tile", 10),
    }
    assert selfcheck.run(now=next(clock)).start == 0, "what follows a wrong leaf cannot be judged"


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


CHANGED = (
    ("UPDATE section SET media = 'text/plain' WHERE entry_index = {n}", "another media type"),
    (
        "INSERT INTO section SELECT entry_index, 'extra', salt, body, media FROM section WHERE entry_index = {n}",
        "is not in its leaf",
    ),
    ("UPDATE section SET salt = 'short' WHERE entry_index = {n}", "is not what was recorded"),
    ("UPDATE entry SET occurred_at = now() WHERE index = {n}", "differs from its leaf in: occurred_at."),
    ("UPDATE entry SET event_id = gen_random_uuid() WHERE index = {n}", "differs from its leaf in: event_id."),
    ("UPDATE entry SET leaf = 'no leaf' WHERE index = {n}", "does not have its stored hash"),
)


def test_what_else_can_be_changed(committed: Database) -> None:
    record(len(CHANGED) + 2)
    cheat(committed, *(statement.format(n=index) for index, (statement, _saying) in enumerate(CHANGED, 1)))
    result = selfcheck.run(now=NOW)
    assert {found.entry_index for found in result.findings} - {None} == set(range(1, len(CHANGED) + 1))
    for index, (_statement, saying) in enumerate(CHANGED, 1):
        assert saying in " ".join(found.detail for found in result.findings if found.entry_index == index)


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


@dataclass(frozen=True, slots=True)
class Part:
    found: tuple[Mismatch, ...]
    rows: int
    position: str


def compare_with(monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    monkeypatch.setattr(settings, "SELF_CHECK_COMPARISONS", list(paths))


def one_mismatch(position: str) -> Part:
    return Part((Mismatch("deployment:x", 3, "The table differs."),), 1, "")


def cannot_compare(position: str) -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return Part((), 0, "")


def ten_at_a_time(position: str) -> Part:
    """A hundred rows, of which the 42nd differs."""
    start = int(position or 0)
    found = (Mismatch("deployment:42", 4, "The table differs."),) if start == 40 else ()
    return Part(found, 10, str(start + 10) if start < 90 else "")


def test_what_a_comparison_returns_becomes_an_alarm(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_with(monkeypatch, f"{__name__}.one_mismatch")
    record(5)
    assert selfcheck.run(now=NOW).new == 1
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.entry_index, alarm.subject) == ("registry", 3, "deployment:x")
    assert alarm.raised_at == NOW


def test_a_comparison_goes_on_where_it_stopped(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{__name__}.ten_at_a_time"
    compare_with(monkeypatch, name)
    monkeypatch.setattr(runs, "SHARE_OF_COMPARISONS", -1.0)
    record(5)
    found = [len(selfcheck.run(now=now).findings) for now, _ in zip(ticks(), range(11), strict=False)]
    assert found == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    row = SelfCheckComparison.objects.get(name=name)
    assert (row.round_started_at, row.round_finished_at, row.round_rows) == (NOW, NOW + timedelta(seconds=45), 100)
    assert (row.position, row.pass_started_at, row.pass_rows) == ("10", NOW + timedelta(seconds=50), 10)
    assert [item.subject for item in selfcheck.verify()[1]] == ["deployment:42"], "verify goes over everything at once"


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
    monkeypatch.setattr(settings, "SELF_CHECK_PERIOD", timedelta(days=1))

    def meanwhile(positions: Mapping[str, str], *, seconds: float, monotonic: Callable[[], float]) -> Compared:
        assert seconds == runs.MOST_SECONDS_OF_COMPARISONS
        with psycopg.connect(committed.admin_address()) as other:
            other.execute("UPDATE self_check SET next_index = 256")
        return compare_tables(positions, seconds=seconds, monotonic=monotonic)

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
