"""What an import says of absent sections, and what is read from that: the same, section by section."""

import json

from hypothesis import given
from hypothesis import strategies as st

from audit.ledger.prepare import MAX_SECTION_BYTES
from audit.queries.absences import Absences, runs_told
from audit.transfer import importing, reading

NAMES = ("facts", "personal", "restricted")
ABSENT = st.dictionaries(st.integers(0, 60), st.sets(st.sampled_from(NAMES), min_size=1), max_size=40)


def read_back(told_by: int, parts: list[list[object]]) -> Absences:
    return Absences(run for part in parts for run in runs_told(told_by, json.dumps({"absent": part}).encode()))


@given(absent=ABSENT, later=ABSENT, most=st.integers(1, 5))
def test_every_absent_section_is_told_and_no_other(
    absent: dict[int, set[str]], later: dict[int, set[str]], most: int
) -> None:
    told = reading.Absences()
    for index in sorted(absent):
        told.add(index, tuple(sorted(absent[index])))
    places = {(index, name) for index, names in absent.items() for name in names}
    # Erasures whose entry has no facts here come after all entries, one section at a time.
    for index in sorted(later):
        for name in sorted(later[index]):
            told.add(index, (name,))
            places.add((index, name))
    parts = told.parts(most, 100)
    assert all(1 <= len(part) <= most for part in parts)
    found = read_back(61, parts)
    assert {(index, name) for index in range(62) for name in NAMES if (index, name) in found} == places


def test_what_one_entry_tells_fits_into_its_facts() -> None:
    """A leaf of another program may have many long names; every second entry another set of them."""
    told = reading.Absences()
    for index in range(1000):
        told.add(index, tuple(f"{index % 2}{number:063}" for number in range(20)))
    parts = told.parts(importing.RUNS_IN_ENTRY, importing.BYTES_IN_ENTRY)
    assert len(parts) > 1 and sum(map(len, parts)) == 1000
    assert max(len(json.dumps(part)) for part in parts) < MAX_SECTION_BYTES // 2 + 8192 + 10_000
    # One run that is too long stands alone.
    assert [len(part) for part in told.parts(10, 1)[:3]] == [1, 1, 1]


def test_an_entry_tells_only_of_those_before_it_and_nothing_when_damaged() -> None:
    assert (4, "facts") not in read_back(4, [[[0, 5, ["facts"]]]])
    for body in (b"", b"[]", b"{}", b'{"absent":3}', b'{"absent":[[1]]}', b'{"absent":[["a","b",["c"]]]}', None):
        assert list(runs_told(9, body)) == []
