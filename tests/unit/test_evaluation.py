"""Thresholds: exact decimals, what each shape fails, and that the stricter of several always wins."""

import re
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.evaluation import (
    NUMBER,
    SHAPES,
    NumberRefused,
    Passing,
    Shape,
    Status,
    Threshold,
    ThresholdRefused,
    is_quantised,
    judge,
    number_text,
    overall,
    threshold,
)

NUMBERS = st.integers(-40, 40).map(lambda tenths: Decimal(tenths) / 10)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    shape = Shape(draw(st.sampled_from(SHAPES)))
    low = draw(NUMBERS)
    return Threshold(shape, low, low + abs(draw(NUMBERS)) if shape is Shape.OUTSIDE else None)


def fails(value: Decimal, found: Threshold) -> bool:
    """What a shape says, written down once more without intervals."""
    if found.shape is Shape.OUTSIDE:
        assert found.upper is not None
        return value < found.limit or value > found.upper
    compare = {"gt": value > found.limit, "gte": value >= found.limit, "lt": value < found.limit}
    return compare.get(found.shape, value <= found.limit)


@given(NUMBERS, st.lists(thresholds(), max_size=5))
def test_a_value_passes_when_it_passes_each(value: Decimal, found: list[Threshold]) -> None:
    verdict = judge(value, found)
    if not found:
        assert verdict.status is Status.NO_THRESHOLD
    else:
        assert (verdict.status is Status.FAILED) == any(fails(value, item) for item in found)
        assert verdict.governing, "somebody's limit is the one that counts"
    # The ones that govern decide alone.
    alone = judge(value, [found[place] for place in verdict.governing])
    assert (alone.status, alone.passing) == (verdict.status, verdict.passing)


@given(st.lists(thresholds(), min_size=1, max_size=3), thresholds(), NUMBERS)
def test_order_is_nothing_and_more_thresholds_are_never_milder(
    found: list[Threshold], more: Threshold, value: Decimal
) -> None:
    assert len({judge(value, order).passing for order in permutations(found)}) == 1
    if judge(value, found).status is Status.FAILED:
        assert judge(value, [*found, more]).status is Status.FAILED
    if judge(value, found).passing.empty:
        assert judge(value, [*found, more]).passing.empty
        assert judge(value, found).status is Status.FAILED


@given(thresholds())
def test_the_limit_itself_fails_only_where_the_shape_has_an_equals_sign(found: Threshold) -> None:
    expected = Status.FAILED if found.shape in {Shape.GTE, Shape.LTE} else Status.PASSED
    assert judge(found.limit, [found]).status is expected


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20))
def test_a_number_keeps_its_value_and_its_form(value: Decimal) -> None:
    text = number_text(str(value))
    assert re.fullmatch(NUMBER, text)
    assert Decimal(text) == value
    assert number_text(text) == text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0.900", "0.900"),
        (" +1.5e-3 ", "0.0015"),
        ("-0", "0"),
        ("-0.0", "0.0"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
    ],
)
def test_how_a_number_is_kept(given: str, kept: str) -> None:
    assert number_text(given) == kept


@pytest.mark.parametrize(
    "given", ["", "nan", "Infinity", "1,5", "0x10", "１", "1e99", "1e-40", "9" * 31, "1e100", "1_0", "1" * 80]
)
def test_what_is_no_number(given: str) -> None:
    with pytest.raises(NumberRefused):
        number_text(given)


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        (("above", "1"), "shape"),
        (("lt", "x"), "limit"),
        (("lt", "1", "2"), "upper"),
        (("outside", "1"), "upper"),
        (("outside", "2", "1.9"), "upper"),
    ],
)
def test_limits_that_make_no_threshold(texts: tuple[str, ...], field: str) -> None:
    with pytest.raises(ThresholdRefused) as caught:
        threshold(*texts)
    assert caught.value.field == field
    assert caught.value.reason


def test_thresholds_that_contradict_each_other_let_nothing_pass() -> None:
    verdict = judge(Decimal("0.5"), [threshold("lt", "0.9"), threshold("gt", "0.1"), threshold("outside", "0", "1")])
    assert verdict.passing.empty
    assert (verdict.status, verdict.governing) == (Status.FAILED, (0, 1))
    assert not Passing(Decimal(1), False, Decimal(1), False).empty


def test_a_run_is_what_its_worst_metric_is() -> None:
    assert overall(passed=3, failed=1) is Status.FAILED
    assert overall(passed=1, failed=0) is Status.PASSED
    assert overall(passed=0, failed=0) is Status.NO_THRESHOLD


def test_which_forms_are_quantised() -> None:
    assert [name for name in ("bf16", "fp16", "fp32", "fp8", "awq", "gguf-q4_k_m") if is_quantised(name)] == [
        "fp8",
        "awq",
        "gguf-q4_k_m",
    ]
