"""What no exporter can honestly say: values beyond these bounds are dropped as not said, and the outcome tells it.

The bounds lie far above any real machine, and far enough below 2**53 for the sums of a window to stay exact.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from audit.collectors.reading import Reading

MOST_COUNTER: Final = 10**15
"""The most that a raw counter holds, in the unit of its name."""

MOST: Final[Mapping[str, int]] = {
    "requests": 10**12,
    "input_tokens": 10**12,
    "output_tokens": 10**12,
    "reasoning_tokens": 10**12,
    "cached_tokens": 10**12,
    "duration_ms": 10**12,
    "util_ppm": 10**6,
    "memory_used_bytes": 10**15,
    "memory_total_bytes": 10**15,
    "power_mw": 10**8,
    "energy_mj": MOST_COUNTER,
    "energy_delta_mj": 10**13,
    "temperature_mc": 10**6,
    "load_milli": 10**9,
}
"""The most that a column of a record holds, whatever its sign; growth is that since the sample before."""


def bound_reading(reading: Reading) -> tuple[Reading, list[str]]:
    """A reading without gauges and counters beyond their bounds, and what was dropped, for people."""
    gauges = {name: value for name, value in reading.gauges.items() if abs(value) <= MOST[name]}
    counts = {name: count for name, count in reading.counts.items() if abs(count.value) <= MOST_COUNTER}
    dropped = [name for name in (*reading.gauges, *reading.counts) if name not in gauges and name not in counts]
    return replace(reading, gauges=gauges, counts=counts), [_told(name, reading) for name in dropped]


def bound_columns(columns: Mapping[str, int | None], reading: Reading) -> tuple[dict[str, int | None], list[str]]:
    """The columns of a reading without those beyond their bounds, and what was dropped, for people."""
    kept = {name: value for name, value in columns.items() if value is None or abs(value) <= MOST[name]}
    return kept, [_told(name, reading) for name in columns if name not in kept]


def summed_up(dropped: list[str]) -> str:
    """One line for the outcome of a slot: empty when nothing was dropped."""
    return f"dropped as implausible: {', '.join(dropped)}" if dropped else ""


def _told(name: str, reading: Reading) -> str:
    return f"{name} of {reading.series}"
