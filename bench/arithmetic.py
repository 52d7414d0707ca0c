"""The bench's own arithmetic: percentiles, spread, rounds that take turns."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least `share` (0 to 1) of all values do not exceed.

    Raises ValueError without values or on a share outside 0 to 1.
    """
    if not values or not 0 <= share <= 1:
        raise ValueError("A percentile needs values, and a share from 0 to 1.")
    return sorted(values)[max(1, math.ceil(len(values) * share)) - 1]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Smallest, median and largest of some rounds, and their range over the median in per cent."""
    middle = statistics.median(values)
    return {
        "min": round(min(values), 4),
        "median": round(middle, 4),
        "max": round(max(values), 4),
        "range_percent": round((max(values) - min(values)) / middle * 100, 1) if middle else 0.0,
    }


def alternate(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure all sides in turn, `rounds` times; every second round in reverse, so that none always goes first."""
    results: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        order = list(sides)[:: 1 if number % 2 == 0 else -1]
        for name in order:
            results[name].append(sides[name]())
    return results
