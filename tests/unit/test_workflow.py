"""The table of states covers itself, and the document is made from it."""

from pathlib import Path

import pytest

from governance.workflow import (
    ENDED,
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


def test_nothing_but_a_pool_approves_and_the_clock_only_closes_or_ends() -> None:
    assert {found.by for found in TRANSITIONS if found.end is State.APPROVED} == {Owner.POOL}
    assert {found.move for found in TRANSITIONS if found.by is Owner.CLOCK} == {Move.TIME_OUT, Move.EXPIRE}
    assert {State.REVOKED, State.EXPIRED, State.INVALIDATED} == ENDED <= FINAL


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("move", [move for move in Move if move is not Move.SUBMIT])
def test_nothing_leaves_a_final_state(state: State, move: Move) -> None:
    with pytest.raises(MoveRefused, match=state.value):
        transition(move, state)


def test_an_open_request_can_be_decided_and_withdrawn() -> None:
    ends = {move: transition(move, State.OPEN).end for move in (Move.APPROVE, Move.REJECT, Move.WITHDRAW)}
    assert ends == {Move.APPROVE: State.APPROVED, Move.REJECT: State.REJECTED, Move.WITHDRAW: State.WITHDRAWN}
    assert transition(Move.SUBMIT, None).end is State.OPEN


def test_the_policy_excludes_the_requester() -> None:
    (stage,) = SINGLE_REVIEW.facts()["stages"]
    assert stage["distinct_from"] == ["requester"]
    assert stage["quorum"] == 1
    assert [SINGLE_REVIEW.days_for(tier) for tier in ("high", "transparency", "minimal")] == [90, 180, 365]


def test_the_document_is_up_to_date() -> None:
    written = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert written == document(), "run: manage.py states --write"
