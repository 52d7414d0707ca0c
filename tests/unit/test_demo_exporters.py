"""The demo's exporters: pages in the shape of the real ones, whose counters move and begin anew."""

import re
from itertools import pairwise

import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.exporters.dcgm import dcgm_page
from demo.exporters.engine import LIFETIME_SECONDS, engine_at
from demo.exporters.vllm import vllm_page
from tests.absence import needs_shared

START = 1_795_000_000.0


def values(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """All series of a page, read by the parser that everybody uses."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def series(page: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {labels: value for (found, labels), value in values(page).items() if found == name}


def one(page: str, name: str) -> float:
    (value,) = series(page, name).values()
    return value


def at(seconds: float) -> str:
    return vllm_page(start=START, now=START + seconds)


def test_pages_are_the_same_for_the_same_start_and_time() -> None:
    assert at(17.3) == at(17.3)
    assert at(17.3) != at(19.3)
    assert dcgm_page(start=START, now=START + 5) == dcgm_page(start=START, now=START + 5)


def test_counters_of_the_engine_only_grow_while_its_process_lives() -> None:
    pages = [values(at(seconds)) for seconds in range(0, int(LIFETIME_SECONDS), 3)]
    counters = [key for key in pages[0] if key[0].endswith(("_total", "_count", "_sum", "_bucket"))]
    assert len(counters) > 250
    for before, after in pairwise(pages):
        assert [key for key in counters if after[key] < before[key]] == []
    assert pages[-1]["vllm:generation_tokens_total", (("engine", "0"), ("model_name", "Qwen/Qwen3-8B"))] > 10_000


def test_a_restart_begins_counters_anew_and_moves_created() -> None:
    before, after = at(LIFETIME_SECONDS - 0.1), at(LIFETIME_SECONDS + 4)
    assert 0 < one(after, "vllm:generation_tokens_total") < one(before, "vllm:generation_tokens_total")
    moved = one(after, "vllm:generation_tokens_created") - one(before, "vllm:generation_tokens_created")
    assert moved == LIFETIME_SECONDS
    assert one(after, "process_start_time_seconds") == START + LIFETIME_SECONDS


def test_what_the_page_says_agrees_with_itself() -> None:
    page = at(30)
    found = values(page)
    labels = (("engine", "0"), ("model_name", "Qwen/Qwen3-8B"))
    ended = sum(series(page, "vllm:request_success_total").values())
    assert ended == one(page, "vllm:e2e_request_latency_seconds_count") > 30
    assert one(page, "vllm:prompt_tokens_total") == sum(series(page, "vllm:prompt_tokens_by_source_total").values())
    assert one(page, "vllm:prompt_tokens_cached_total") == one(page, "vllm:prefix_cache_hits_total")
    for name, where in found:
        if name.endswith("_bucket"):
            rest = tuple(pair for pair in where if pair[0] != "le")
            assert found[name, where] <= found[name.removesuffix("_bucket") + "_count", rest]
            if dict(where)["le"] == "+Inf":
                assert found[name, where] == found[name.removesuffix("_bucket") + "_count", rest]
    assert found["vllm:request_params_n_count", labels] == ended


def test_tokens_of_running_requests_are_counted_as_they_come() -> None:
    for seconds in (2.0, 11.0, 31.5, 44.9):
        engine = engine_at(start=START, now=START + seconds)
        done = sum(request.output for request in engine.done)
        most = done + sum(request.output for request in engine.running)
        assert done <= engine.output <= most
        assert engine.cached <= engine.prompt


def test_a_clock_before_the_start_is_the_start() -> None:
    assert vllm_page(start=START, now=START - 100) == at(0)


def test_every_series_of_a_real_page_is_there() -> None:
    real = needs_shared("samples", "vllm", "restart_1_before.txt").read_text(encoding="utf-8")

    def shape(page: str) -> set[tuple[str, tuple[str, ...]]]:
        kept = re.sub(r'model_name="[^"]*"', 'model_name="m"', page)
        return {(name, tuple(map("=".join, where))) for name, where in values(kept) if not name.startswith("http_")}

    assert shape(at(10)) == shape(real)


@pytest.mark.parametrize("age", [0.0, 3.0, 37.0, 3600.0])
def test_energy_is_the_integral_of_the_power_that_is_shown(age: float) -> None:
    step, count = 0.05, 40
    pages = [dcgm_page(start=START, now=START + age + number * step) for number in range(count + 1)]
    watts = [series(page, "DCGM_FI_DEV_POWER_USAGE") for page in pages]
    # prometheus_client gives a counter the ending that its name lacks
    energy = [series(page, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION_total") for page in (pages[0], pages[-1])]
    assert len(watts[0]) == 2
    for card in watts[0]:
        shown = sum((before[card] + after[card]) / 2 * step for before, after in pairwise(watts)) * 1_000
        counted = energy[1][card] - energy[0][card]
        assert counted == pytest.approx(shown, rel=0.001)


def test_memory_of_a_card_adds_up() -> None:
    page = dcgm_page(start=START, now=START + 12)
    parts = [series(page, f"DCGM_FI_DEV_FB_{part}") for part in ("USED", "FREE", "RESERVED")]
    assert {sum(part[card] for part in parts) for card in parts[0]} == {81_559.0}
    assert all(0 <= value <= 100 for value in series(page, "DCGM_FI_DEV_GPU_UTIL").values())
