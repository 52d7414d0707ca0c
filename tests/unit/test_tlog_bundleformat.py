"""Files that are no bundles: every one refused, none crashes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.bundle import BundleError, verify_bundle
from audit.tlog.bundleformat import read_bundle
from tests.unit.tlog_reference import SampleLog

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


@pytest.mark.parametrize("limit", ["MAX_BUNDLE_BYTES", "MAX_ENTRIES"])
def test_files_over_the_limits_are_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"audit.tlog.bundleformat.{limit}", 59)
    with pytest.raises(BundleError, match="at most 59"):
        verify_bundle(WHOLE, KEYS)


def without(name: str) -> Callable[[Any], None]:
    return lambda found: found.pop(name)


def setting(name: str, value: object) -> Callable[[Any], None]:
    return lambda found: found.update({name: value})


def in_entry(name: str, value: object) -> Callable[[Any], None]:
    return lambda found: found["entries"][4].update({name: value})


WRONG_IN_FILE: list[tuple[str, list[object]]] = [
    ("format", ["assay-bundle@v2", None, 1]),
    ("entries", [None, {}, [1], ["x"], [[]]]),
    ("keys", [None, "x", [1]]),
    ("consistency", [{}, [1], [{}], [{"from": 1, "proof": []}]]),
    ("state", [[], {"a": 1}, None]),
    ("origin", [5]),
    ("checkpoint", [None]),
    ("surprise", [1]),
]
WRONG_IN_ENTRY: list[tuple[str, list[object]]] = [
    ("index", [-1, True, "4", 1 << 63, None, 5]),
    ("proof", [None, "x", [1]]),
    ("sections", [None, [], {"a": 1}, {"a": {"salt": "", "body": 1}}, {"a": {"salt": ""}}]),
    ("sections", [{"a": {"salt": "", "body": "", "x": ""}}]),
    ("leaf", [7]),
    ("surprise", [1]),
]


@pytest.mark.parametrize(
    "change",
    [
        *(without(name) for name in ("format", "origin", "keys", "checkpoint", "entries")),
        *(setting(name, value) for name, values in WRONG_IN_FILE for value in values),
        *(in_entry(name, value) for name, values in WRONG_IN_ENTRY for value in values),
    ],
)
def test_files_that_are_no_bundles(change: Callable[[Any], None]) -> None:
    with pytest.raises(BundleError):
        verify_bundle(edited(change), KEYS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"[]",
        b"1",
        b"[" * 200_000,
        b"[" * 65 + b"]" * 65,
        WHOLE.replace(b'"keys": [', b'"keys": ["\\ud800",'),
        b'{"a":' * 100_000,
        b'{"format":"assay-bundle@v1","format":"assay-bundle@v1"}',
        WHOLE.replace(b'"index": 3,', b'"index": 3.0,'),
        WHOLE.replace(b'"index": 3,', b'"index": NaN,'),
        WHOLE.replace(b'"index": 3,', b'"index": 1e400,'),
        WHOLE.replace(b'"index": 3,', b'"index": ' + b"9" * 10_000 + b","),
    ],
)
def test_bytes_that_are_no_bundle(data: bytes) -> None:
    with pytest.raises(BundleError):
        verify_bundle(data, KEYS)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_mutation_of_a_small_bundle_passes_or_crashes(data: st.DataObject) -> None:
    """Bytes changed anywhere: refused, unless the change is in what the file does not vouch for."""
    whole = LOG.bundle([2, 3], 5, [3], {"deployment:2": json.dumps(SampleLog.state(2))})
    place = data.draw(st.integers(0, len(whole) - 1))
    mutated = whole[:place] + data.draw(st.binary(max_size=2)) + whole[place + data.draw(st.integers(0, 2)) :]
    try:
        result = verify_bundle(mutated, KEYS)
    except BundleError:
        return
    if result.ok:
        assert without_keys(mutated) == without_keys(whole)


def without_keys(data: bytes) -> object:
    """What the file says, in one spelling, less its own keys (which are not used when a key is given)."""
    found = read_bundle(data)
    state = {subject: json.loads(text) for subject, text in found.state.items()}
    return found.origin, found.checkpoint, found.entries, found.consistency, state
