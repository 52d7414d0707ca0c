"""nvidia_gpu_exporter's page: what `nvidia-smi --query-gpu` says, in base units. It has no energy counter."""

from collections.abc import Mapping, Sequence
from typing import Final

from audit.collectors.dcgm import energy_columns
from audit.collectors.reading import MetricsMissing, Reading
from audit.formats import Sample, scaled
from audit.models import RecordKind

_INFO: Final = "nvidia_smi_gpu_info"
_GAUGES: Final = {
    "nvidia_smi_power_draw_watts": ("power_mw", 1_000),
    "nvidia_smi_utilization_gpu_ratio": ("util_ppm", 1_000_000),
    "nvidia_smi_memory_used_bytes": ("memory_used_bytes", 1),
    "nvidia_smi_memory_total_bytes": ("memory_total_bytes", 1),
    "nvidia_smi_temperature_gpu": ("temperature_mc", 1_000),
}


class NvidiaGpuExporterCollector:
    """The GPUs of one node, as nvidia_gpu_exporter shows them."""

    records = RecordKind.HARDWARE
    wanted = frozenset({_INFO, *_GAUGES})

    def read(self, samples: Sequence[Sample]) -> list[Reading]:
        """One reading for each board; see `Collector.read`."""
        models: dict[str, str] = {}
        gauges: dict[str, dict[str, int]] = {}
        for sample in samples:
            board = sample.labels.get("uuid", "")
            if sample.name == _INFO:
                models[board] = sample.labels.get("name", "")
            elif board:
                name, factor = _GAUGES[sample.name]
                value = scaled(sample.value, factor)
                if value is not None and (value >= 0 or name == "temperature_mc"):
                    gauges.setdefault(board, {})[name] = value
        if not gauges:
            raise MetricsMissing("the page has no value of any GPU that the collector knows")
        return [
            Reading(series=_whole_uuid(board), model=models.get(board, ""), gauges=values)
            for board, values in sorted(gauges.items())
        ]

    def columns(self, reading: Reading, growth: Mapping[str, int | None]) -> Mapping[str, int | None]:
        """See `Collector.columns`."""
        return energy_columns(reading, growth)


def _whole_uuid(board: str) -> str:
    """The exporter cuts the prefix that every other tool shows."""
    return board if board.startswith("GPU-") else f"GPU-{board}"
