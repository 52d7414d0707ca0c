"""The bench's own arithmetic: a wrong percentile would make every figure of it a lie."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arithmetic import alternate, percentile, spread
from bench.preload import shares
from bench.table import peers_row, row

_VALUES = st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1, max_size=200)


def test_percentile_is_the_nearest_rank() -> None:
    hundred = [float(value) for value in range(100, 0, -1)]
    assert [percentile(hundred, share) for share in (0, 0.5, 0.99, 0.991, 1)] == [1, 50, 99, 100, 100]
    assert percentile([7.0], 0.99) == 7


@given(_VALUES, st.floats(min_value=0, max_value=1))
def test_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= math.ceil(len(values) * share)
    assert sum(value < found for value in values) < max(1, math.ceil(len(values) * share))


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], -0.1), ([1.0], 1.1), ([1.0], math.nan)])
def test_percentile_refuses_what_has_none(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share)


def test_spread_tells_range_over_median() -> None:
    assert spread([8.0, 10.0, 13.0]) == {"min": 8, "median": 10, "max": 13, "range_percent": 50}


def test_rounds_take_turns_and_neither_side_always_goes_first() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = alternate({"ours": lambda: side("ours"), "base": lambda: side("base")}, 3)
    assert order == ["ours", "base", "base", "ours", "ours", "base"]
    assert found == {"ours": [1, 4, 5], "base": [2, 3, 6]}


@given(st.integers(min_value=1, max_value=10_000), st.integers(min_value=1, max_value=64))
def test_shares_cover_all_entries_once(entries: int, processes: int) -> None:
    parts = shares(entries, processes)
    assert [number for first, count in parts for number in range(first, first + count)] == list(range(entries))
    assert len(parts) <= processes
    assert all(count > 0 for _first, count in parts)


def test_table_shows_ratio_range_and_target() -> None:
    numbers = {"value": 1.234, "baseline": 1.0, "ratio": 1.234, "target": 2.0, "met": True}
    figure = {"name": "proof_growth", "unit": "ms", **numbers, "rounds": {"ratio": {"min": 1.1, "max": 1.3}}}
    assert row(figure) == "| `proof_growth` | 1.23 ms | 1 ms | 1.23 (1.10 to 1.30) | 2 | yes |"
    beside = {"name": "peers_missed", "unit": "rows", "parts": {"assay": False, "none": None, "pymerkle": 12345}}
    assert peers_row(beside) == "| `peers_missed` | rows | no | - | - | - | - | 12,345 |"
