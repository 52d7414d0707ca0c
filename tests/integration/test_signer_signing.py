"""The signer signs what only grew: sizes, roots, pace, order of remembering and publishing."""

from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from audit.models import Checkpoint, Head, SignerLease
from audit.signer import LeaseHeld, core, database
from audit.signer.core import Outcome
from audit.signer.database import Claim, Row
from audit.tlog.tree import EMPTY_ROOT
from tests.integration.signer_story import cheat, record, roots, signer
from tests.services.databases import Database


def test_an_empty_log_is_not_signed(committed: Database, signer_state: Path) -> None:
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.IDLE
        assert hand.stored().edge.root() == EMPTY_ROOT
    assert roots() == {}


def test_a_growing_log_is_signed_at_every_look_that_finds_more(committed: Database, signer_state: Path) -> None:
    with signer(signer_state) as hand:
        expected = {}
        for count in (1, 2, 300, 1, 213):
            record(count)
            head = Head.objects.get()
            assert hand.look() is Outcome.SIGNED
            assert hand.look() is Outcome.IDLE
            expected[head.size] = bytes(head.root)
        assert roots() == expected
        assert hand.stored().size == 517


def test_a_restarted_signer_goes_on_from_its_state(committed: Database, signer_state: Path) -> None:
    record(5)
    with signer(signer_state) as hand:
        hand.look()
    record(400)
    with signer(signer_state) as hand:
        assert hand.signer.state.size == 5
        assert hand.look() is Outcome.SIGNED
    head = Head.objects.get()
    assert roots()[405] == bytes(head.root)
    assert set(roots()) == {5, 405}


def test_it_signs_at_most_once_a_second(committed: Database, signer_state: Path) -> None:
    with signer(signer_state) as hand:
        record(1)
        assert hand.look() is Outcome.SIGNED
        record(1)
        assert hand.look(after=0.4) is Outcome.IDLE
        record(1)
        assert hand.look(after=0.4) is Outcome.IDLE
        assert hand.look(after=0.4) is Outcome.SIGNED
    assert set(roots()) == {1, 3}


def test_a_long_backlog_takes_several_looks_and_one_signature(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "READ_AT_ONCE", 100)
    monkeypatch.setattr(core, "SECONDS_OF_READING", -1.0)
    record(250)
    with signer(signer_state) as hand:
        assert [hand.look() for _ in range(4)] == [Outcome.BEHIND, Outcome.BEHIND, Outcome.SIGNED, Outcome.IDLE]
    assert set(roots()) == {250}


def test_clocks_that_go_back_or_forward_change_nothing(committed: Database, signer_state: Path) -> None:
    with signer(signer_state) as hand:
        record(1)
        hand.look()
        # The database's clock was an hour ahead, and was put right since.
        cheat(committed, "UPDATE checkpoint SET signed_at = clock_timestamp() + interval '1 hour'")
        hand.now = hand.now.replace(year=2020)
        record(1)
        assert hand.look() is Outcome.SIGNED
        first, second = Checkpoint.objects.order_by("size").values_list("signed_at", flat=True)
        assert second == first
        # Forward by years: neither pace nor time of signing follow the signer's own clock.
        hand.now = hand.now.replace(year=2090)
        record(1)
        assert hand.look(after=0.1) is Outcome.IDLE
        assert hand.look() is Outcome.SIGNED
    third = Checkpoint.objects.order_by("-size").values_list("signed_at", flat=True)[0]
    assert third == second


class Killed(BaseException):
    """Stands for SIGKILL inside this process; the real signal is tested in test_signer_process."""


def test_a_crash_before_publishing_is_made_good_with_the_same_note(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(3)
    with signer(signer_state) as hand, monkeypatch.context() as patched:
        patched.setattr(database, "insert_checkpoint", _kill)
        with pytest.raises(Killed):
            hand.look()
        assert hand.stored().size == 3
    assert roots() == {}
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.SIGNED
    assert set(roots()) == {3}
    with signer(signer_state) as hand:
        record(1)
        assert hand.look() is Outcome.SIGNED


def test_a_crash_after_publishing_needs_nothing(committed: Database, signer_state: Path) -> None:
    record(3)
    with signer(signer_state) as hand:
        hand.look()
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.IDLE


def test_a_crash_before_remembering_publishes_nothing(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(3)
    with signer(signer_state) as hand, monkeypatch.context() as patched:
        patched.setattr("os.fsync", _disk_full)
        with pytest.raises(OSError, match="No space left"):
            hand.look()
        assert hand.stored().size == 0
    assert roots() == {}
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.SIGNED
    assert set(roots()) == {3}


def test_a_checkpoint_reported_lost_but_stored_is_not_doubled(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit came through, its answer did not."""
    insert = database.insert_checkpoint

    def stored_but_failed(connection: Connection[Row], claim: Claim, note: str, *, holder: str) -> bool:
        insert(connection, claim, note, holder=holder)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    record(3)
    with signer(signer_state) as hand:
        with monkeypatch.context() as patched:
            patched.setattr(database, "insert_checkpoint", stored_but_failed)
            with pytest.raises(psycopg.OperationalError):
                hand.look()
        assert hand.look() is Outcome.IDLE
    assert set(roots()) == {3}


def test_a_paused_signer_that_lost_the_pen_writes_nothing(committed: Database, signer_state: Path) -> None:
    record(2)
    with signer(signer_state) as hand:
        SignerLease.objects.using("signer").update(holder="elsewhere:0123456789ab:7")
        with pytest.raises(LeaseHeld, match="took over"):
            hand.look()
    assert roots() == {}


def _kill(*_args: object, **_named: object) -> bool:
    raise Killed


def _disk_full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_the_lease_is_visible_while_a_signer_works(committed: Database, signer_state: Path) -> None:
    with signer(signer_state):
        lease = SignerLease.objects.get()
    assert lease.expires_at > lease.seen_at
    assert lease.frozen_reason == ""
