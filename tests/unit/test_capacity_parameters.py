"""Parameter counts against an independent instantiation of each model, and the catalogue's own rows."""

from typing import Any

import pytest

from governance.capacity.architectures import TRAITS
from governance.capacity.catalogue import gpu_named, gpus, model_named, models
from governance.capacity.facts import GIB, Experts, FactsRefused, GpuFacts, ModelFacts
from governance.capacity.parameters import count_parameters

CHECKED = [name for name, row in models().items() if row.parameters_checked is not None]


def test_the_catalogue_has_its_rows() -> None:
    assert len(models()) == 62
    assert len(gpus()) == 50
    assert len(CHECKED) == 59


@pytest.mark.parametrize("name", CHECKED)
def test_parameters_match_to_the_parameter(name: str) -> None:
    row = models()[name]
    assert count_parameters(row.facts).total == row.parameters_checked


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("DeepSeek-V3 / R1 671B", 671_026_419_200, 37_552_297_472),
        ("Kimi K2 1T", 1_026_408_232_448, 32_861_500_928),
        ("Qwen 1.8B (v1)", 1_836_828_672, 1_836_828_672),
        ("Mixtral 8x7B", 46_702_792_704, 12_879_925_248),
        ("gpt-oss 120B", 116_829_156_672, 5_711_982_912),
    ],
)
def test_total_and_active(name: str, total: int, active: int) -> None:
    count = count_parameters(models()[name].facts)
    assert (count.total, count.active) == (total, active)


def test_experts_are_part_of_the_whole() -> None:
    for row in models().values():
        count = count_parameters(row.facts)
        assert 0 < count.active <= count.total
        assert (count.experts > 0) == (row.facts.experts is not None)
        assert count.embedding + count.norms + count.experts < count.total


def test_every_row_says_where_it_was_read() -> None:
    for row in models().values():
        assert row.source, row.facts.name
        assert row.added, row.facts.name
        assert row.facts.model_type in TRAITS, row.facts.name
        assert row.facts.traits_known
    for gpu in gpus().values():
        assert gpu.sources, gpu.facts.name
        assert gpu.facts.basis, gpu.facts.name
        assert gpu.facts.total_bytes <= gpu.facts.nominal_gb * GIB, gpu.facts.name


def test_no_sparse_figure_is_printed_as_dense() -> None:
    ceilings = {"H100 SXM5": 1000, "H200 SXM": 1000, "A100 80GB SXM4": 320, "B200": 2300, "MI300X": 1310}
    for name, ceiling in ceilings.items():
        assert float(gpus()[name].bf16_tflops) <= ceiling


@pytest.mark.parametrize("name", ["H100 SXM5", "H100 80GB SXM5", "NVIDIA H100 80GB SXM5", "h100 sxm5 80gb"])
def test_accelerators_are_found_by_what_people_call_them(name: str) -> None:
    assert gpu_named(name).facts.name == "H100 SXM5"


def test_models_are_found_by_hugging_face_id() -> None:
    assert model_named("meta-llama/Llama-3.1-8B").facts.name == "Llama 3.1 8B"


@pytest.mark.parametrize("name", ["", "H900", "H100 40GB SXM5", "GPU"])
def test_unknown_accelerators_are_refused(name: str) -> None:
    with pytest.raises(FactsRefused, match="not in the catalogue"):
        gpu_named(name)


def test_unknown_models_are_refused() -> None:
    with pytest.raises(FactsRefused, match="not in the catalogue"):
        model_named("GPT-5")


def shape(**other: object) -> ModelFacts:
    plain: dict[str, Any] = {
        "name": "m",
        "model_type": "llama",
        "layers": 2,
        "hidden": 64,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": 16,
        "intermediate": 128,
        "vocab": 100,
        "tie_embeddings": True,
    }
    return ModelFacts(**{**plain, **other})


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"layers": 0}, "layers"),
        ({"hidden": -1}, "hidden"),
        ({"heads": 5}, "kv_heads"),
        ({"intermediate": 0}, "intermediate"),
        ({"sliding_layers": 3}, "sliding_layers"),
        ({"experts": Experts(count=4, per_token=5, intermediate=8)}, "experts"),
        ({"experts": Experts(count=4, per_token=0, intermediate=8)}, "experts"),
    ],
)
def test_shapes_that_no_model_has(other: dict[str, object], field: str) -> None:
    with pytest.raises(FactsRefused) as caught:
        shape(**other)
    assert caught.value.field == field


def test_a_card_without_memory() -> None:
    with pytest.raises(FactsRefused):
        GpuFacts("g", "v", 0, "measured", 8)
