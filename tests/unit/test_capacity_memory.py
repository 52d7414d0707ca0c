"""Memory of inference: exact cache sizes, hard rules of splitting, verdicts with a band, measured rows."""

import csv
import json
from dataclasses import replace
from fractions import Fraction
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.capacity.__main__ import main
from governance.capacity.catalogue import gpu_named, gpus, model_named, models
from governance.capacity.dtypes import KV_DTYPES, WEIGHT_DTYPES, weight_dtype, whole_bytes
from governance.capacity.engines import ENGINES
from governance.capacity.facts import GIB, FactsRefused
from governance.capacity.memory import FitResult, estimate_inference
from governance.capacity.split import kv_heads_per_card, split_over, stage_layers
from tests.absence import needs_shared

H100 = gpu_named("H100 SXM5").facts


def fit(name: str, **other: object) -> FitResult:
    arguments: dict[str, Any] = {"gpu": H100, "gpu_count": 1, "context": 8192, **other}
    return estimate_inference(model_named(name).facts, **arguments)


def part(result: FitResult, name: str) -> int:
    return next(term.bytes for term in result.terms if term.name == name)


def test_adapters_are_added_to_the_weights() -> None:
    plain, loaded = fit("Llama 3.1 8B"), fit("Llama 3.1 8B", adapters=[1000, None])
    assert part(loaded, "adapters") == 1000
    assert loaded.need_bytes == plain.need_bytes + 1000
    assert any("1 of 2 adapters" in line for line in loaded.assumptions)
    assert fit("Llama 3.1 8B", adapters=[]) == plain
    unread = fit("Llama 3.1 8B", adapters=[None])
    assert unread.need_bytes == plain.need_bytes
    assert all(term.name != "adapters" for term in unread.terms)


@pytest.mark.parametrize(
    ("name", "per_token"),
    [
        ("Llama 3.1 8B", 131_072),
        ("Llama 3.1 70B", 327_680),
        ("Llama 3.1 405B", 516_096),
        ("DeepSeek-V3 / R1 671B", 70_272),
        ("Qwen3 32B", 262_144),
        ("Falcon 7B", 8_192),
    ],
)
def test_cache_of_a_token_is_exact(name: str, per_token: int) -> None:
    assert fit(name, context=1024).kv_bytes_per_token == per_token


def test_the_cache_of_a_published_start_up_log() -> None:
    model = replace(model_named("Llama 3.1 8B").facts, layers=40)
    result = estimate_inference(model, gpu=H100, context=184_832 // 2, concurrency=2)
    assert part(result, "kv_cache") == 184_832 * 163_840


def test_a_cache_is_handed_out_in_whole_blocks() -> None:
    assert part(fit("Llama 3.1 8B", context=17), "kv_cache") == 32 * 131_072
    assert part(fit("Llama 3.1 8B", context=17, engine="transformers"), "kv_cache") == 17 * 131_072


def test_sliding_layers_hold_only_their_window() -> None:
    gemma = model_named("Gemma 3 27B (text)").facts
    long = fit("Gemma 3 27B (text)", context=131_072, engine="transformers")
    per_layer = 2 * gemma.kv_heads * gemma.head_dim * 2
    assert part(long, "kv_cache") == per_layer * (10 * 131_072 + 52 * 1024)
    short = fit("Gemma 3 27B (text)", context=512, engine="transformers")
    assert part(short, "kv_cache") == per_layer * 62 * 512


def test_more_cards_than_heads_means_copies() -> None:
    model = model_named("Llama 3.1 70B").facts
    assert [kv_heads_per_card(model, split_over(model, gpu_count=n, tensor=n)) for n in (1, 2, 8, 16)] == [8, 4, 1, 1]
    eight, sixteen = fit("Llama 3.1 70B", gpu_count=8), fit("Llama 3.1 70B", gpu_count=16)
    assert part(eight, "kv_cache") == part(sixteen, "kv_cache")


def test_a_latent_cache_is_on_every_card() -> None:
    one, eight = fit("DeepSeek-V2-Lite 16B"), fit("DeepSeek-V2-Lite 16B", gpu_count=8)
    assert part(one, "kv_cache") == part(eight, "kv_cache")


@pytest.mark.parametrize(
    ("count", "tensor", "field"),
    [(0, None, "gpu_count"), (3, None, "tensor_parallel"), (4, 3, "tensor_parallel"), (2, 0, "tensor_parallel"),
     (128, None, "tensor_parallel"), (81, 1, "gpu_count")],
)  # fmt: skip
def test_cuts_that_cannot_be(count: int, tensor: int | None, field: str) -> None:
    with pytest.raises(FactsRefused) as caught:
        fit("Llama 3.1 70B", gpu_count=count, tp=tensor)
    assert caught.value.field == field


def test_a_pipeline_holds_whole_layers() -> None:
    model = model_named("Llama 3.1 70B").facts
    split = split_over(model, gpu_count=6, tensor=2)
    assert (split.pipeline, stage_layers(model, split), split.cards) == (3, 27, 6)
    whole = fit("Llama 3.1 70B", gpu_count=2)
    piped = fit("Llama 3.1 70B", gpu_count=6, tp=2)
    assert part(whole, "weights") // 3 < part(piped, "weights") < part(whole, "weights") // 2


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"context": 0}, "context"),
        ({"context": 131_073}, "context"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 10**9}, "concurrency"),
        ({"weight_dtype": "4-bit"}, "weight_dtype"),
        ({"kv_dtype": "int2"}, "kv_dtype"),
        ({"engine": "magic"}, "engine"),
    ],
)
def test_what_is_not_known_is_refused_and_not_guessed(other: dict[str, object], field: str) -> None:
    with pytest.raises(FactsRefused) as caught:
        fit("Llama 3.1 8B", **other)
    assert caught.value.field == field


def test_bytes_that_were_read_stand_before_the_formula() -> None:
    model = model_named("Llama 3.1 8B").facts
    read = estimate_inference(replace(model, weight_bytes=16_000_000_000), gpu=H100, context=8192)
    assert part(read, "weights") == 16_000_000_000
    assert read.terms[0].how == "read from the files"
    other = estimate_inference(replace(model, weight_bytes=16_000_000_000), gpu=H100, context=8192, weight_dtype="fp8")
    assert other.terms[0].how == "formula"


def test_weights_as_stored_are_the_bytes_of_the_files() -> None:
    facts = replace(model_named("Llama 3.1 8B").facts, weight_bytes=4_920_734_912, weight_dtype="gguf-q4_k_m")
    result = estimate_inference(facts, gpu=H100, context=8192, weight_dtype="as-stored")
    assert (result.terms[0].bytes, result.terms[0].how) == (4_920_734_912, "bytes as stored")
    assert any("4920734912 bytes" in line and "gguf-q4_k_m" in line for line in result.assumptions)
    split = estimate_inference(facts, gpu=H100, gpu_count=2, context=8192, weight_dtype="as-stored")
    assert split.terms[0].bytes == 4_920_734_912 // 2
    cpu = estimate_inference(facts, gpu=H100, context=8192, weight_dtype="as-stored", engine="llama.cpp")
    assert cpu.terms[0].bytes < result.terms[0].bytes, "llama.cpp keeps the embedding off the card"
    with pytest.raises(FactsRefused, match="nobody read how many bytes"):
        fit("Llama 3.1 8B", weight_dtype="as-stored")


def test_files_that_do_not_hold_what_their_shape_says_are_doubted() -> None:
    model = model_named("Llama 3.1 8B").facts
    for weight_bytes, doubted in ((16_060_522_496, False), (1_000_000_000, True), (20_000_000_000, True)):
        result = estimate_inference(replace(model, weight_bytes=weight_bytes), gpu=H100, context=8192)
        assert any("look at them" in line for line in result.assumptions) == doubted


def test_quantised_weights_keep_embeddings_and_norms() -> None:
    model = model_named("Llama 3.1 8B").facts
    embedding = 2 * model.vocab * model.hidden
    whole = part(fit("Llama 3.1 8B"), "weights")
    awq = part(fit("Llama 3.1 8B", weight_dtype="awq"), "weights")
    assert 2 * embedding + (whole - 2 * embedding) * 4.15625 / 16 == pytest.approx(awq, rel=1e-3)
    assert weight_dtype("nf4-double").bits == Fraction(4) + Fraction(1, 8) + Fraction(1, 512)
    assert whole_bytes(Fraction(9)) == 2


def test_mxfp4_reaches_experts_only() -> None:
    assert part(fit("gpt-oss 20B", weight_dtype="mxfp4"), "weights") / 1e9 == pytest.approx(13.8, abs=0.2)


@pytest.mark.parametrize(
    ("name", "count", "verdict"),
    [
        ("Llama 3.1 8B", 1, "fits"),
        ("Llama 3.1 70B", 1, "does_not_fit"),
        ("Llama 3.1 70B", 2, "tight"),
        ("Llama 3.1 70B", 4, "fits"),
        ("Llama 3.1 405B", 8, "does_not_fit"),
        ("Llama 3.1 405B", 16, "fits"),
    ],
)
def test_verdicts_people_know(name: str, count: int, verdict: str) -> None:
    assert fit(name, gpu_count=count).verdict == verdict


def test_what_software_sees_counts_and_not_the_box() -> None:
    result = fit("Llama 3.1 8B", engine="transformers")
    assert result.usable_bytes == H100.total_bytes < 80 * GIB
    assert fit("Llama 3.1 8B").usable_bytes == H100.total_bytes * 9 // 10


SHAPES = st.builds(
    lambda name, gpu, count, context, concurrency, weights, kv, engine: (
        name, gpu, 2**count, context, concurrency, weights, kv, engine,
    ),
    st.sampled_from(sorted(models())), st.sampled_from(sorted(gpus())), st.integers(0, 4), st.integers(1, 65_536),
    st.integers(1, 512), st.sampled_from(sorted(WEIGHT_DTYPES)), st.sampled_from(sorted(KV_DTYPES)),
    st.sampled_from(sorted(ENGINES)),
)  # fmt: skip


@given(SHAPES)
def test_an_estimate_adds_up_or_says_why_not(shape: tuple[str, str, int, int, int, str, str, str]) -> None:
    name, gpu, count, context, concurrency, weights, kv, engine = shape
    model = replace(model_named(name).facts, max_context=None)
    try:
        result = estimate_inference(
            model,
            gpu=gpu_named(gpu).facts,
            gpu_count=count,
            context=context,
            concurrency=concurrency,
            weight_dtype=weights,
            kv_dtype=kv,
            engine=engine,
        )
    except FactsRefused as error:
        assert error.field == "tensor_parallel"
        return
    assert result.need_bytes == sum(term.bytes for term in result.terms)
    assert all(term.bytes > 0 for term in result.terms)
    assert result.band_low < result.need_bytes < result.band_high
    assert result.verdict == (
        "fits"
        if result.band_high <= result.usable_bytes
        else "does_not_fit"
        if result.band_low > result.usable_bytes
        else "tight"
    )
    json.dumps(result.facts())
    more = estimate_inference(
        model,
        gpu=gpu_named(gpu).facts,
        gpu_count=count,
        context=context,
        concurrency=concurrency + 1,
        weight_dtype=weights,
        kv_dtype=kv,
        engine=engine,
    )
    assert more.need_bytes >= result.need_bytes


def test_published_measurements_are_met() -> None:
    errors: dict[str, list[float]] = {}
    with needs_shared("data", "capacity_public.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["grade"] != "A" or "Qwen speed benchmark" not in row["framework"] or row["logits"] != "last_token":
                continue
            form = {"gptq-int8": "gptq-int8", "gptq-int4": "gptq-int4", "awq": "awq", "bf16": "bf16"}.get(
                row["weight_dtype"]
            )
            try:
                facts = replace(model_named(row["hf_id"]).facts, max_context=None)
            except FactsRefused:
                continue
            if form is None:
                continue
            result = estimate_inference(
                facts, gpu=H100, context=int(row["seq_len"]), weight_dtype=form, engine="transformers"
            )
            torch = result.need_bytes - part(result, "runtime")
            errors.setdefault(row["group"], []).append(abs(torch / GIB / float(row["value_gib"]) - 1))
    assert sum(map(len, errors.values())) > 60
    assert median(median(group) for group in errors.values()) <= 0.08


def test_the_command_line_prints_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["estimate", "--model", "Llama 3.1 70B", "--gpu", "H100 80GB SXM5", "--count", "2", "--context", "8192"]
    assert main(asked) == 1
    assert "tight" in capsys.readouterr().out
    assert main([*asked, "--json", "--count", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "fits"
    assert main([*asked, "--count", "3"]) == 2
    assert "tensor_parallel" in capsys.readouterr().err
