"""What a window says in sum. Pure: rows in, facts out; integers only, None where nobody said anything."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

USAGE_FIELDS: Final = ("requests", "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens")
ENERGY_TOLERANCE_PERCENT: Final = 25
MAX_MODELS: Final = 20
HOST_SERIES: Final = "host"
EXACT: Final = 2**53 - 1
"""The largest whole number that every reader of JSON holds exactly."""

Facts = dict[str, Any]


class UsageRow(Protocol):
    """The columns of a usage record that are summed."""

    method: str
    model: str
    requests: int | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    resets: int


class HardwareRow(Protocol):
    """The columns of a hardware sample that are summed."""

    series: str
    node: str
    device_model: str
    util_ppm: int | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    power_mw: int | None
    energy_mj: int | None
    energy_delta_mj: int | None
    temperature_mc: int | None
    load_milli: int | None
    elapsed_ms: int | None
    resets: int


def usage_facts(rows: Sequence[UsageRow]) -> Facts:
    """Totals of a usage window.

    An engine's counters and the requests that pipelines report are two views of the same traffic. Both sums
    are told (`counted`, `reported`); `totals` takes the larger of the two in each field, which is a lower
    bound of what happened and keeps every subset (reasoning of output, cached of input) a subset.
    """
    counted = _sums(row for row in rows if row.method == "counter")
    reported = _sums(row for row in rows if row.method == "request")
    models = sorted({row.model for row in rows if row.model})
    return {
        "counted": counted,
        "models": models[:MAX_MODELS],
        "reasoning_tokens_max": _max(row.reasoning_tokens for row in rows if row.method == "request"),
        "reported": reported,
        "resets": sum(row.resets for row in rows),
        "totals": {field: _max((counted[field], reported[field])) for field in USAGE_FIELDS},
    }


def _sums(rows: Iterable[UsageRow]) -> dict[str, int | None]:
    sums: dict[str, int | None] = dict.fromkeys(USAGE_FIELDS)
    for row in rows:
        for field in USAGE_FIELDS:
            value: int | None = getattr(row, field)
            if value is not None:
                sums[field] = (sums[field] or 0) + value
    return sums


def hardware_facts(rows: Sequence[HardwareRow]) -> Facts:
    """Totals of a hardware window, and the same for each device.

    Energy is the growth of the devices' own counters. Power of the node is the sum of its devices' means and
    maxima; the peak of memory is the sum of the devices' peaks, which need not have fallen together. Where a
    host shows GPUs, the totals are those of its GPUs: main memory and GPU memory do not add up to anything.
    """
    by_device: defaultdict[str, list[HardwareRow]] = defaultdict(list)
    for row in rows:
        by_device[row.series].append(row)
    devices = [_device(series, samples) for series, samples in sorted(by_device.items())]
    summed = [device for device in devices if device["device"] != HOST_SERIES] or devices
    return {
        "devices": devices,
        "resets": sum(row.resets for row in rows),
        "totals": {
            "devices": len(summed),
            "energy_mj": _sum(device["energy_mj"] for device in summed),
            "memory_peak_bytes": _sum(device["memory_bytes"]["max"] for device in summed),
            "memory_total_bytes": _sum(device["memory_bytes"]["total"] for device in summed),
            "power_max_mw": _sum(device["power_mw"]["max"] for device in summed),
            "power_mean_mw": _sum(device["power_mw"]["mean"] for device in summed),
            "utilisation_mean_ppm": _mean(device["utilisation_ppm"]["mean"] for device in summed),
        },
    }


def _device(series: str, rows: Sequence[HardwareRow]) -> Facts:
    last = rows[-1]
    return {
        "device": series,
        "energy": energy_facts(rows),
        "energy_mj": _sum(row.energy_delta_mj for row in rows),
        "load_milli": {"max": _max(row.load_milli for row in rows)},
        "memory_bytes": {
            "max": _max(row.memory_used_bytes for row in rows),
            "total": _max(row.memory_total_bytes for row in rows),
        },
        "model": last.device_model,
        "node": last.node,
        "power_mw": {"max": _max(row.power_mw for row in rows), "mean": _mean(row.power_mw for row in rows)},
        "samples": len(rows),
        "temperature_mc": {"max": _max(row.temperature_mc for row in rows)},
        "utilisation_ppm": {"max": _max(row.util_ppm for row in rows), "mean": _mean(row.util_ppm for row in rows)},
    }


def energy_facts(rows: Sequence[HardwareRow]) -> Facts:
    """The energy counter against power: raw ends, and whether the growth is what the power would give.

    `expected_mj` is the sum of power (mW) times the time since the sample before (s), over the samples that
    have both and a growth. `plausible` is None when there are fewer than two, false when measured and expected
    differ by more than `ENERGY_TOLERANCE_PERCENT`: some devices count what they do not draw.
    """
    counts = [row.energy_mj for row in rows if row.energy_mj is not None]
    grown = [
        (row.energy_delta_mj, row.power_mw * row.elapsed_ms)
        for row in rows
        if row.energy_delta_mj is not None and row.power_mw is not None and row.elapsed_ms is not None
    ]
    expected = sum(product for _delta, product in grown) // 1_000
    measured = sum(delta for delta, _product in grown)
    judged = len(grown) >= 2 and expected > 0
    return {
        "expected_mj": expected if grown else None,
        "first_mj": counts[0] if counts else None,
        "last_mj": counts[-1] if counts else None,
        "plausible": abs(measured - expected) * 100 <= expected * ENERGY_TOLERANCE_PERCENT if judged else None,
    }


def _present(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _sum(values: Iterable[int | None]) -> int | None:
    present = _present(values)
    return sum(present) if present else None


def _max(values: Iterable[int | None]) -> int | None:
    return max(_present(values), default=None)


def _mean(values: Iterable[int | None]) -> int | None:
    present = _present(values)
    # Half up: every verifier can follow integer arithmetic.
    return (2 * sum(present) + len(present)) // (2 * len(present)) if present else None


def exact(facts: Mapping[str, Any]) -> Facts:
    """Facts as the ledger can hold them: a whole number beyond 2**53 - 1 as a decimal string."""
    return {name: _exact(value) for name, value in facts.items()}


def _exact(value: Any) -> Any:
    if isinstance(value, Mapping):
        return exact(value)
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > EXACT else value
