"""One measured figure, as the line that `./quickstart bench` prints."""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.arithmetic import spread
from bench.durability import machine


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure beside its baseline, both measured in this run.

    Attributes:
        name: stable name of the figure.
        value, baseline: in `unit`.
        ratio: value / baseline (for rates: above 1 is faster than the baseline).
        target: the ratio to reach, or None where none is set.
        met: whether it was reached, or None without a target.
        rounds: spread of what was measured in the rounds, by side.
        parts: further numbers that the figure is made of or is to be read with.
    """

    name: str
    value: float | None
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None
    rounds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)

    def print(self) -> None:
        """One JSON object on one line of standard output, with what must be known of the machine."""
        sys.stdout.write(json.dumps({**asdict(self), "machine": machine()}) + "\n")
        sys.stdout.flush()


def rate(
    name: str,
    ours: Sequence[float],
    baseline: Sequence[float],
    unit: str,
    *,
    target: float | None,
    parts: Mapping[str, Any] | None = None,
) -> Figure:
    """The median of our rounds over the median of the baseline's; it should be at least `target`."""
    return _compare(name, ours, baseline, unit, target=target, parts=parts, more_is_better=True)


def growth(
    name: str,
    large: Sequence[float],
    small: Sequence[float],
    unit: str,
    *,
    target: float | None,
    parts: Mapping[str, Any] | None = None,
) -> Figure:
    """The median on a large log over the median on a small one; it should be at most `target`."""
    return _compare(name, large, small, unit, target=target, parts=parts, more_is_better=False)


def _compare(
    name: str,
    ours: Sequence[float],
    baseline: Sequence[float],
    unit: str,
    *,
    target: float | None,
    parts: Mapping[str, Any] | None,
    more_is_better: bool,
) -> Figure:
    value, base = statistics.median(ours), statistics.median(baseline)
    ratio = value / base
    met = None if target is None else (ratio >= target if more_is_better else ratio <= target)
    pairs = [a / b for a, b in zip(ours, baseline, strict=True)]
    rounds = {"value": spread(ours), "baseline": spread(baseline), "ratio": spread(pairs)}
    return Figure(name, round(value, 3), unit, round(base, 3), round(ratio, 3), target, met, rounds, parts or {})


def progress(text: str) -> None:
    """A line on standard error, so that standard output stays one JSON object a line."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
