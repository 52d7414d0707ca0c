"""This host: processor, memory, load, and its NVIDIA GPUs where NVML answers."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psutil
import pynvml

from audit.collectors.dcgm import energy_columns
from audit.collectors.reading import Count, Reading
from audit.formats import Sample, scaled
from audit.models import RecordKind

SERIES: Final = "host"
_BUSY: Final = "cpu_busy_ms"
_TOTAL: Final = "cpu_total_ms"
_NOT_BUSY: Final = frozenset({"idle", "iowait", "guest", "guest_nice"})


class HostCollector:
    """The machine that the worker runs on. Nothing is fetched: `read` asks the operating system."""

    records = RecordKind.HARDWARE
    wanted: frozenset[str] = frozenset()

    def read(self, samples: Sequence[Sample] = ()) -> list[Reading]:
        """One reading of the host and one of each GPU that NVML shows."""
        node = platform.node()
        return [_host(node), *_gpus(node)]

    def columns(self, reading: Reading, growth: Mapping[str, int | None]) -> Mapping[str, int | None]:
        """See `Collector.columns`. The host's use is busy processor time over all of it since the sample before."""
        if reading.series != SERIES:
            return energy_columns(reading, growth)
        busy, total = growth.get(_BUSY), growth.get(_TOTAL)
        if busy is None or not total or busy > total:
            return reading.gauges
        return {**reading.gauges, "util_ppm": busy * 1_000_000 // total}


def _host(node: str) -> Reading:
    times = psutil.cpu_times()
    # Guest time is inside user time already, and the kernel's iowait can go backwards.
    busy = sum(value for name, value in times._asdict().items() if name not in _NOT_BUSY)
    memory = psutil.virtual_memory()
    gauges = {"memory_used_bytes": memory.total - memory.available, "memory_total_bytes": memory.total}
    if (load := scaled(os.getloadavg()[0], 1_000)) is not None:
        gauges["load_milli"] = load
    return Reading(
        series=SERIES,
        model=platform.machine(),
        node=node,
        gauges=gauges,
        counts={_BUSY: Count(round(busy * 1000)), _TOTAL: Count(round((busy + times.idle) * 1000))},
    )


def _gpus(node: str) -> list[Reading]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []  # no driver: this host has no GPU to speak of
    try:
        return [_gpu(pynvml.nvmlDeviceGetHandleByIndex(n), node) for n in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _gpu(handle: object, node: str) -> Reading:
    memory = _said(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    utilisation = _said(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    celsius = _said(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    energy = _said(lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))
    values = {
        "power_mw": _said(lambda: pynvml.nvmlDeviceGetPowerUsage(handle)),
        "util_ppm": None if utilisation is None else utilisation * 10_000,
        "temperature_mc": None if celsius is None else celsius * 1_000,
        "memory_used_bytes": None if memory is None else memory.used,
        "memory_total_bytes": None if memory is None else memory.total,
    }
    return Reading(
        series=pynvml.nvmlDeviceGetUUID(handle),
        model=pynvml.nvmlDeviceGetName(handle),
        node=node,
        gauges={name: int(value) for name, value in values.items() if value is not None},
        counts={} if energy is None else {"energy_mj": Count(int(energy))},
    )


def _said(ask: Callable[[], Any]) -> Any | None:
    """What a device says, None where it does not support the question."""
    try:
        return ask()
    except pynvml.NVMLError:
        return None
