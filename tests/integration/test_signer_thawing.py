"""The ways out: of a freeze, when everything hashes to what was signed again; of a lost state, by a kept checkpoint."""

import os
import pwd
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from audit import ledger, notices, queries, selfcheck
from audit import signer as product
from audit.models import Alarm, Checkpoint, Entry, Thaw
from audit.queries.pulse import pulse
from audit.signer import database, lease
from audit.signer.core import Outcome
from audit.signer.rotation import rotate
from audit.signer.state import State, StateDir
from audit.tlog.checkpoint import Checkpoint as Signed
from audit.tlog.checkpoint import sign_checkpoint
from audit.tlog.keys import SigningKey
from audit.tlog.note import sign_note
from tests.integration.signer_story import NOW, VKEY, cheat, record, rewrite_leaf, roots, signer
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database


def look(folder: Path) -> tuple[Outcome, str]:
    """One look of a freshly started signer, and why it is frozen; the lease says so too."""
    with signer(folder) as hand:
        outcome = hand.look()
        assert lease.renew(hand.connection, hand.holder, frozen_reason=hand.signer.frozen_reason)
        return outcome, hand.signer.frozen_reason


def stored(folder: Path) -> State:
    state = StateDir(folder).load()
    assert state is not None
    return state


def thaw(
    folder: Path, *ids: int | range, reason: str = "Entry 3 was put back from the backup."
) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    product.thaw(
        folder=folder,
        origin=ORIGIN,
        vkey=VKEY,
        reason=reason,
        operator="operator",
        acknowledge=ids,
        tell=lambda done, total: told.append((done, total)),
    )
    return told


def moved_thaw(folder: Path, *, reason: str) -> None:
    """As an operator would: one range over everything that may stand."""
    alarm(20)
    assert look(folder)[0] is Outcome.FROZEN
    thaw(folder, range(1, 1000), reason=reason)


def alarm(entry: int) -> Alarm:
    return Alarm.objects.create(kind="leaf", entry_index=entry, subject="x", detail="d", raised_at=NOW)


def recover(folder: Path, note: str) -> product.Recovered:
    return product.recover(folder=folder, origin=ORIGIN, vkey=VKEY, note=note, tell=lambda _done, _total: None)


def test_a_freeze_ends_only_when_everything_hashes_to_what_was_signed(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "READ_AT_ONCE", 100)
    record(250)
    assert look(signer_state)[0] is Outcome.SIGNED
    with pytest.raises(product.ThawRefused, match="nothing to thaw"):
        thaw(signer_state)
    whole = bytes(Entry.objects.get(index=3).leaf)
    rewrite_leaf(committed, 3)
    selfcheck.run(now=NOW)
    assert look(signer_state)[0] is Outcome.FROZEN
    ids = list(Alarm.objects.order_by("id").values_list("id", flat=True))
    assert len(ids) >= 2  # the self-check's and the signer's own
    health = Client().get("/healthz")
    assert (health.status_code, health.json()["status"], health.json()["reason"]) == (503, "frozen", "alarm")

    monkeypatch.setattr(settings, "SIGNER_STATE_DIR", signer_state)
    with pytest.raises(CommandError, match=f"--acknowledge {ids[0]}"):
        call_command("signer", "--thaw", "--reason", "It is a false alarm.")
    with pytest.raises(product.ThawRefused, match="no alarm 99999"):
        thaw(signer_state, *ids, 99999)
    for reason in ("", "  ", "x" * 1001, "two\nlines"):
        with pytest.raises(product.ThawRefused, match="reason"):
            thaw(signer_state, *ids, reason=reason)
    with pytest.raises(product.ThawRefused, match="first 250 entries are not those that were signed"):
        thaw(signer_state, *ids)
    assert stored(signer_state).frozen
    assert not Thaw.objects.exists()

    cheat(committed, "UPDATE entry SET leaf = %s, actor = 'system:test' WHERE index = 3", values=[whole])
    cheat(committed, "UPDATE entry SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE index = 3")
    # What nobody signed must not become signed by thawing: the log's own key on a size beyond the memory.
    cheat(committed, "INSERT INTO checkpoint SELECT 249, root, note, signed_at FROM checkpoint")
    with pytest.raises(product.ThawRefused, match="does not repeat its signed note"):
        thaw(signer_state, *ids)
    cheat(committed, "DELETE FROM checkpoint WHERE size = 249")

    size = Entry.objects.count()
    assert thaw(signer_state, *ids) == [(100, size), (200, size), (size, size)]
    assert [int(name.partition(":")[0]) for name in stored(signer_state).acknowledged] == ids
    assert list(Thaw.objects.get().acknowledged) == list(stored(signer_state).acknowledged)
    assert look(signer_state) == (Outcome.SIGNED, "")
    assert look(signer_state) == (Outcome.IDLE, "")
    assert Client().get("/healthz").json()["reason"] == ""
    assert set(roots()) == {250, size}
    thaw_is_told_and_forgives_nothing_new(committed, signer_state, ids)


def thaw_is_told_and_forgives_nothing_new(database: Database, folder: Path, ids: list[int]) -> None:
    """The ledger says who, why and which alarms, once; damage that comes again freezes again."""
    assert notices.record_acts() == 1
    assert notices.record_acts() == 0
    entry = Entry.objects.get(type="log.thawed")
    facts = queries.section_facts([entry.index])[entry.index]
    assert (facts["operator"], facts["reason"], facts["alarms"], facts["size"]) == (
        "operator", "Entry 3 was put back from the backup.", ids, 250,
    )  # fmt: skip
    assert facts["frozen_because"] == Thaw.objects.get().frozen_reason

    # The same damage again is a new matter, though its words are the acknowledged ones.
    rewrite_leaf(database, 3)
    assert selfcheck.run(now=NOW).new >= 1
    assert look(folder)[0] is Outcome.FROZEN
    assert Alarm.objects.filter(id__gt=max(ids), kind="signer.frozen").exists()
    with pytest.raises(product.NotAcknowledged):
        thaw(folder, *ids)


def test_a_lost_state_comes_back_from_a_kept_checkpoint_that_fits(committed: Database, signer_state: Path) -> None:
    record(300)
    look(signer_state)
    early = (signer_state / "state.json").read_text()
    kept = Checkpoint.objects.get(size=300).note
    record(5)
    look(signer_state)
    before = stored(signer_state)
    with pytest.raises(product.ThawRefused, match="nothing is lost"):
        recover(signer_state, kept)
    (signer_state / "state.json").unlink()

    root = bytes(Checkpoint.objects.get(size=300).root)
    stranger = SigningKey.generate(ORIGIN, bytes(32))
    elsewhere = SigningKey.generate("assay.example/other", bytes(range(32)))
    for note, saying in (
        ("no note at all", "no checkpoint that this log signed"),
        (sign_checkpoint(Signed(ORIGIN, 300, root), stranger), "no checkpoint that this log signed"),
        (sign_checkpoint(Signed(elsewhere.name, 300, root), elsewhere), "no checkpoint that this log signed"),
        (
            sign_note(f"{elsewhere.name}\n300\n{kept.splitlines()[2]}\n", [SIGNING_KEY]),
            "by a key of that log",
        ),
        (sign_checkpoint(Signed(ORIGIN, 299, root), SIGNING_KEY), "first 299 entries are not those of the checkpoint"),
        (sign_checkpoint(Signed(ORIGIN, 306, root), SIGNING_KEY), "holds 305 entries, but 306 were there before"),
    ):
        with pytest.raises(product.ThawRefused, match=saying):
            recover(signer_state, note)
    assert not (signer_state / "state.json").exists()

    found = recover(signer_state, kept)
    assert (found.size, found.kept, found.checkpoints) == (305, 300, 2)
    assert stored(signer_state) == before
    record(1)
    assert look(signer_state) == (Outcome.SIGNED, "")

    # An old copy and a damaged file are lost states too; what was there is kept aside.
    for text in (early, "half a sta"):
        (signer_state / "state.json").write_text(text)
        assert recover(signer_state, kept).size == 306
        assert (signer_state / "state.json.old").read_text() == text
    assert look(signer_state) == (Outcome.IDLE, "")

    # A log that is not the one of the checkpoints is not taken for it, whoever keeps which.
    (signer_state / "state.json").unlink()
    rewrite_leaf(committed, 302)
    with pytest.raises(product.ThawRefused, match="first 305 entries are not those that were signed"):
        recover(signer_state, kept)
    cheat(committed, "DELETE FROM entry WHERE index = 7")
    with pytest.raises(product.ThawRefused, match="Entry 7 is missing"):
        recover(signer_state, kept)
    assert not (signer_state / "state.json").exists()


def test_the_command_recovers_and_says_what_it_rests_on(
    committed: Database,
    signer_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(settings, "SIGNER_STATE_DIR", signer_state)
    record(4)
    look(signer_state)
    (signer_state / "state.json").unlink()
    kept = tmp_path / "kept.checkpoint"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("signer", "--recover", str(kept))
    kept.write_text(Checkpoint.objects.get().note)
    call_command("signer", "--recover", str(kept))
    assert "made again at 4 entries; 1 stored checkpoints agree" in capsys.readouterr().out
    call_command("signer", "--rotate")
    assert capsys.readouterr().out.startswith(f"{ORIGIN}+")
    call_command("signer", "--retire")
    assert capsys.readouterr().out.strip() == VKEY
    for wrong in (["--thaw", "--rotate"], ["--thaw", "--acknowledge", "x"], ["--thaw", "--acknowledge", "5-2"]):
        with pytest.raises(CommandError):
            call_command("signer", *wrong)


def test_acknowledgements_and_thaws_are_told_by_content_as_ids_begin_again(
    committed: Database, signer_state: Path
) -> None:
    record(30)
    first = alarm(1)
    assert look(signer_state)[0] is Outcome.FROZEN
    with pytest.raises(product.ThawRefused, match="no alarm 77"):
        thaw(signer_state, range(1, 1000), 77)
    thaw(signer_state, range(1, 1000))
    assert look(signer_state) == (Outcome.SIGNED, "")
    rotate(folder=signer_state, origin=ORIGIN, vkey=VKEY)
    assert notices.record_acts() == 2

    # Another alarm comes under an id that was acknowledged, as in a database made anew or restored.
    cheat(committed, "DELETE FROM alarm", "ALTER SEQUENCE alarm_id_seq RESTART")
    again = Alarm.objects.create(kind="leaf", entry_index=1, subject="x", detail="d", raised_at=NOW + timedelta(days=1))
    assert again.id == first.id
    assert pulse(now=NOW).state == "frozen"
    record(1)
    assert look(signer_state)[0] is Outcome.FROZEN
    with pytest.raises(product.NotAcknowledged):
        thaw(signer_state)
    thaw(signer_state, range(1, 1000), reason="Another matter.")
    assert (pulse(now=NOW).alarms, look(signer_state)) == ((), (Outcome.SIGNED, ""))
    assert notices.record_acts() == 1

    acts_are_told_by_content(committed, signer_state)


def acts_are_told_by_content(committed: Database, signer_state: Path) -> None:
    # The rows of thaws are lost and their ids begin again, as after a move: the entries are there, their keys not.
    cheat(committed, "DELETE FROM thaw", "ALTER SEQUENCE thaw_id_seq RESTART", "DELETE FROM event_key")
    assert notices.record_acts() == 0
    assert pulse(now=NOW).state == "frozen"
    moved_thaw(signer_state, reason="After the move.")
    assert pulse(now=NOW).alarms == ()
    row = Thaw.objects.get()
    assert sorted(row.alarms) == sorted(Alarm.objects.values_list("id", flat=True))
    assert set(row.acknowledged) <= set(stored(signer_state).acknowledged)
    assert (notices.record_acts(), notices.record_acts()) == (1, 0)
    # One that cannot be recorded does not hold up the next.
    cheat(committed, "UPDATE key_statement SET number = 2")
    named = ledger.Event(
        type="demo.note",
        subject="log",
        source="app",
        actor="system:test",
        occurred_at=NOW,
        sections=(ledger.Section("facts", b"{}"),),
        idempotency=ledger.Idempotency("key_statement:2", b"other"),
    )
    with transaction.atomic(durable=True):
        ledger.append(events=[named])
    moved_thaw(signer_state, reason="Once more.")
    assert (notices.record_acts(), notices.record_acts()) == (1, 0)
    told = Entry.objects.filter(type="log.thawed").order_by("index").values_list("index", flat=True)
    reasons = [facts["reason"] for facts in queries.section_facts(list(told)).values()]
    assert sorted(map(str, reasons)) == [
        "After the move.",
        "Another matter.",
        "Entry 3 was put back from the backup.",
        "Once more.",
    ]
    # A log that came without contents: its entries of keys are taken for those of the oldest statements.
    begun = Entry.objects.get(type="key.begun").index
    cheat(committed, "UPDATE key_statement SET number = 1", f"DELETE FROM section WHERE entry_index = {begun}")
    assert notices.record_acts() == 0


def test_a_copy_taken_while_frozen_comes_up_to_date_and_stays_frozen(
    committed: Database,
    signer_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    record(5)
    assert look(signer_state)[0] is Outcome.SIGNED
    alarm(1)
    assert look(signer_state)[0] is Outcome.FROZEN
    copy = (signer_state / "state.json").read_text()
    ids = list(Alarm.objects.values_list("id", flat=True))
    thaw(signer_state, *ids)
    record(5)
    assert look(signer_state)[0] is Outcome.SIGNED
    (signer_state / "state.json").write_text(copy)
    with pytest.raises(product.ThawRefused, match=r"old copy.*--recover"):
        thaw(signer_state, *ids)
    kept = tmp_path / "kept.checkpoint"
    kept.write_text(Checkpoint.objects.latest("size").note)
    monkeypatch.setattr(settings, "SIGNER_STATE_DIR", signer_state)
    call_command("signer", "--recover", str(kept))
    assert "It is still frozen" in capsys.readouterr().out
    assert look(signer_state)[0] is Outcome.FROZEN
    with pytest.raises(product.ThawRefused, match="remembers that it is frozen"):
        recover(signer_state, kept.read_text())
    # A user that the system has no name for, as in a container.
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    call_command("signer", "--thaw", "--reason", "As before.", "--acknowledge", f"{min(ids)}-{max(ids) + 50}")
    assert Thaw.objects.latest("id").operator == f"uid:{os.getuid()}"
    record(1)
    assert look(signer_state) == (Outcome.SIGNED, "")
    signer_state.chmod(0o770)
    with pytest.raises(CommandError, match="written by others"):
        call_command("signer", "--rotate")
