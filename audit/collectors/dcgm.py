"""dcgm-exporter's page: power, energy, memory, use and temperature of GPU boards and MIG instances.

Board values (power, energy, temperature) are printed again for every MIG instance and every pod that shares a card;
they are taken once for each UUID. Fields that DCGM could not read come as sentinels, not as gaps.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from audit.collectors.reading import Count, MetricsMissing, Reading
from audit.formats import Sample, scaled, whole
from audit.models import RecordKind

_MIB: Final = 1 << 20
_ENERGY: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_BOARD: Final = {
    "DCGM_FI_DEV_POWER_USAGE": ("power_mw", 1_000),
    "DCGM_FI_DEV_GPU_TEMP": ("temperature_mc", 1_000),
    "DCGM_FI_DEV_GPU_UTIL": ("util_ppm", 10_000),
}
_EACH: Final = {
    "DCGM_FI_DEV_FB_USED": ("used", _MIB),
    "DCGM_FI_DEV_FB_FREE": ("free", _MIB),
    "DCGM_FI_DEV_FB_RESERVED": ("reserved", _MIB),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": ("active_ppm", 1_000_000),
}
# dcgm_structs.h: blank, not found, not supported, not permissioned, each for int32, int64 and double.
_BLANK_INT32: Final = 0x7FFFFFF0
_BLANK_DOUBLE: Final = 140_737_488_355_328
_BLANKS: Final = frozenset(start + offset for start in (_BLANK_INT32, _BLANK_DOUBLE) for offset in range(4))


class DcgmCollector:
    """The GPUs of one node, as dcgm-exporter shows them."""

    records = RecordKind.HARDWARE
    wanted = frozenset({_ENERGY, *_BOARD, *_EACH})

    def read(self, samples: Sequence[Sample]) -> list[Reading]:
        """One reading for each board and each MIG instance; see `Collector.read`."""
        raw: dict[str, dict[str, int]] = {}
        about: dict[str, tuple[str, str]] = {}
        for sample in samples:
            board = _uuid(sample.labels)
            if not board:
                continue
            instance = sample.labels.get("GPU_I_ID", "")
            series = f"{board}/{instance}" if instance and sample.name in _EACH else board
            about.setdefault(series, _about(sample.labels))
            if (found := _value(sample)) is not None:
                # The first line wins: more lines of one UUID are the same board under other pods.
                raw.setdefault(series, {}).setdefault(*found)
        if not raw:
            raise MetricsMissing("the page has no value of any GPU that the collector knows")
        return [_reading(series, values, *about[series]) for series, values in sorted(raw.items())]

    def columns(self, reading: Reading, growth: Mapping[str, int | None]) -> Mapping[str, int | None]:
        """See `Collector.columns`."""
        return energy_columns(reading, growth)


def energy_columns(reading: Reading, growth: Mapping[str, int | None]) -> Mapping[str, int | None]:
    """Columns of a device: its gauges, its energy counter and that counter's growth."""
    energy = reading.counts.get("energy_mj")
    return {
        **reading.gauges,
        "energy_mj": energy.value if energy else None,
        "energy_delta_mj": growth.get("energy_mj"),
    }


def _value(sample: Sample) -> tuple[str, int] | None:
    if sample.name == _ENERGY:
        energy = whole(sample.value)
        return None if energy is None or energy < 0 or energy in _BLANKS else ("energy_mj", energy)
    if sample.value >= _BLANK_INT32:
        return None
    name, factor = _BOARD.get(sample.name) or _EACH[sample.name]
    value = scaled(sample.value, factor)
    return None if value is None or (value < 0 and name != "temperature_mc") else (name, value)


def _reading(series: str, values: Mapping[str, int], model: str, node: str) -> Reading:
    gauges = {name: values[name] for name in ("power_mw", "temperature_mc", "util_ppm") if name in values}
    if "util_ppm" not in gauges and "active_ppm" in values:
        gauges["util_ppm"] = values["active_ppm"]
    if "used" in values:
        gauges["memory_used_bytes"] = values["used"]
        if "free" in values:
            gauges["memory_total_bytes"] = values["used"] + values["free"] + values.get("reserved", 0)
    counts = {"energy_mj": Count(values["energy_mj"])} if "energy_mj" in values else {}
    return Reading(series=series, model=model, node=node, gauges=gauges, counts=counts)


def _uuid(labels: Mapping[str, str]) -> str:
    return labels.get("UUID") or labels.get("uuid", "")


def _about(labels: Mapping[str, str]) -> tuple[str, str]:
    """Device model and node; the node's label was renamed in 2026."""
    return labels.get("modelName", ""), labels.get("hostname") or labels.get("Hostname", "")
