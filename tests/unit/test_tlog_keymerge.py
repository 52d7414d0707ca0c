"""What a server can do to a key history without any key is no contradiction; what only the keys can do is one."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.keyhistory import BEGINS, ENDS, KeyHistory, KeyHistoryError, extend, read_history, sign_statement
from audit.tlog.keymerge import fit_together
from audit.tlog.keys import SigningKey

A, B, C, D = (SigningKey.generate("assay.example/keys", bytes([number]) * 32) for number in range(1, 5))
FIRST = read_history(f"{A.verifier.to_text()}\n", None)
# At 100 entries one key begins and two end: the order of such statements is not signed.
HONEST = [
    sign_statement(BEGINS, old=A, new=B, size=50),
    sign_statement(BEGINS, old=B, new=C, size=100),
    sign_statement(ENDS, old=A, new=B, size=99),
    sign_statement(ENDS, old=B, new=C, size=99),
    sign_statement(BEGINS, old=C, new=D, size=300),
    sign_statement(ENDS, old=C, new=D, size=400),
]


def history(*notes: str) -> KeyHistory:
    found = FIRST
    for note in notes:
        found = extend(found, note)
    return found


@st.composite
def shown(draw: st.DrawFn) -> KeyHistory:
    """A history that somebody without keys can make of the honest one: statements left out, or moved where they fit."""
    order = draw(st.permutations(HONEST))
    found = FIRST
    for note in order if draw(st.booleans()) else HONEST:
        if draw(st.booleans()):
            try:
                found = extend(found, note)
            except KeyHistoryError:
                continue
    return found


@settings(max_examples=40)
@given(shown(), shown())
def test_what_is_left_out_or_moved_is_no_contradiction(one: KeyHistory, other: KeyHistory) -> None:
    assert fit_together(one, other)
    assert fit_together(one, history(*HONEST))


@pytest.mark.parametrize(
    "said",
    [
        sign_statement(ENDS, old=A, new=B, size=150),  # ended twice
        sign_statement(BEGINS, old=A, new=C, size=100),  # begun twice
        sign_statement(BEGINS, old=A, new=D, size=120),  # by a key that had ended
    ],
)
def test_what_no_history_can_hold_is_one(said: str) -> None:
    known, other = history(*HONEST[:4]), history(HONEST[0], said)
    assert not fit_together(known, other)
    assert not fit_together(other, known)


def test_keys_that_end_each_other_are_one() -> None:
    both = HONEST[:1]
    known = history(*both, sign_statement(ENDS, old=A, new=B, size=200))
    assert not fit_together(known, history(*both, sign_statement(ENDS, old=B, new=A, size=200)))
    assert not fit_together(known, replace(FIRST, ranges=(replace(FIRST.ranges[0], key=B.verifier),)))


def test_a_key_that_ends_may_have_vouched_for_another_just_before() -> None:
    begins = sign_statement(BEGINS, old=A, new=D, size=100)
    assert fit_together(history(HONEST[0], HONEST[2]), history(HONEST[0], begins))
    assert not fit_together(
        history(HONEST[0], HONEST[2]), history(HONEST[0], sign_statement(BEGINS, old=A, new=D, size=101))
    )
