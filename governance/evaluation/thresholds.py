"""Thresholds, what they let pass, and the verdict on a value.

A shape names the values that FAIL: `lt` 0.9 fails what is lower than 0.9, so 0.9 itself passes; `outside` 0.2 and 0.8
fails what lies outside, so both ends pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from governance.evaluation.numbers import NumberRefused, number_text


class ThresholdRefused(ValueError):
    """Limits that make no threshold.

    Attributes:
        field: `shape`, `limit` or `upper`.
        reason: a sentence for the person.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Shape(StrEnum):
    """How the values that fail lie to the limit; the value is stored."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    OUTSIDE = "outside"


class Status(StrEnum):
    """What a value is; `no_threshold` is the absence of a judgement, not a good one."""

    PASSED = "passed"
    FAILED = "failed"
    NO_THRESHOLD = "no_threshold"


SHAPES: Final = tuple(str(shape) for shape in Shape)


@dataclass(frozen=True, slots=True)
class Passing:
    """The values that pass: from `low` to `high`, None where there is no end; an open end does not pass itself."""

    low: Decimal | None = None
    low_open: bool = False
    high: Decimal | None = None
    high_open: bool = False

    def holds(self, value: Decimal) -> bool:
        """Whether a value passes."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below

    @property
    def empty(self) -> bool:
        """Whether nothing passes: thresholds that contradict each other."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def and_also(self, other: "Passing") -> "Passing":
        """What passes both: on each side the stricter end."""
        low = max((self._floor(), other._floor()), key=lambda end: (end[0] is not None, end[0] or 0, end[1]))
        high = min((self._ceiling(), other._ceiling()), key=lambda end: (end[0] is None, end[0] or 0, not end[1]))
        return Passing(*low, *high)

    def bounds(self, whole: "Passing") -> bool:
        """Whether this interval gives `whole`, an intersection with it, one of its ends."""
        low = self.low is not None and self._floor() == whole._floor()
        high = self.high is not None and self._ceiling() == whole._ceiling()
        return low or high

    def _floor(self) -> tuple[Decimal | None, bool]:
        return self.low, self.low_open

    def _ceiling(self) -> tuple[Decimal | None, bool]:
        return self.high, self.high_open


@dataclass(frozen=True, slots=True)
class Threshold:
    """A shape with its limits; `upper` belongs to `outside` alone."""

    shape: Shape
    limit: Decimal
    upper: Decimal | None = None

    @property
    def passing(self) -> Passing:
        """What it lets pass."""
        match self.shape:
            case Shape.GT:
                return Passing(high=self.limit)
            case Shape.GTE:
                return Passing(high=self.limit, high_open=True)
            case Shape.LT:
                return Passing(low=self.limit)
            case Shape.LTE:
                return Passing(low=self.limit, low_open=True)
            case Shape.OUTSIDE:
                return Passing(low=self.limit, high=self.upper)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a value.

    Attributes:
        passing: what all thresholds together let pass.
        governing: positions of the thresholds that give it its ends: the stricter ones.
    """

    status: Status
    passing: Passing
    governing: tuple[int, ...]


def threshold(shape: str, limit: str, upper: str = "") -> Threshold:
    """The threshold that these texts say.

    Raises:
        ThresholdRefused: an unknown shape, no number, an upper limit where none belongs or lower than the limit.
    """
    if shape not in SHAPES:
        raise ThresholdRefused("shape", f"must be one of {', '.join(SHAPES)}.")
    low = _decimal("limit", limit)
    if shape != Shape.OUTSIDE:
        if upper.strip():
            raise ThresholdRefused("upper", "belongs to the shape outside alone.")
        return Threshold(Shape(shape), low)
    high = _decimal("upper", upper)
    if high < low:
        raise ThresholdRefused("upper", "is lower than the limit.")
    return Threshold(Shape.OUTSIDE, low, high)


def judge(value: Decimal, thresholds: Sequence[Threshold]) -> Verdict:
    """The verdict on a value under every threshold that applies: it passes when it passes each of them."""
    if not thresholds:
        return Verdict(Status.NO_THRESHOLD, Passing(), ())
    passing = Passing()
    for item in thresholds:
        passing = passing.and_also(item.passing)
    governing = tuple(place for place, item in enumerate(thresholds) if item.passing.bounds(passing))
    return Verdict(Status.PASSED if passing.holds(value) else Status.FAILED, passing, governing)


def overall(*, passed: int, failed: int) -> Status:
    """What a run is, from how many of its metrics passed and failed."""
    if failed:
        return Status.FAILED
    return Status.PASSED if passed else Status.NO_THRESHOLD


def _decimal(field: str, text: str) -> Decimal:
    try:
        return Decimal(number_text(text))
    except NumberRefused as error:
        raise ThresholdRefused(field, str(error)) from error
