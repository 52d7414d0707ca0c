"""Totals of windows: absent is not zero, subsets stay subsets, energy is held against power."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from audit.windows.totals import USAGE_FIELDS, energy_facts, hardware_facts, usage_facts

NOTHING: dict[str, Any] = dict.fromkeys(USAGE_FIELDS)


def usage(method: str, **values: int | None) -> Any:
    return SimpleNamespace(**{"method": method, "model": "m", "resets": 0, **NOTHING, **values})


def sample(series: str = "GPU-1", **values: int | None) -> Any:
    empty = dict.fromkeys(
        (
            "util_ppm", "memory_used_bytes", "memory_total_bytes", "power_mw", "energy_mj", "energy_delta_mj",
            "temperature_mc", "load_milli", "elapsed_ms",
        )
    )  # fmt: skip
    return SimpleNamespace(**{"series": series, "node": "n", "device_model": "H100", "resets": 0, **empty, **values})


def test_what_nobody_said_is_absent_and_zero_is_zero() -> None:
    assert usage_facts([])["totals"] == NOTHING
    assert usage_facts([usage("counter", requests=0)])["totals"] == NOTHING | {"requests": 0}
    assert usage_facts([usage("counter")])["reasoning_tokens_max"] is None


def test_two_views_of_the_same_traffic_are_not_added() -> None:
    told = usage_facts(
        [
            usage("counter", requests=9, input_tokens=900, output_tokens=100),
            usage("request", requests=1, input_tokens=50, output_tokens=400, reasoning_tokens=300),
            usage("request", requests=1, input_tokens=60, output_tokens=50, reasoning_tokens=20),
        ]
    )
    assert told["totals"] == {
        "requests": 9,
        "input_tokens": 900,
        "output_tokens": 450,
        "reasoning_tokens": 320,
        "cached_tokens": None,
    }
    assert told["counted"]["output_tokens"] == 100
    assert told["reported"]["output_tokens"] == 450
    assert told["reasoning_tokens_max"] == 300


AMOUNT = st.integers(0, 1_000)


@given(st.lists(st.tuples(st.sampled_from(["counter", "request"]), AMOUNT, AMOUNT, AMOUNT, AMOUNT), max_size=8))
def test_a_subset_stays_a_subset(rows: list[tuple[str, int, int, int, int]]) -> None:
    made = [
        usage(method, input_tokens=a + b, cached_tokens=b, output_tokens=c + d, reasoning_tokens=d)
        for method, a, b, c, d in rows
    ]
    totals = usage_facts(made)["totals"]
    assert (totals["reasoning_tokens"] or 0) <= (totals["output_tokens"] or 0)
    assert (totals["cached_tokens"] or 0) <= (totals["input_tokens"] or 0)


def test_a_node_is_the_sum_of_its_devices() -> None:
    told = hardware_facts(
        [
            sample("GPU-1", power_mw=300_000, memory_used_bytes=5, util_ppm=100_000),
            sample("GPU-1", power_mw=500_001, memory_used_bytes=7, util_ppm=200_000),
            sample("GPU-2", power_mw=100_000, energy_delta_mj=40, memory_used_bytes=1),
        ]
    )
    first, second = told["devices"]
    assert first["power_mw"] == {"max": 500_001, "mean": 400_001}
    assert (first["energy_mj"], second["energy_mj"]) == (None, 40)
    assert told["totals"] == {
        "devices": 2,
        "energy_mj": 40,
        "memory_peak_bytes": 8,
        "memory_total_bytes": None,
        "power_max_mw": 600_001,
        "power_mean_mw": 500_001,
        "utilisation_mean_ppm": 150_000,
    }


def test_main_memory_and_gpu_memory_are_not_added() -> None:
    rows = [sample("host", memory_used_bytes=1 << 40), sample("GPU-1", memory_used_bytes=3)]
    assert hardware_facts(rows)["totals"]["memory_peak_bytes"] == 3
    assert hardware_facts(rows[:1])["totals"]["memory_peak_bytes"] == 1 << 40


def test_energy_that_power_cannot_explain_is_not_plausible() -> None:
    def rows(delta: int) -> list[Any]:
        return [sample(power_mw=500_000, energy_delta_mj=delta, energy_mj=n, elapsed_ms=2_000) for n in (7, 8)]

    assert energy_facts(rows(1_000_000)) == {
        "expected_mj": 2_000_000,
        "first_mj": 7,
        "last_mj": 8,
        "plausible": True,
    }
    assert energy_facts(rows(1_250_000))["plausible"] is True
    assert energy_facts(rows(1_251_000))["plausible"] is False
    assert energy_facts(rows(0))["plausible"] is False
    assert energy_facts(rows(1_000_000)[:1])["plausible"] is None
    assert energy_facts([sample(power_mw=1)]) == {
        "expected_mj": None,
        "first_mj": None,
        "last_mj": None,
        "plausible": None,
    }
