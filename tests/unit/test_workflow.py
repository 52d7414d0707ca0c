"""The table of states covers itself, and the document is made from it."""

from pathlib import Path

import pytest

from governance.workflow import (
    FINAL,
    OWNERS,
    SINGLE_REVIEW,
    TRANSITIONS,
    Move,
    MoveRefused,
    Owner,
    State,
    document,
    transition,
)

ROOT = Path(__file__).resolve().parents[2]


def test_every_state_has_an_owner_and_every_move_a_place() -> None:
    assert set(OWNERS) == set(State)
    assert {found.move for found in TRANSITIONS} == set(Move)
    assert len({(found.move, found.start) for found in TRANSITIONS}) == len(TRANSITIONS)
    assert len({found.event for found in TRANSITIONS}) == len(TRANSITIONS)


def test_every_state_is_reached_and_final_ones_are_left_by_nothing() -> None:
    assert {found.end for found in TRANSITIONS} == set(State)
    assert {state for state in State if not any(found.start is state for found in TRANSITIONS)} == FINAL


def test_a_move_belongs_to_the_owner_of_its_state_or_to_the_requester() -> None:
    for found in TRANSITIONS:
        assert found.by in {OWNERS[found.start] if found.start else Owner.REQUESTER, Owner.REQUESTER}


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("move", [Move.APPROVE, Move.REJECT, Move.WITHDRAW])
def test_nothing_leaves_a_final_state(state: State, move: Move) -> None:
    with pytest.raises(MoveRefused, match=state.value):
        transition(move, state)


def test_an_open_request_can_be_decided_and_withdrawn() -> None:
    ends = {move: transition(move, State.OPEN).end for move in (Move.APPROVE, Move.REJECT, Move.WITHDRAW)}
    assert ends == {Move.APPROVE: State.APPROVED, Move.REJECT: State.REJECTED, Move.WITHDRAW: State.WITHDRAWN}
    assert transition(Move.SUBMIT, None).end is State.OPEN


def test_the_policy_excludes_the_requester() -> None:
    facts = SINGLE_REVIEW.facts()
    assert facts["distinct_from"] == ["requester"]
    assert facts["quorum"] == 1


def test_the_document_is_up_to_date() -> None:
    written = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert written == document(), "run: manage.py states --write"
