"""What is read at a glance is what reading by every rule gives; what the rules refuse is not taken at a glance."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from audit.api.body import BodyRefused
from audit.api.incoming import read_at_a_glance, read_by_rule

EVENT = {"id": "a", "type": "run.ended", "subject": "run-1", "occurred_at": "2026-11-24T09:00:00Z"}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.sampled_from('aé{}[]":\\, 0') | st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab{[]}é\\", max_size=3), inner, max_size=4),
    max_leaves=12,
)
events = st.fixed_dictionaries(
    {name: st.just(value) | st.text(max_size=4) for name, value in EVENT.items()},
    optional={"data": st.dictionaries(st.text("ab", max_size=2), values, max_size=3), "more": values},
)
good = st.fixed_dictionaries(
    {name: st.just(value) for name, value in EVENT.items()},
    optional={"data": st.dictionaries(st.text("ab", max_size=2), values, max_size=3)},
)
texts = st.builds(
    lambda value, ascii_only, space: json.dumps(value, ensure_ascii=ascii_only, indent=space),
    events | good | st.lists(events | good, max_size=4),
    st.booleans(),
    st.sampled_from((None, 1)),
)


def agrees(body: bytes) -> bool:
    """Whether it was read at a glance, once that was compared with reading by the rules."""
    is_batch = body.lstrip()[:1] == b"["
    quick = read_at_a_glance(body, is_batch=is_batch)
    if quick is None:
        return False
    assert quick == read_by_rule(body, is_batch=is_batch)
    return True


@given(texts)
def test_bodies(text: str) -> None:
    agrees(text.encode("utf-8", "surrogatepass"))


@given(texts, st.data())
def test_damaged_bodies(text: str, data: st.DataObject) -> None:
    body = text.encode("utf-8", "surrogatepass")
    place = data.draw(st.integers(0, len(body)))
    piece = data.draw(st.sampled_from((b"", b'"', b"{", b"}", b"[", b",", b"1", b"0" * 17, b"e999", b"\\", b"\x00")))
    agrees(body[:place] + piece + body[place + data.draw(st.integers(0, 3)) :])


def nested(depth: int) -> bytes:
    """An event whose data is nested so that the body has `depth` levels."""
    inner: object = 1
    for _level in range(depth - 3):
        inner = [inner]
    return json.dumps([{**EVENT, "data": {"n": inner}}]).encode()


@given(st.integers(1, 60))
@example(32)
@example(33)
def test_depth(depth: int) -> None:
    body = nested(max(depth, 3))
    assert agrees(body) == (depth <= 32)


def test_events_without_data_lend_no_depth() -> None:
    plain = json.dumps(EVENT).encode()
    for others in (1, 30, 999):
        for depth in (32, 33, 900):
            body = b"[" + (plain + b",") * others + nested(depth)[1:]
            assert agrees(body) == (depth <= 32)


def test_ordinary_events_are_read_at_a_glance() -> None:
    assert agrees(json.dumps([{**EVENT, "data": {"loss": 0.25, "step": 3, "of": [1, 2]}}] * 500).encode())
    assert agrees(json.dumps([EVENT, {**EVENT, "data": {}}]).encode())
    assert agrees(json.dumps({**EVENT, "data": {"note": "日本語"}}, ensure_ascii=False).encode())


def test_equal_keys_are_not_taken_at_a_glance() -> None:
    for body in (
        b'{"id":"a","id":"a",' + json.dumps(EVENT).encode()[1:],
        json.dumps({**EVENT, "data": {}}).replace("{}", '{"a":1,"a":2}').encode(),
        json.dumps({**EVENT, "data": {}}).replace("{}", '{"a":{"b":1,"b":[]}}').encode(),
        json.dumps({**EVENT, "data": {}}).replace("{}", '{"":1,"":2}').encode(),
    ):
        assert not agrees(body)
        try:
            read_by_rule(body, is_batch=False)
        except BodyRefused:
            continue
        raise AssertionError(body)
