"""Which entries are leaves, looked at many at once."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.folderform import LeafForm
from audit.tlog.leaf import LeafError, parse_leaf
from tests.unit.tlog_reference import ORIGIN, SampleLog

LEAVES = SampleLog(6).leaves
A, B, C = LEAVES[:3]


def faulty(*entries: bytes, strict: bool = False, origin: str = ORIGIN) -> list[int]:
    return [place for place, _ in LeafForm(origin, strict=strict).faults(entries)]


def test_leaves_are_leaves() -> None:
    assert faulty() == faulty(*LEAVES) == faulty(*LEAVES, strict=True) == []


@pytest.mark.parametrize(
    "entries, places",
    [
        ((A, b"", B), [1]),
        ((A + B, b"", C), [0, 1]),
        ((A + b"\xff" + B, C), [0]),
        ((A + b"\xff", B), [0]),
        ((A[:60], A[60:] + b"\xff" + B, C), [0, 1]),
        ((A, B.replace(b"person:1", b"person:\xe9")), [1]),
        ((A, B.replace(b"person:1", b'"')), [1]),
        ((A, B.replace(b'"v":1', b'"v":2')), [1]),
        ((A, B.replace(b'"v":1', b'"w":1')), [1]),
        ((A, B.replace(ORIGIN.encode(), b"assay.example/tesu")), [1]),
        ((A, B.replace(b"person:1", b"p" * 9000)), [1]),
        ((A, B.replace(b'"sections":{', b'"sections":{,')), [1]),
    ],
)
def test_what_is_no_leaf_is_named(entries: tuple[bytes, ...], places: list[int]) -> None:
    assert faulty(*entries) == faulty(*entries, strict=True) == places


@given(st.integers(0, len(B) - 1), st.binary(min_size=0, max_size=2))
def test_the_quick_form_takes_all_that_the_strict_one_takes(place: int, text: bytes) -> None:
    entry = B[:place] + text + B[place + 1 :]
    try:
        parse_leaf(entry)
        strict = faulty(A, entry, strict=True)
    except LeafError:
        strict = [1]
    assert set(faulty(A, entry)) <= set(strict)


def test_only_the_strict_form_looks_into_values() -> None:
    night = B.replace(b"T09:00", b"T29:00")
    assert night != B and faulty(A, night) == [] and faulty(A, night, strict=True) == [1]
    assert faulty(B, A) == [] and faulty(B, A, strict=True) == [1]
    form = LeafForm(ORIGIN, strict=True)
    form.follow(C)
    assert next(form.faults([B]))[1].startswith("It was received at")
    form.follow(b"no leaf")
    assert list(form.faults([B])) == []


@pytest.mark.parametrize("origin", ["é", 'a"b', "a.example/(x"])
def test_a_log_of_another_name_holds_none_of_these(origin: str) -> None:
    assert faulty(A, B, origin=origin) == [0, 1]


def test_a_name_with_signs_of_patterns_is_taken_as_it_is() -> None:
    origin = "a.example/(x)+[y]"
    leaves = [re.sub(rb"assay\.example/test", origin.encode(), leaf) for leaf in (A, B)]
    assert faulty(*leaves, origin=origin) == []
    assert faulty(*[leaf.replace(b"a.example", b"aXexample") for leaf in leaves], origin=origin) == [0, 1]
