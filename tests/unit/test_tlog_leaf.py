"""Leaves and section commitments: one spelling, nothing else accepted."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.leaf import (
    MAX_LEAF_BYTES,
    Leaf,
    LeafError,
    SectionCommitment,
    encode_leaf,
    format_time,
    parse_leaf,
)
from audit.tlog.leafframe import LeafFrame, section_frame
from audit.tlog.section import SectionError, commit, opens
from tests.unit.tlog_reference import ORIGIN, naive_commit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAF = Leaf(
    origin="assay.example/demo",
    id="0195f3a0-0000-7000-8000-000000000001",
    type="request.approved",
    source="app",
    subject="deployment:7f3c",
    actor="person:91",
    occurred_at=NOON,
    received_at=NOON + timedelta(microseconds=1),
    sections={"facts": SectionCommitment(bytes(32), 12, "application/json")},
)
BYTES = encode_leaf(LEAF)

allowed = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=256
)
moments = st.datetimes(timezones=st.just(UTC))
leaves = st.builds(
    Leaf,
    origin=allowed,
    id=allowed,
    type=allowed,
    source=allowed,
    subject=allowed,
    actor=allowed,
    occurred_at=moments,
    received_at=moments,
    sections=st.dictionaries(
        st.text("abcxyz019_.-", min_size=1, max_size=64),
        st.builds(SectionCommitment, st.binary(min_size=32, max_size=32), st.integers(0, 2**53 - 1), allowed),
        max_size=4,
    ),
)


def naive_encode(leaf: Leaf) -> bytes:
    """The same leaf by json.dumps."""
    found = {
        **{name: getattr(leaf, name) for name in ("actor", "id", "origin", "source", "subject", "type")},
        "occurred_at": leaf.occurred_at.strftime("%m-%dT%H:%M:%S.%fZ"),
        "received_at": leaf.received_at.strftime("%m-%dT%H:%M:%S.%fZ"),
        "sections": {
            name: {"alg": "hmac-sha256", "c": item.commitment.hex(), "len": item.length, "media": item.media}
            for name, item in leaf.sections.items()
        },
        "v": 1,
    }
    for name in ("occurred_at", "received_at"):
        # strftime writes years below 1000 differently from one C library to the next.
        found[name] = f"{getattr(leaf, name).year:04d}-{found[name]}"
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(leaves)
def test_encoding_agrees_with_json_and_is_read_back(leaf: Leaf) -> None:
    data = encode_leaf(leaf)
    assert data == naive_encode(leaf)
    assert parse_leaf(data) == leaf
    assert encode_leaf(parse_leaf(data)) == data


def framed(leaf: Leaf) -> bytes:
    """The same leaf by way of its frame."""
    fixed = {name: getattr(leaf, name) for name in ("origin", "source", "subject", "actor")}
    texts = [section_frame(n, s.media).text(s.commitment, s.length) for n, s in sorted(leaf.sections.items())]
    before, after = LeafFrame(type_=leaf.type, **fixed).around(leaf.id, format_time(leaf.occurred_at), ",".join(texts))
    return before + format_time(leaf.received_at).encode() + after


@given(leaves)
def test_a_frame_makes_the_same_bytes(leaf: Leaf) -> None:
    assert framed(leaf) == encode_leaf(leaf)


@given(st.data())
def test_whatever_is_accepted_encodes_to_itself(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(BYTES) - 1))
    mutated = BYTES[:place] + data.draw(st.binary(max_size=3)) + BYTES[place + data.draw(st.integers(0, 3)) :]
    try:
        leaf = parse_leaf(mutated)
    except LeafError:
        return
    assert encode_leaf(leaf) == mutated == naive_encode(leaf)


def changed(**values: Any) -> bytes:
    found = json.loads(BYTES)
    for name, value in values.items():
        if value is None:
            del found[name]
        else:
            found[name] = value
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


SECTION = {"alg": "hmac-sha256", "c": "00" * 32, "len": 1, "media": "a/b"}


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 5000, "not JSON"),
        (b'{"v":' + b"9" * 6000 + b"}", "not JSON"),
        (BYTES + b" ", "canonical"),
        (BYTES.replace(b'"v":1', b'"v": 1'), "canonical"),
        (BYTES.replace(b'"v":1', b'"v":1.0'), "whole numbers"),
        (BYTES.replace(b'"v":1', b'"v":NaN'), "whole numbers"),
        (BYTES.replace(b'"v":1', b'"v":true'), "canonical"),
        (BYTES.replace(b'"v":1', b'"v":2'), "version 1"),
        (BYTES.replace(b'{"actor"', b'{"actor":"x","actor"'), "twice"),
        (BYTES.replace(b"person:91", "persön".encode()), "ASCII"),
        (BYTES.replace(b"person:91", b"pers\\u006fn"), "canonical"),
        (BYTES.replace(b"person:91", b"a\x7fb"), "canonical"),
        (BYTES.replace(b"person:91", b""), "canonical"),
        (BYTES.replace(b"person:91", b"x" * 257), "canonical"),
        (BYTES.replace(b"2026-03-01T12", b"2026-02-30T12"), "does not exist"),
        (BYTES.replace(b"2026-03-01T12", b"0000-03-01T12"), "does not exist"),
        (BYTES.replace(b"2026-03-01T12", b"2026-03-01T24"), "canonical"),
        (BYTES.replace(b"T12:00:00.000000Z", b"T12:00:60.000000Z"), "does not exist"),
        (BYTES.replace(b".000000Z", b".0Z"), "canonical"),
        (BYTES.replace(b'"len":12', b'"len":012'), "not JSON"),
        (BYTES.replace(b'"len":12', b'"len":-12'), "canonical"),
        (BYTES.replace(b'"c":"00', b'"c":"AA'), "canonical"),
        (BYTES.replace(b"hmac-sha256", b"sha256"), "canonical"),
        (changed(actor=None), "lacks actor"),
        (changed(extra="x"), "unknown name 'extra'"),
        (changed(actor=5), "canonical"),
        (changed(sections={"A": SECTION}), "canonical"),
        (changed(sections=[]), "canonical"),
        (
            BYTES.replace(
                b'"sections":{',
                b'"sections":{' + json.dumps({"z": SECTION}, separators=(",", ":")).encode()[1:-1] + b",",
            ),
            "not in order",
        ),
        (
            BYTES.replace(
                b'"sections":{',
                b'"sections":{' + json.dumps({"facts": SECTION}, separators=(",", ":")).encode()[1:-1] + b",",
            ),
            "named twice",
        ),
        (BYTES.replace(b"person:91", b"x" * MAX_LEAF_BYTES), "at most 8192"),
    ],
)
def test_anything_else_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(LeafError, match=words):
        parse_leaf(data)


@pytest.mark.parametrize(
    "values, words",
    [
        ({"actor": ""}, "actor must be"),
        ({"actor": 'a","id":"b'}, "actor must be"),
        ({"subject": "a\\"}, "subject must be"),
        ({"type": "naïve"}, "type must be"),
        ({"id": "x" * 257}, "id must be"),
        ({"origin": "a\nb"}, "origin must be"),
        ({"sections": {"Facts": LEAF.sections["facts"]}}, "cannot be named"),
        ({"sections": {"f": SectionCommitment(bytes(31), 1, "a/b")}}, "32 bytes"),
        ({"sections": {"f": SectionCommitment(bytes(32), -1, "a/b")}}, "from 0 up"),
        ({"sections": {"f": SectionCommitment(bytes(32), 10**17, "a/b")}}, "from 0 up"),
        ({"sections": {"f": SectionCommitment(bytes(32), 1, "")}}, "media type"),
        ({"sections": {"f": SectionCommitment(bytes(32), True, "a/b")}}, "do not fit"),
        (
            {"sections": {"f": SectionCommitment(bytes(32), 1, f'x"}},"z":{json.dumps(SECTION)[:-2]}')}},
            "media type",
        ),
        ({"sections": {f"s{n}": SectionCommitment(bytes(32), 1, "m" * 200) for n in range(40)}}, "at most 8192"),
        ({"occurred_at": NOON.replace(tzinfo=None)}, "time zone"),
    ],
)
def test_values_that_cannot_stand_in_a_leaf(values: dict[str, Any], words: str) -> None:
    with pytest.raises(LeafError, match=words):
        encode_leaf(LEAF._replace(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"origin": "a\nb"},
        {"type": "naïve"},
        {"source": ""},
        {"subject": "a\\"},
        {"actor": 'a","id":"b'},
        {"sections": {"Facts": LEAF.sections["facts"]}},
        {"sections": {"f": SectionCommitment(bytes(32), 1, 'a"b')}},
        {"sections": {f"s{n}": SectionCommitment(bytes(32), 1, "m" * 200) for n in range(40)}},
        {"occurred_at": NOON.replace(tzinfo=None)},
    ],
)
def test_a_frame_refuses_what_encoding_refuses(values: dict[str, Any]) -> None:
    leaf = LEAF._replace(**values)
    with pytest.raises(LeafError) as framing:
        framed(leaf)
    with pytest.raises(LeafError) as encoding:
        encode_leaf(leaf)
    assert str(framing.value) == str(encoding.value)


def test_times_are_written_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert format_time(NOON.astimezone(tokyo)) == "2026-03-01T12:00:00.000000Z"


@given(st.binary(min_size=32, max_size=32), st.text("ab/-"), st.text("ab", min_size=1), st.binary())
def test_commitments_are_the_written_out_hmac(salt: bytes, entry_id: str, name: str, body: bytes) -> None:
    made = commit(salt, ORIGIN, entry_id, name, body)
    assert made == naive_commit(salt, entry_id, name, body)
    assert opens(made, salt, ORIGIN, entry_id, name, body)
    assert not opens(made, salt, ORIGIN, entry_id, name, body + b"x")
    assert not opens(made, salt, ORIGIN, entry_id + name, "", body)


def test_a_known_commitment() -> None:
    made = commit(b"\x01" * 32, "assay.example/demo", "entry-1", "facts", b'{"after":{}}')
    assert made.hex() == "da2b41a11c2612c871e0845fd83fbe5e03ab461036a7d6e6051d0745d9ac94ff"


@pytest.mark.parametrize("length", [0, 31, 33, 64, 65])
def test_salts_of_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(SectionError, match="exactly 32"):
        commit(bytes(length), ORIGIN, "id", "facts", b"")
