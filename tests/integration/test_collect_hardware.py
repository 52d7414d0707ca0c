"""GPU samples from dcgm-exporter and nvidia_gpu_exporter, and this host: units, blanks, what is not said."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from audit.models import HardwareSample
from tests.absence import needs_shared
from tests.integration.collecting import INTERVAL, Pages, collect, gpu, outcomes, serving, target, whole_slot

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=INTERVAL)


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as server:
        yield server


@pytest.fixture
def now() -> datetime:
    return whole_slot()


def sample() -> HardwareSample:
    return HardwareSample.objects.latest("observed_at")


def test_units_of_a_board(pages: Pages, now: datetime) -> None:
    page = gpu(
        POWER_USAGE="412.250000", GPU_TEMP=61, GPU_UTIL=87, FB_USED=61214, FB_FREE=19743, FB_RESERVED=602,
        TOTAL_ENERGY_CONSUMPTION=48_211_905_377,
    )  # fmt: skip
    target(pages.say("/metrics", page), kind="dcgm", now=now)
    collect(now)
    row = sample()
    assert (row.power_mw, row.temperature_mc, row.util_ppm) == (412_250, 61_000, 870_000)
    assert (row.memory_used_bytes, row.memory_total_bytes) == (61_214 << 20, 81_559 << 20)
    assert (row.energy_mj, row.energy_delta_mj) == (48_211_905_377, None)
    assert (row.series, row.device_model, row.node) == ("GPU-1", "NVIDIA H100", "node-07")


def test_energy_grows_and_begins_anew_with_the_driver(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", gpu(TOTAL_ENERGY_CONSUMPTION=5_000_000)), kind="dcgm", now=now)
    collect(now)
    pages.say("/metrics", gpu(TOTAL_ENERGY_CONSUMPTION=9_100_000))
    collect(now + STEP)
    assert (sample().energy_delta_mj, sample().resets, sample().elapsed_ms) == (4_100_000, 0, INTERVAL * 1000)
    pages.say("/metrics", gpu(TOTAL_ENERGY_CONSUMPTION=70_000))
    collect(now + 2 * STEP)
    assert (sample().energy_delta_mj, sample().resets) == (70_000, 1)


@pytest.mark.parametrize("blank", [9_223_372_036_854_775_794, 140_737_488_355_328, 2_147_483_632, 2_147_483_634])
def test_blanks_are_absent_not_values(pages: Pages, now: datetime, blank: int) -> None:
    page = gpu(POWER_USAGE=blank, GPU_TEMP=blank, GPU_UTIL=12, FB_USED=blank)
    target(pages.say("/metrics", page), kind="dcgm", now=now)
    collect(now)
    row = sample()
    assert (row.power_mw, row.temperature_mc, row.memory_used_bytes, row.util_ppm) == (None, None, None, 120_000)


def test_a_page_of_blanks_only_is_a_missed_slot(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", gpu(POWER_USAGE="NaN", GPU_TEMP=9_223_372_036_854_775_794)), kind="dcgm", now=now)
    collect(now)
    assert HardwareSample.objects.count() == 0
    assert [(outcome == "ok", rows) for outcome, rows in outcomes()] == [(False, 0)]


def test_board_values_of_mig_instances_and_shared_cards_count_once(pages: Pages, now: datetime) -> None:
    page = b"".join(
        f'DCGM_FI_DEV_POWER_USAGE{{UUID="GPU-1",GPU_I_ID="{instance}",pod="{pod}"}} 300\n'
        f'DCGM_FI_DEV_FB_USED{{UUID="GPU-1",GPU_I_ID="{instance}",pod="{pod}"}} {instance}000\n'.encode()
        for instance, pod in ((1, "a"), (1, "b"), (2, "c"))
    )
    target(pages.say("/metrics", page), kind="dcgm", now=now)
    collect(now)
    rows = list(HardwareSample.objects.all())
    assert [row.power_mw for row in rows if row.power_mw is not None] == [300_000]
    assert sorted(row.memory_used_bytes >> 20 for row in rows if row.memory_used_bytes is not None) == [1000, 2000]


def test_the_host_label_may_be_spelled_either_way(pages: Pages, now: datetime) -> None:
    body = needs_shared("samples", "dcgm", "t4_driver460_Hostname-label.txt").read_bytes()
    target(pages.say("/metrics", body), kind="dcgm", now=now)
    collect(now)
    row = sample()
    assert (row.node, row.device_model, row.energy_mj) == ("424773df46e0", "Tesla T4", 128_996_013)
    assert (row.power_mw, row.util_ppm, row.memory_used_bytes) == (8_969, 0, 0)


def test_a_real_page_of_nvidia_gpu_exporter(pages: Pages, now: datetime) -> None:
    name = "linux-x86_64__nvidia-h100-80gb-hbm3__590.48.01__load.metrics"
    body = needs_shared("samples", "nvidia_gpu_exporter", name).read_bytes()
    target(pages.say("/metrics", body), kind="nvidia_gpu_exporter", now=now)
    collect(now)
    row = sample()
    assert row.series == "GPU-00000000-0000-0000-0000-000000000000"
    assert row.device_model == "NVIDIA H100 80GB HBM3"
    assert row.power_mw is not None
    assert 100_000 < row.power_mw < 800_000
    assert row.energy_mj is None


def test_this_host_is_measured(now: datetime) -> None:
    target("", kind="host", name="this host", subject="", now=now)
    collect(now)
    row = HardwareSample.objects.get(series="host")
    assert row.memory_used_bytes is not None
    assert row.memory_total_bytes is not None
    assert 0 < row.memory_used_bytes < row.memory_total_bytes
    assert row.load_milli is not None
    assert row.node != ""
    assert outcomes()[0][0] == "ok"
