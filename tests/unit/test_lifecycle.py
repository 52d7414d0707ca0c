"""The table of standings covers itself, the migration holds the same, and the document is made from it."""

import ast
from pathlib import Path

import pytest

from governance.lifecycle import (
    BLOCKING,
    CHANGES,
    MEANINGS,
    SUCCESSORS,
    Change,
    ChangeRefused,
    State,
    Step,
    Who,
    change,
    changes_from,
    document,
)

ROOT = Path(__file__).resolve().parents[2]


def test_each_change_stands_once_and_leads_elsewhere() -> None:
    pairs = [(found.start, found.end) for found in CHANGES]
    assert len(set(pairs)) == len(pairs)
    assert all(start is not end for start, end in pairs)
    assert {found.step for found in CHANGES} == set(Step)
    assert {state for pair in pairs for state in pair} == set(State) == set(MEANINGS)


@pytest.mark.parametrize("start", State)
@pytest.mark.parametrize("end", State)
def test_a_change_is_in_the_table_or_refused(start: State, end: State) -> None:
    found = [item for item in CHANGES if (item.start, item.end) == (start, end)]
    if found:
        assert change(start, end) == found[0]
        assert found[0] in changes_from(start)
    else:
        with pytest.raises(ChangeRefused, match=end.value):
            change(start, end)


def test_whatever_stands_can_be_quarantined_and_only_another_person_takes_it_out() -> None:
    for state in set(State) - {State.QUARANTINED}:
        assert change(state, State.QUARANTINED).by is Who.GUARDS
    assert {found.by for found in changes_from(State.QUARANTINED)} == {Who.OTHER_GUARDS}
    assert all(found.start is State.QUARANTINED for found in CHANGES if found.by is Who.OTHER_GUARDS)


def test_every_standing_leads_back_to_active() -> None:
    assert {found.start for found in CHANGES if found.end is State.ACTIVE} == set(State) - {State.ACTIVE}
    assert State.ACTIVE not in BLOCKING
    assert set(SUCCESSORS) == {State.DEPRECATED, State.SUPERSEDED, State.RETIRED}


def _constants() -> dict[str, tuple[str, ...]]:
    """The literals at the head of the migration that made the guard."""
    source = (ROOT / "governance" / "migrations" / "0009_lineage_and_standing.py").read_text(encoding="utf-8")
    return {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_the_guard_of_the_database_knows_the_same_changes() -> None:
    def pair(found: Change) -> str:
        return f"{found.start}>{found.end}"

    found = _constants()
    assert found["CHANGES"] == tuple(map(pair, CHANGES))
    assert set(found["BLOCKING"]) == {state.value for state in BLOCKING}


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8") == document()
