"""The auditor's bundle: everything true is accepted, everything changed is refused and the entry named."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.bundle import Verification, verify_bundle
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.note import SigningKey
from tests.unit.tlog_reference import ORIGIN, SampleLog

LOG = SampleLog(60)
KEYS = [LOG.key.verifier]
STATE = {
    "deployment:2": json.dumps(SampleLog.state(59), sort_keys=True),
    "deployment:1": json.dumps(SampleLog.state(58)),
}
WHOLE = LOG.bundle(range(60), older=[0, 1, 17, 59, 60], state=STATE)


def edited(change: Callable[[Any], None], data: bytes = WHOLE) -> bytes:
    found = json.loads(data)
    change(found)
    return json.dumps(found).encode()


def failing(data: bytes) -> list[tuple[str, int | None]]:
    result = verify_bundle(data, KEYS)
    assert not result.ok
    return [(check.name, check.index) for check in result.failures]


def flip(text: str) -> str:
    data = b64decode(text)
    return b64encode(bytes([data[0] ^ 1]) + data[1:]).decode()


def test_a_true_bundle_verifies() -> None:
    result = verify_bundle(WHOLE, KEYS)
    assert result.ok, result.failures
    assert result.pinned and result.keys == tuple(KEYS) and result.first_bad_index is None
    assert result.checkpoint is not None and result.checkpoint.size == 60
    assert [entry.index for entry in result.entries] == list(range(60))
    names = [check.name for check in result.checks]
    assert names == ["checkpoint", "key", "entries", "sections", *["consistency"] * 5, *["state"] * 2]
    details = {check.name: check.detail for check in result.checks}
    assert details["entries"] == "60 of 60 entries are in the log as shown."
    assert details["sections"] == "80 of 80 sections are disclosed and as recorded."


@settings(deadline=None)
@given(st.data())
def test_any_selection_at_any_size_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 60))
    indexes = data.draw(st.lists(st.integers(0, size - 1), unique=True, max_size=12))
    older = data.draw(st.lists(st.integers(0, size), max_size=3))
    result = verify_bundle(LOG.bundle(indexes, size, older), KEYS)
    assert result.ok == bool(indexes or older)
    assert result.ok or "Nothing is shown" in result.failures[0].detail


def test_a_section_that_is_not_there_is_not_disclosed() -> None:
    result = verify_bundle(LOG.bundle([0, 1], hidden=["personal"]), KEYS)
    assert result.ok
    assert result.entries[0].sections == {"facts": "disclosed", "personal": "not disclosed"}
    assert any("1 not disclosed" in check.detail for check in result.checks)


def test_keys_inside_are_used_but_not_called_pinned() -> None:
    result = verify_bundle(WHOLE, None)
    assert result.ok and not result.pinned and result.keys == tuple(KEYS)
    (check,) = (check for check in result.checks if check.name == "key")
    assert "NOT PINNED" in check.detail and KEYS[0].fingerprint in check.detail


def test_a_forged_log_is_seen_only_with_a_pinned_key() -> None:
    forged = SampleLog(60, key=SigningKey.generate(ORIGIN, b"F" * 32)).bundle([3])
    assert verify_bundle(forged, None).ok
    result = verify_bundle(forged, KEYS)
    assert not result.ok and result.failures[0].name == "checkpoint"
    assert result.checkpoint is None and [entry.index for entry in result.entries] == [3]


def test_unusable_keys_inside_are_passed_over() -> None:
    def add(found: Any) -> None:
        found["keys"] = ["log+00000000+BgAA", *found["keys"]]

    assert verify_bundle(edited(add), None).ok
    assert not verify_bundle(edited(lambda found: found.update(keys=[])), None).ok


@pytest.mark.parametrize("index", [0, 1, 31, 32, 59])
def test_every_proof_hash_matters(index: int) -> None:
    for n in range(len(json.loads(WHOLE)["entries"][index]["proof"])):

        def change(found: Any, n: int = n) -> None:
            proof = found["entries"][index]["proof"]
            proof[n] = flip(proof[n])

        assert ("entry", index) in failing(edited(change))
        assert verify_bundle(edited(change), KEYS).first_bad_index == index


def test_a_changed_leaf_is_named() -> None:
    def change(found: Any) -> None:
        leaf = b64decode(found["entries"][41]["leaf"]).replace(b"approved", b"rejected")
        found["entries"][41]["leaf"] = b64encode(leaf).decode()

    assert failing(edited(change))[:1] == [("entry", 41)]
    assert verify_bundle(edited(change), KEYS).first_bad_index == 41


def test_an_entry_moved_to_another_index_is_named() -> None:
    def change(found: Any) -> None:
        del found["entries"][9]
        found["entries"][8]["index"] = 9

    assert ("entry", 9) in failing(edited(change))


@pytest.mark.parametrize("part", ["body", "salt"])
def test_a_changed_section_is_named(part: str) -> None:
    def change(found: Any) -> None:
        section = found["entries"][6]["sections"]["personal"]
        section[part] = flip(section[part])

    result = verify_bundle(edited(change), KEYS)
    assert failing(edited(change)) == [("section", 6), ("sections", None)]
    assert "personal" in result.failures[0].detail
    assert result.entries[6].sections["personal"] == "wrong"


def test_sections_cannot_be_swapped_added_or_garbled() -> None:
    def swap(found: Any) -> None:
        entries = found["entries"]
        entries[0]["sections"], entries[3]["sections"] = entries[3]["sections"], entries[0]["sections"]

    def add(found: Any) -> None:
        found["entries"][1]["sections"]["extra"] = {"salt": "", "body": ""}

    def garble(found: Any) -> None:
        found["entries"][1]["sections"]["facts"]["body"] = "*"

    def short_salt(found: Any) -> None:
        found["entries"][1]["sections"]["facts"]["salt"] = b64encode(bytes(16)).decode()

    assert {index for _, index in failing(edited(swap)) if index is not None} == {0, 3}
    for change in (add, garble, short_salt):
        assert failing(edited(change))[0] == ("section", 1)


def test_a_leaf_that_is_no_leaf_or_of_another_log_is_named() -> None:
    other = SampleLog(3)
    other.leaves[1] = b"not a leaf"
    other.leaves[2] = other.leaves[2].replace(ORIGIN.encode(), b"another.example")
    other.sections[1] = {}
    other.naive.range_hash.cache_clear()
    result = verify_bundle(other.bundle([0, 1, 2]), KEYS)
    assert [(check.name, check.index) for check in result.failures][:2] == [("leaf", 1), ("leaf", 2)]


def test_the_origin_of_the_file_must_be_that_of_the_checkpoint() -> None:
    assert failing(edited(lambda found: found.update(origin="other.example"))) == [("origin", None)]


def test_rewritten_history_is_refused() -> None:
    def change(found: Any) -> None:
        other = SampleLog(20)
        other.leaves[5] = b"other"
        other.naive.range_hash.cache_clear()
        found["consistency"][2] = {"from": other.checkpoint(17), "proof": found["consistency"][2]["proof"]}

    def garble(found: Any) -> None:
        found["consistency"][2]["proof"][0] = "AA=="

    def foreign(found: Any) -> None:
        found["consistency"][2]["from"] = "not a note"

    for edit in (change, garble, foreign):
        assert failing(edited(edit)) == [("consistency", None)]


def test_a_state_that_differs_from_the_newest_snapshot_names_the_entry() -> None:
    changed = SampleLog.state(59) | {"live": 1}
    assert failing(LOG.bundle(range(60), state={"deployment:2": json.dumps(changed)})) == [("state", 59)]
    older = json.dumps(SampleLog.state(56))
    assert failing(LOG.bundle(range(60), state={"deployment:2": older})) == [("state", 59)]
    assert verify_bundle(LOG.bundle([55, 56], state={"deployment:2": older}), KEYS).ok


def test_a_state_that_cannot_be_compared_fails() -> None:
    text = json.dumps(SampleLog.state(59))
    assert failing(LOG.bundle([59], state={"deployment:9": text})) == [("state", None)]
    assert failing(LOG.bundle([59], state={"deployment:2": text}, hidden=["facts"])) == [("state", 59)]
    for bad in ("{", "1.5", '{"a":1,"a":1}', "[" * 100_000):
        assert failing(LOG.bundle([59], state={"deployment:2": bad})) == [("state", 59)]


class Quiet(SampleLog):
    """A log whose later entries say something about their subject without a snapshot of it."""

    def facts(self, index: int) -> dict[str, object]:
        return super().facts(index) if index < 6 else {"note": index}


def test_entries_without_a_snapshot_do_not_change_the_state() -> None:
    state = {"deployment:2": json.dumps(SampleLog.state(5))}
    result = verify_bundle(Quiet(12).bundle(range(12), state=state), KEYS)
    assert result.ok, result.failures
    assert result.checks[-1].detail == "deployment:2 is as entry 5 recorded it."


def test_a_state_is_not_compared_while_an_entry_is_unproven() -> None:
    def change(found: Any) -> None:
        found["entries"][59]["proof"].pop()

    assert failing(edited(change)) == [("entry", 59), ("entries", None), ("state", None)]


def test_an_older_checkpoint_of_another_log_is_refused() -> None:
    other = SigningKey.generate("other.example", b"O" * 32)
    note = sign_checkpoint(Checkpoint("other.example", 17, LOG.naive.root(17)), other)

    def change(found: Any) -> None:
        found["consistency"][2]["from"] = note

    result = verify_bundle(edited(change), [*KEYS, other.verifier])
    assert [check.detail for check in result.failures] == ["The older checkpoint is of another log: other.example."]


def test_a_checkpoint_that_is_no_note_is_a_refusal() -> None:
    result = verify_bundle(edited(lambda found: found.update(checkpoint="nothing")), None)
    assert not result.ok and [check.name for check in result.checks] == ["checkpoint"]


def test_the_machine_form() -> None:
    result = verify_bundle(WHOLE, None)
    found = json.loads(json.dumps(result.to_dict()))
    assert found["verified"] is True and found["key_pinned"] is False and found["kind"] == "bundle"
    assert found["checkpoint"]["size"] == 60 and len(found["entries"]) == 60
    assert found["keys"][0]["fingerprint"] == KEYS[0].fingerprint
    assert not Verification("bundle", (), pinned=True).ok
