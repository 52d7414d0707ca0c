"""The demo's dcgm-exporter page: two H100 whose energy counters are the integral of the power they show."""

import math
from dataclasses import dataclass
from typing import Final

_LABELS: Final = (
    'gpu="{index}",UUID="{uuid}",pci_bus_id="00000000:{bus}:00.0",device="nvidia{index}",'
    'modelName="NVIDIA H100 80GB HBM3",hostname="node-07",DCGM_FI_DRIVER_VERSION="590.48.01"'
)
_MEAN_WATTS: Final = 410.0
_SWING_WATTS: Final = 190.0
_PERIOD_SECONDS: Final = 37.0
_IDLE_WATTS: Final = 68.0
_TOTAL_MIB: Final = 81_559
_RESERVED_MIB: Final = 602
_FIELDS: Final = (
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (in C)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ)."),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "Total number of PCIe retries."),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %)."),
    ("DCGM_FI_DEV_ENC_UTIL", "gauge", "Encoder utilization (in %)."),
    ("DCGM_FI_DEV_DEC_UTIL", "gauge", "Decoder utilization (in %)."),
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error encountered."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB)."),
    ("DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB)."),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for uncorrectable errors"),
    ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for correctable errors"),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows has failed"),
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active."),
    ("DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the device memory interface is active."),
)


@dataclass(frozen=True, slots=True)
class _Card:
    index: int
    uuid: str
    bus: str
    turn: float
    """Where in its swing the card stands at the start, in radians."""
    used_mib: int

    def watts(self, age: float) -> float:
        return _MEAN_WATTS + _SWING_WATTS * math.sin(2 * math.pi * age / _PERIOD_SECONDS + self.turn)

    def energy(self, age: float) -> int:
        """The counter in mJ: the integral of `watts` since the driver was loaded, at the exporter's start."""
        angular = 2 * math.pi / _PERIOD_SECONDS
        joules = _MEAN_WATTS * age + _SWING_WATTS / angular * (
            math.cos(self.turn) - math.cos(angular * age + self.turn)
        )
        return round(joules * 1_000)


_CARDS: Final = (
    _Card(0, "GPU-6a2c0f4e-93d1-5b77-8e40-1f5d2a9c7b30", "0A", 0.0, 61_214),
    _Card(1, "GPU-b81e5d27-40fa-5c19-9d36-7c02e4f8a164", "18", 1.7, 58_930),
)


def dcgm_page(*, start: float, now: float) -> str:
    """The page at Unix time `now`, of cards whose swing began at `start`. Prometheus text 0.0.4."""
    age = max(0.0, now - start)
    values = {card.index: _values(card, age) for card in _CARDS}
    lines = []
    for name, kind, text in _FIELDS:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for card in _CARDS:
            labels = _LABELS.format(index=card.index, uuid=card.uuid, bus=card.bus)
            lines.append(f"{name}{{{labels}}} {values[card.index][name]}")
    return "\n".join(lines) + "\n"


def _values(card: _Card, age: float) -> dict[str, str]:
    watts = card.watts(age)
    active = max(0.0, min(1.0, (watts - _IDLE_WATTS) / 632))
    return {
        **dict.fromkeys((name for name, _, _ in _FIELDS), "0"),
        "DCGM_FI_DEV_SM_CLOCK": "1980",
        "DCGM_FI_DEV_MEM_CLOCK": "2619",
        "DCGM_FI_DEV_MEMORY_TEMP": str(round(44 + 30 * active)),
        "DCGM_FI_DEV_GPU_TEMP": str(round(36 + 33 * active)),
        "DCGM_FI_DEV_POWER_USAGE": f"{watts:.6f}",
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": str(card.energy(age)),
        "DCGM_FI_DEV_GPU_UTIL": str(round(100 * active)),
        "DCGM_FI_DEV_MEM_COPY_UTIL": str(round(62 * active)),
        "DCGM_FI_DEV_FB_FREE": str(_TOTAL_MIB - _RESERVED_MIB - card.used_mib),
        "DCGM_FI_DEV_FB_USED": str(card.used_mib),
        "DCGM_FI_DEV_FB_RESERVED": str(_RESERVED_MIB),
        "DCGM_FI_PROF_GR_ENGINE_ACTIVE": f"{active:.6f}",
        "DCGM_FI_PROF_DRAM_ACTIVE": f"{0.58 * active:.6f}",
    }
