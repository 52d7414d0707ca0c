"""This host's GPUs: what NVML answers becomes columns, what it does not support stays absent.

No machine of the tests has a GPU, so NVML's answers are given; that it is not there at all is tested for real.
"""

from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from audit.collectors.host import SERIES, HostCollector

ANSWERS: dict[str, Any] = {
    "nvmlInit": None,
    "nvmlShutdown": None,
    "nvmlDeviceGetCount": 1,
    "nvmlDeviceGetHandleByIndex": object(),
    "nvmlDeviceGetUUID": "GPU-1",
    "nvmlDeviceGetName": "NVIDIA H100 80GB HBM3",
    "nvmlDeviceGetPowerUsage": 612_345,
    "nvmlDeviceGetTotalEnergyConsumption": 48_241_693_260,
    "nvmlDeviceGetTemperature": 61,
    "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=81, memory=40),
    "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=64_187_531_264, total=85_520_809_984),
}


def answer(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    def says(value: object) -> Any:
        def function(*_arguments: object) -> object:
            if isinstance(value, Exception):
                raise value
            return value

        return function

    for name, value in {**ANSWERS, **changes}.items():
        monkeypatch.setattr(pynvml, name, says(value))


def test_a_gpu_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch)
    host, gpu = HostCollector().read()
    assert host.series == SERIES
    assert (gpu.series, gpu.model, gpu.node) == ("GPU-1", "NVIDIA H100 80GB HBM3", host.node)
    assert gpu.gauges == {
        "power_mw": 612_345,
        "util_ppm": 810_000,
        "temperature_mc": 61_000,
        "memory_used_bytes": 64_187_531_264,
        "memory_total_bytes": 85_520_809_984,
    }
    columns = HostCollector().columns(gpu, {"energy_mj": 5})
    assert (columns["energy_mj"], columns["energy_delta_mj"]) == (48_241_693_260, 5)


def test_what_a_gpu_does_not_support_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    unsupported = pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
    answer(
        monkeypatch,
        nvmlDeviceGetTotalEnergyConsumption=unsupported,
        nvmlDeviceGetUtilizationRates=unsupported,
        nvmlDeviceGetTemperature=unsupported,
        nvmlDeviceGetMemoryInfo=unsupported,
    )
    _host, gpu = HostCollector().read()
    assert dict(gpu.gauges) == {"power_mw": 612_345}
    assert HostCollector().columns(gpu, {})["energy_mj"] is None


def test_a_gpu_that_falls_off_the_bus_leaves_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, nvmlDeviceGetHandleByIndex=pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST))
    assert [reading.series for reading in HostCollector().read()] == [SERIES]
