"""One measured figure, as the line that `./quickstart bench` prints."""

import json
import sys
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure beside its baseline, both measured in this run.

    Attributes:
        name: stable name of the figure.
        value, baseline: in `unit`.
        ratio: value / baseline (for rates: above 1 is faster than the baseline).
        target: the ratio to reach, or None where none is set.
        met: whether it was reached, or None without a target.
    """

    name: str
    value: float | None
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None

    def print(self) -> None:
        """One JSON object on one line of standard output."""
        sys.stdout.write(json.dumps(asdict(self)) + "\n")
        sys.stdout.flush()


def rate(name: str, value: float, baseline: float, unit: str, *, target: float | None) -> Figure:
    """A figure whose ratio should be at least `target`."""
    ratio = value / baseline
    met = None if target is None else ratio >= target
    return Figure(name, round(value, 1), unit, round(baseline, 1), round(ratio, 3), target, met)


def progress(text: str) -> None:
    """A line on standard error, so that standard output stays one JSON object a line."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
