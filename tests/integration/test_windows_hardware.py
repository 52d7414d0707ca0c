"""Hardware windows: what each device drew, held and did, with its energy counter held against its power."""

import pytest

from audit import queries
from audit.models import RecordKind, Target, TargetKind
from audit.tlog.tree import leaf_hashes, root_of
from audit.windows import seal_windows
from tests.integration import telemetry_story as story
from tests.integration.telemetry_story import DUE, SECOND, START

HARDWARE = RecordKind.HARDWARE


def sealed(target: Target) -> queries.WindowRow:
    """The one hardware window of a target's subject."""
    (row,) = queries.windows(target.subject, HARDWARE)
    return row


@pytest.mark.django_db
def test_each_device_is_told() -> None:
    target = story.target(story.subject(), kind=TargetKind.DCGM, interval=5)
    for second, power, memory in ((0, 300_000, 2 << 30), (5, 500_000, 1 << 30)):
        story.slot(target, START + second * SECOND)
        story.sampled(
            target, START + second * SECOND, "GPU-a", power_mw=power, energy_delta_mj=power * 5, memory=memory
        )
        story.sampled(target, START + second * SECOND, "GPU-b", power_mw=power, energy_delta_mj=power * 10)
        story.sampled(target, START + second * SECOND, "GPU-c", power_mw=None, energy_delta_mj=None, util_ppm=None)
    seal_windows(now=DUE)
    window = sealed(target)
    honest, double, silent = window.devices
    assert (honest.name, honest.model, honest.node, honest.samples) == ("GPU-a", "H100", "node-1", 2)
    assert (honest.power_mean_mw, honest.power_max_mw) == (400_000, 500_000)
    assert (honest.memory_peak_bytes, honest.memory_total_bytes) == (2 << 30, 80 << 30)
    assert (honest.util_mean_ppm, honest.util_max_ppm) == (500_000, 500_000)
    assert (honest.energy_mj, honest.energy_expected_mj, honest.energy_plausible) == (4_000_000, 4_000_000, True)
    assert (double.energy_mj, double.energy_plausible) == (8_000_000, False), "flagged, not dropped"
    assert (silent.power_mean_mw, silent.energy_mj, silent.energy_plausible) == (None, None, None)
    assert window.energy_suspect
    assert (window.expected, window.received, window.rows) == (2, 2, 6)
    assert window.root == root_of(leaf_hashes(story.bodies(HARDWARE, target.subject))).hex()


@pytest.mark.django_db
@pytest.mark.parametrize(("percent", "plausible"), [(75, True), (74, False), (125, True), (126, False)])
def test_energy_may_differ_from_power_by_a_quarter(percent: int, plausible: bool) -> None:
    target = story.target(story.subject(), kind=TargetKind.DCGM, interval=5)
    for second in (0, 5):
        story.slot(target, START + second * SECOND)
        story.sampled(target, START + second * SECOND, "GPU-a", power_mw=1_000, energy_delta_mj=50 * percent)
    seal_windows(now=DUE)
    (device,) = sealed(target).devices
    assert (device.energy_expected_mj, device.energy_plausible) == (10_000, plausible)


@pytest.mark.django_db
def test_hardware_of_several_windows_is_summed_up() -> None:
    target = story.target(story.subject(), kind=TargetKind.DCGM, interval=5)
    for number in range(4):
        moment = START + number * 5 * SECOND
        story.slot(target, moment)
        story.sampled(target, moment, "GPU-a", power_mw=(number + 1) * 1_000, energy_delta_mj=7, memory=number)
    seal_windows(now=DUE + 10 * SECOND)
    total = queries.summary(queries.windows(target.subject, HARDWARE))
    assert (total.windows, total.incomplete) == (2, 0)
    assert total.totals == {"energy_mj": 28}
    assert (total.power_max_mw, total.memory_peak_bytes, total.energy_suspect) == (4_000, 3, 2)
    (newest,) = queries.newest_windows(HARDWARE, limit=1)
    assert (newest.subject, newest.start) == (target.subject, START + 10 * SECOND)


def test_nothing_summed_up_is_nothing_said() -> None:
    total = queries.summary([])
    assert (total.windows, total.start, total.totals) == (0, None, {"energy_mj": None})
