"""Keys of a log change while it lives: the new one beside the old, then alone; every reader follows."""

import json
import os
from pathlib import Path

import pytest
from django.db import DatabaseError, connections
from django.test import Client

from audit import notices, queries, selfcheck
from audit import signer as product
from audit.models import Checkpoint, Entry, KeyStatement
from audit.queries.keys import current_keys, history, key_history_text
from audit.queries.protection import protection
from audit.signer import key as signer_key
from audit.signer import rotation
from audit.signer.core import Outcome
from audit.signer.state import StateDir
from audit.tlog.bundle import verify_bundle
from audit.tlog.keyhistory import BEGINS, read_checkpoint_in, sign_statement
from audit.tlog.keys import SigningKey, VerifierKey
from audit.tlog.note import split_note
from audit.tlog.receipt import verify_receipt
from config.embedded.keys import make_signing_key
from tests.integration.signer_story import NOW, VKEY, alarms, cheat, record, signer
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database


class Killed(BaseException):
    """Stands for SIGKILL; the real signal is tested in test_signer_process."""


def die(*_args: object, **_named: object) -> None:
    raise Killed


def die_over_a_key(path: Path, *, missing_ok: bool = False) -> None:
    if path.suffix == ".destroyed":
        raise Killed
    assert missing_ok
    assert not path.exists()


def rotate(folder: Path) -> VerifierKey:
    return product.rotate(folder=folder, origin=ORIGIN, vkey=VKEY, entropy=lambda size: b"\x42" * size)


def retire(folder: Path) -> VerifierKey:
    return product.retire(folder=folder, origin=ORIGIN, vkey=VKEY)


def sign(folder: Path, count: int) -> Checkpoint:
    record(count)
    with signer(folder) as hand:
        assert hand.look() is Outcome.SIGNED
    found = Checkpoint.objects.order_by("-size").first()
    assert found is not None
    return found


def signers(row: Checkpoint) -> set[bytes]:
    return {signature[:4] for _name, signature in split_note(row.note)[1]}


def test_keys_rotate_with_overlap_and_every_reader_follows(committed: Database, signer_state: Path) -> None:
    first = SIGNING_KEY.verifier
    alone = sign(signer_state, 5)
    assert key_history_text() == f"{VKEY}\n"
    assert "key_history" not in json.loads(queries.bundle([0]))

    second = rotate(signer_state)
    assert KeyStatement.objects.get().kind == "key-begins"
    both = sign(signer_state, 5)
    assert (signers(alone), signers(both)) == ({first.key_id}, {first.key_id, second.key_id})
    with pytest.raises(product.RotationRefused, match="Two keys sign already"):
        rotate(signer_state)

    assert retire(signer_state) == first
    last = sign(signer_state, 5)
    assert signers(last) == {second.key_id}
    assert [path.name for path in signer_state.glob("*.key")] == [f"signing-{second.key_id.hex()}.key"]
    assert not list(signer_state.glob("*.destroyed"))
    # The embedded services find the log known by the key that is gone, and make no other in its place.
    assert make_signing_key(signer_state.parent, origin=ORIGIN) == VKEY
    assert not (signer_state / "signing.key").exists()
    assert [(item.key, item.first, item.last) for item in history().ranges] == [(first, 0, 10), (second, 6, None)]
    assert (current_keys(5), current_keys(8), current_keys(11)) == ((first,), (first, second), (second,))

    # The files an auditor takes away, checked with the key they were given long ago, or with the history itself.
    told = json.loads(queries.bundle([0, 12], consistent_with=[5, 10]))
    assert told["keys"] == [first.to_text(), second.to_text()]
    data = json.dumps(told).encode()
    for given in (history(), [first], [second], None):
        found = verify_bundle(data, given)
        assert found.ok, found.failures
    leaf = bytes(Entry.objects.get(index=12).leaf)
    assert verify_receipt(queries.receipt(12), leaf, history()).ok
    assert not verify_receipt(queries.receipt(12), leaf, [first]).ok
    # Without the history the old key cannot vouch for what the new one signed.
    del told["key_history"]
    assert not verify_bundle(json.dumps(told).encode(), [first]).ok
    answer = Client().get("/api/v1/log/checkpoint").json()
    assert answer["keys"] == key_history_text()

    # The ledger tells of it, once; the self-check finds every checkpoint signed by a key of its size.
    assert notices.record_acts() == 2
    assert notices.record_acts() == 0
    kinds = Entry.objects.filter(type__startswith="key.").order_by("index").values_list("type", "actor")
    assert list(kinds) == [("key.begun", "system:signer"), ("key.ended", "system:signer")]
    facts = queries.section_facts(list(Entry.objects.filter(type="key.ended").values_list("index", flat=True)))
    assert next(iter(facts.values())) == {
        "key": first.to_text(),
        "goes_on": second.to_text(),
        "last_size": 10,
        "fingerprint": first.fingerprint,
        "statement": 2,
    }
    assert selfcheck.run(now=NOW).findings == ()
    forged_statements_are_found(committed, signer_state)


def forged_statements_are_found(database: Database, folder: Path) -> None:
    """A superuser who writes other statements is found twice; the app cannot write any."""
    with pytest.raises(DatabaseError, match="permission denied"), connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO key_statement SELECT 9, kind, old_key, new_key, size, note, stated_at FROM key_statement"
        )
    assert protection().grants == () == protection().fallen
    stranger = SigningKey.generate(ORIGIN, b"\x99" * 32)
    forged = sign_statement(BEGINS, old=stranger, new=stranger, size=3)
    cheat(database, "UPDATE key_statement SET note = %s WHERE number = 1", values=[forged])
    assert [found.kind for found in selfcheck.run(now=NOW).findings if found.kind == "keys"] == ["keys"]
    with signer(folder) as hand:
        assert hand.signer.frozen_reason == "The stored key statements are not those that this signer made."
        assert hand.look() is Outcome.FROZEN
    with pytest.raises(product.RotationRefused, match="frozen"):
        rotate(folder)
    assert ("signer.frozen", None) in alarms()


def test_a_killed_rotation_is_finished_and_never_half_believed(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(signer_state, 3)
    # After the new key's file, before the statement: the same key is taken up again.
    with monkeypatch.context() as patched:
        patched.setattr(rotation, "save_history", die)
        with pytest.raises(Killed):
            rotate(signer_state)
    stray = [path.name for path in signer_state.glob("signing-*.key")]
    assert len(stray) == 1
    assert signers(sign(signer_state, 1)) == {SIGNING_KEY.verifier.key_id}
    # After the statement, before it is published: the next start publishes it.
    with monkeypatch.context() as patched:
        patched.setattr("audit.signer.database.insert_statement", die)
        with pytest.raises(Killed):
            product.rotate(folder=signer_state, origin=ORIGIN, vkey=VKEY, entropy=os.urandom)
    assert [path.name for path in signer_state.glob("signing-*.key")] == stray
    assert not KeyStatement.objects.exists()
    assert len(signers(sign(signer_state, 1))) == 2
    assert KeyStatement.objects.count() == 1
    # After the end was stated, in the middle of destroying the key: the next start destroys it.
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", die_over_a_key)
        with pytest.raises(Killed):
            retire(signer_state)
    assert [path.name for path in signer_state.glob("*.destroyed")] == ["signing.destroyed"]
    keys = signer_key.load_keys(StateDir(signer_state), origin=ORIGIN, vkey=VKEY)
    assert signer_key.destroy_ended(StateDir(signer_state), keys) == []
    assert not list(signer_state.glob("*.destroyed"))
    last = sign(signer_state, 1)
    assert len(signers(last)) == 1
    assert read_checkpoint_in(last.note, history())[0].size == 6
    assert alarms() == []


def test_a_change_of_keys_waits_until_the_last_checkpoint_is_out(
    committed: Database, signer_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(product.RotationRefused, match="Only one key signs"):
        retire(signer_state)
    record(2)
    with signer(signer_state) as hand, monkeypatch.context() as patched:
        patched.setattr("audit.signer.database.insert_checkpoint", die)
        with pytest.raises(Killed):
            hand.look()
    with pytest.raises(product.RotationRefused, match="not published yet"):
        rotate(signer_state)
    with signer(signer_state) as hand:
        hand.look()
        with pytest.raises(product.StateInUse):
            rotate(signer_state)
    rotate(signer_state)
    # A lost private half is told before anything is signed without it.
    next(signer_state.glob("signing-*.key")).unlink()
    with pytest.raises(product.KeyRefused, match="private half"):
        signer_key.load_keys(StateDir(signer_state), origin=ORIGIN, vkey=VKEY)
