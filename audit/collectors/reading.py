"""What a collector takes from one answer of a target, and the promise all collectors keep."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from audit.formats import Sample
from audit.models import RecordKind


class MetricsMissing(Exception):
    """The target answered, but not with what its kind always shows; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Count:
    """A counter as the target shows it.

    Attributes:
        value: amount since it began, in the unit of its name.
        began_us: when it began (`_created`), microseconds of Unix time; None when the target does not say.
    """

    value: int
    began_us: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One series of a target: an engine and its model, a device, or the host.

    Attributes:
        series: unique in the target and the same from one slot to the next.
        model: model name, or device model.
        node: machine that the device stands in; empty when not said.
        gauges: column names of the record table to what holds now. Absent: the source did not say.
        counts: counters by name.
    """

    series: str
    model: str
    node: str = ""
    gauges: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Count] = field(default_factory=dict)


class Collector(Protocol):
    """Knows one kind of target: which names to ask its page for, and what they mean."""

    @property
    def records(self) -> RecordKind:
        """Which table the readings belong to."""

    @property
    def wanted(self) -> Collection[str]:
        """Full sample names to keep of a page."""

    def read(self, samples: Sequence[Sample]) -> list[Reading]:
        """The readings of a page.

        Raises:
            MetricsMissing: no reading can be made, or one that would pass an absent value off as zero.
        """

    def columns(self, reading: Reading, growth: Mapping[str, int | None]) -> Mapping[str, int | None]:
        """Record columns of a reading, given how much each of its counters grew (None: not known)."""
