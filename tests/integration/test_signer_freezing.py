"""What stops the signer for good: every way a log can be other than it was."""

import json
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from audit.models import Alarm, Head
from audit.signer.core import Outcome
from audit.signer.state import TAIL
from audit.tlog.tree import root_of
from config.roles import create_database, drop_database, maintenance
from tests.integration.signer_story import NOW, alarms, cheat, record, rewrite_leaf, roots, signer
from tests.services.constants import ROLES
from tests.services.databases import Database
from tests.services.servers import admin_url


def assert_freezes(folder: Path, *, saying: str, entry: int | None = None) -> None:
    """The next look freezes with these words, tells everybody, and stays frozen over a restart."""
    before = roots()
    with signer(folder) as hand:
        assert hand.look() is Outcome.FROZEN
        frozen = hand.stored().frozen
        assert frozen is not None
        assert saying in frozen.reason
        assert frozen.entry_index == entry
        assert ("signer.frozen", entry) in alarms()
    told = Alarm.objects.count()
    record_more(folder)
    with signer(folder) as hand:
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason == frozen.reason
    assert Alarm.objects.count() == told
    assert roots() == before


def record_more(folder: Path) -> None:
    """Writers do not stop for a frozen signer, unless they cannot go on themselves."""
    head = Head.objects.first()
    edge = json.loads((folder / "state.json").read_text())
    if head and head.size >= edge["size"]:
        record(1)


@pytest.mark.parametrize("index", [0, 7, 9])
def test_a_rewritten_leaf_is_named_at_the_next_start(committed: Database, signer_state: Path, index: int) -> None:
    record(10)
    with signer(signer_state) as hand:
        hand.look()
    rewrite_leaf(committed, index)
    assert_freezes(signer_state, saying=f"Entry {index} was changed", entry=index)


def test_a_rewritten_leaf_is_named_while_the_signer_runs(committed: Database, signer_state: Path) -> None:
    record(300)
    with signer(signer_state) as hand:
        hand.look()
        rewrite_leaf(committed, 299 - TAIL + 1)
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason == "Entry 44 was changed: its leaf has another hash than before."
    assert alarms() == [("signer.frozen", 44)]


def test_an_old_rewritten_leaf_is_found_at_the_next_start(committed: Database, signer_state: Path) -> None:
    record(TAIL + 45)
    with signer(signer_state) as hand:
        hand.look()
        rewrite_leaf(committed, 3)
        assert hand.look() is Outcome.IDLE  # beyond the tail: this is the self-check's to find while it runs
    assert_freezes(signer_state, saying="Entries 0 to 255 no longer hash to what was signed")


def test_a_leaf_removed_from_the_middle(committed: Database, signer_state: Path) -> None:
    record(10)
    with signer(signer_state) as hand:
        hand.look()
        cheat(committed, "DELETE FROM entry WHERE index = 4")
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason == "Entry 4 is gone; it was there before."


def test_a_new_leaf_that_is_missing(committed: Database, signer_state: Path) -> None:
    record(10)
    with signer(signer_state) as hand:
        hand.look()
    record(10)
    cheat(committed, "DELETE FROM entry WHERE index = 14")
    assert_freezes(signer_state, saying="Entry 14 is missing", entry=14)


def test_a_new_leaf_whose_hash_the_head_does_not_have(committed: Database, signer_state: Path) -> None:
    record(10)
    rewrite_leaf(committed, 5)
    assert_freezes(signer_state, saying="hash to another root than the head has")


def truncate_with_matching_head(where: Database, size: int) -> None:
    """As if the last entries had never been: entries gone, head and tiles right for what is left."""
    with psycopg.connect(where.admin_address()) as connection:
        rows = connection.execute("SELECT leaf_hash FROM entry WHERE index < %s ORDER BY index", [size]).fetchall()
    hashes = [bytes(row[0]) for row in rows]
    cheat(
        where,
        f"DELETE FROM entry WHERE index >= {size}",
        f"DELETE FROM section WHERE entry_index >= {size}",
        f"DELETE FROM checkpoint WHERE size > {size}",
        f"UPDATE head SET size = {size}, root = '\\x{root_of(hashes).hex()}', edge = edge",
    )


def test_a_truncated_tail_with_a_matching_head(committed: Database, signer_state: Path) -> None:
    record(10)
    with signer(signer_state) as hand:
        hand.look()
    truncate_with_matching_head(committed, 8)
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason.startswith("The log holds 8 entries, but 10 were there before")


def test_a_truncated_tail_while_the_signer_runs(committed: Database, signer_state: Path) -> None:
    record(10)
    with signer(signer_state) as hand:
        hand.look()
        truncate_with_matching_head(committed, 8)
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason.startswith("The log holds 8 entries, but 10 were there before")


def test_a_tail_cut_off_before_it_was_signed(committed: Database, signer_state: Path) -> None:
    """What the signer has read counts, though its pace had not let it sign yet."""
    record(10)
    with signer(signer_state) as hand:
        hand.look()
        record(5)
        assert hand.look(after=0.1) is Outcome.IDLE
        truncate_with_matching_head(committed, 12)
        assert hand.look() is Outcome.FROZEN
        assert "holds 12 entries, but 15" in hand.signer.frozen_reason


def test_a_restored_older_copy_that_went_on_differently(committed: Database, signer_state: Path) -> None:
    record(10)
    with signer(signer_state) as hand:
        hand.look()
    backup = Database(f"{committed.name}_backup")
    copy_database(committed, backup)
    record(5)
    with signer(signer_state) as hand:
        hand.look()
    try:
        copy_database(backup, committed)
        record(20, content=b'{"after":{"n":2}}')
        with signer(signer_state) as hand:
            assert hand.look() is Outcome.FROZEN
            assert hand.signer.frozen_reason.startswith("Entry 10 was changed")
        assert set(roots()) == {10}
    finally:
        with maintenance(admin_url()) as connection:
            drop_database(connection, backup.name)


def copy_database(source: Database, target: Database) -> None:
    """What pg_dump and pg_restore do to a log: the whole database as it was then, in place of what is there."""
    connections.close_all()
    with maintenance(admin_url()) as connection:
        drop_database(connection, target.name)
        create_database(connection, target.name, ROLES, template=source.name)


def test_a_head_that_counts_other_entries(committed: Database, signer_state: Path) -> None:
    record(4)
    cheat(committed, "UPDATE head SET size = 9")
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason == "The head counts 9 entries, but the table holds 4."


def test_a_head_that_is_gone(committed: Database, signer_state: Path) -> None:
    record(4)
    cheat(committed, "DELETE FROM head")
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason == "The head row is gone."


def test_a_checkpoint_with_another_root(committed: Database, signer_state: Path) -> None:
    record(4)
    with signer(signer_state) as hand:
        hand.look()
        cheat(committed, "UPDATE checkpoint SET root = sha256('forged')")
        assert hand.look() is Outcome.FROZEN
        assert "another root than was signed" in hand.signer.frozen_reason


def test_a_checkpoint_of_somebody_else(committed: Database, signer_state: Path) -> None:
    record(4)
    with signer(signer_state) as hand:
        hand.look()
        cheat(committed, "INSERT INTO checkpoint SELECT 5, root, note, signed_at FROM checkpoint")
        assert hand.look() is Outcome.FROZEN
        assert "somebody else signs" in hand.signer.frozen_reason


def test_an_alarm_freezes(committed: Database, signer_state: Path) -> None:
    record(4)
    with signer(signer_state) as hand:
        hand.look()
    record(1)
    Alarm.objects.create(
        kind="section.changed", entry_index=2, subject="deployment:x", detail="It differs.", raised_at=NOW
    )
    assert_freezes(signer_state, saying="(section.changed) at entry 2: It differs.", entry=2)


def test_removing_the_alarm_does_not_thaw(committed: Database, signer_state: Path) -> None:
    record(4)
    Alarm.objects.create(kind="section.changed", entry_index=2, subject="log", detail="It differs.", raised_at=NOW)
    with signer(signer_state) as hand:
        hand.look()
    cheat(committed, "DELETE FROM alarm")
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.FROZEN
    assert alarms() == [("signer.frozen", 2)]
