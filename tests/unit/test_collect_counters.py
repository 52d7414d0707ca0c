"""From totals to growth: what is known, what is a lower bound, and what is not known."""

import pytest

from audit.collectors.counters import MAX_SERIES, Seen, from_text, grow, remember, to_text
from audit.collectors.reading import Count, Reading

BEGAN = 1_795_415_457_022_054
SECOND = 1_000_000


def reading(series: str = "a", **counts: Count) -> Reading:
    return Reading(series=series, model="m", counts=counts)


def test_a_series_seen_for_the_first_time_has_no_growth() -> None:
    growth = grow(reading(tokens=Count(100, BEGAN)), None, at_us=BEGAN + SECOND)
    assert (growth.counts, growth.resets, growth.elapsed_ms, growth.before) == ({"tokens": None}, 0, None, {})


@pytest.mark.parametrize(
    ("before", "now", "grown", "resets"),
    [
        (Count(100), Count(100), 0, 0),
        (Count(100), Count(130), 30, 0),
        (Count(100), Count(7), 7, 1),
        (Count(100), Count(0), 0, 1),
        (Count(100, BEGAN), Count(130, BEGAN), 30, 0),
        (Count(100, BEGAN), Count(130, BEGAN + 247 * SECOND), 130, 1),
        (Count(100, BEGAN), Count(100, BEGAN + 247 * SECOND), 100, 1),
        (Count(100, BEGAN), Count(130, BEGAN + 3), 30, 0),
        (Count(100, BEGAN), Count(130), 30, 0),
        (Count(100), Count(130, BEGAN), 30, 0),
    ],
    ids=["same", "more", "less", "zero", "same process", "new process", "new process, same value", "rounding",
         "created gone", "created new"],
)  # fmt: skip
def test_growth(before: Count, now: Count, grown: int, resets: int) -> None:
    growth = grow(reading(tokens=now), Seen(BEGAN, {"tokens": before}), at_us=BEGAN + 15 * SECOND)
    assert growth.counts == {"tokens": grown}
    assert (growth.resets, growth.elapsed_ms) == (resets, 15_000)
    assert growth.before == {"tokens": before}


def test_the_restart_that_was_observed() -> None:
    """vLLM 0.32: 100 tokens, restart, 7 tokens, and `_created` moved."""
    seen = Seen(BEGAN, {"output": Count(100, 1_795_415_457_022_180)})
    growth = grow(reading(output=Count(7, 1_795_415_704_494_268)), seen, at_us=BEGAN + 300 * SECOND)
    assert (growth.counts, growth.resets) == ({"output": 7}, 1)


def test_a_counter_new_on_a_known_series_counts_only_when_it_says_that_it_began_since() -> None:
    seen = Seen(BEGAN, {"tokens": Count(1)})
    later = BEGAN + 15 * SECOND
    assert grow(reading(tokens=Count(1), aborts=Count(3)), seen, at_us=later).counts["aborts"] is None
    assert grow(reading(aborts=Count(3, BEGAN - 1)), seen, at_us=later).counts["aborts"] is None
    assert grow(reading(aborts=Count(3, BEGAN + SECOND)), seen, at_us=later).counts["aborts"] == 3


def test_memory_survives_being_written_down() -> None:
    memory = remember({}, [reading("a", x=Count(1, 2), y=Count(3)), reading("b", x=Count(2**53 - 1))], at_us=7)
    assert from_text(to_text(memory)) == memory
    assert from_text("{}") == {}


def test_a_series_that_was_away_is_compared_with_when_it_was_last_seen() -> None:
    memory = remember({}, [reading("a", x=Count(10)), reading("b", x=Count(5))], at_us=1_000_000)
    memory = remember(memory, [reading("a", x=Count(20))], at_us=2_000_000)
    assert grow(reading("b", x=Count(9)), memory["b"], at_us=3_000_000).elapsed_ms == 2_000
    assert memory["a"].counts == {"x": Count(20)}


def test_memory_does_not_grow_without_end() -> None:
    memory = remember({}, [reading(f"old{number}", x=Count(1)) for number in range(MAX_SERIES)], at_us=1)
    memory = remember(memory, [reading(f"new{number}", x=Count(1)) for number in range(10)], at_us=2)
    assert len(memory) == MAX_SERIES
    assert all(f"new{number}" in memory for number in range(10))
