"""GGUF files as facts: the same that a config.json gives, with the bytes and parameters of the tensors."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.capacity.facts import Experts, Latent
from governance.capacity.parameters import count_parameters
from governance.formats.gguf import read_gguf
from governance.formats.strict_json import FormatError
from tests.unit.gguf_writer import Pair, Stored, llama, llama_pairs, llama_tensors, written


def small(architecture: str, *pairs: Pair, tensors: Any = (), **other: Any) -> bytes:
    """A file of another architecture, with as little in it as is needed."""
    plain: dict[str, Any] = {
        "block_count": 6,
        "embedding_length": 64,
        "feed_forward_length": 128,
        "attention.head_count": 4,
        "vocab_size": 100,
        "context_length": 4096,
        **other,
    }
    shape: list[Pair] = [(f"{architecture}.{key}", "u32", value) for key, value in plain.items() if value is not None]
    rows = [Stored("blk.0.attn_q.weight", (64, 64)), *tensors]
    return written([("general.architecture", "str", architecture), *shape, *pairs], rows)


def test_a_llama_gives_the_facts_of_its_config() -> None:
    found = read_gguf(llama() + bytes(64), name="small")
    model = found.model
    assert (model.model_type, model.traits_known, model.name) == ("llama", True, "small")
    assert (model.layers, model.hidden, model.heads, model.kv_heads, model.head_dim) == (2, 256, 8, 2, 32)
    assert (model.intermediate, model.vocab, model.max_context) == (512, 320, 4096)
    assert (model.tie_embeddings, model.traits.qkv_bias) == (False, False)
    assert found.parameters == count_parameters(model).total
    assert model.weight_bytes == sum(tensor.bytes for tensor in llama_tensors()) == sum(found.by_type.values())
    assert list(found.by_type) == ["Q4_K", "F32"]
    assert model.weight_dtype == "gguf-q4_k_m"
    assert (found.licence, found.base_models) == ("apache-2.0", ())


def test_tensors_say_what_is_tied_and_what_has_a_bias() -> None:
    tensors = [*llama_tensors(tied=True), Stored("blk.0.attn_q.bias", (256,)), Stored("rope_freqs.weight", (16,))]
    found = read_gguf(written(llama_pairs(), tensors), name="m")
    assert found.model.tie_embeddings
    assert found.model.traits.qkv_bias
    assert found.parameters == sum(tensor.values for tensor in tensors) - 16


@pytest.mark.parametrize(
    ("file_type", "kind", "dtype"),
    [
        (7, (8, 32, 34), "gguf-q8_0"),
        (1, (1, 1, 2), "fp16"),
        (1024 + 15, (12, 256, 144), "gguf-q4_k_m"),
        (None, (30, 1, 2), "bf16"),
        (None, (14, 256, 210), "gguf-q6_k"),
        (999, (0, 1, 4), "fp32"),
    ],
)
def test_how_the_weights_are_stored(file_type: int | None, kind: tuple[int, int, int], dtype: str) -> None:
    stated = ("general.file_type", "u32", file_type) if file_type is not None else None
    rows = [Stored("token_embd.weight", (256, 320), *kind)]
    assert read_gguf(written(llama_pairs(file_type=stated), rows), name="m").model.weight_dtype == dtype


def test_experts_and_families() -> None:
    mixtral = read_gguf(small("llama", expert_count=8, expert_used_count=2), name="m").model
    assert (mixtral.model_type, mixtral.experts) == ("mixtral", Experts(count=8, per_token=2, intermediate=128))
    qwen = read_gguf(
        small("qwen3moe", expert_count=16, expert_used_count=4, expert_feed_forward_length=32), name="m"
    ).model
    assert (qwen.model_type, qwen.experts) == ("qwen3_moe", Experts(count=16, per_token=4, intermediate=32))
    unknown = read_gguf(small("novel"), name="m").model
    assert (unknown.model_type, unknown.traits_known) == ("novel", False)
    falcon = read_gguf(small("falcon", tensors=(Stored("blk.0.attn_norm_2.weight", (64,)),)), name="m").model
    assert falcon.model_type == "falcon_new_decoder"


@pytest.mark.parametrize(
    "lengths",
    [
        {"attention.key_length": 24, "attention.value_length": 16},
        {
            "attention.key_length": 40,
            "attention.value_length": 32,
            "attention.key_length_mla": 24,
            "attention.value_length_mla": 16,
            "attention.head_count_kv": 1,
        },
    ],
)
def test_latent_attention(lengths: dict[str, int]) -> None:
    biased = Stored("blk.1.exp_probs_b.bias", (16,))
    rope = {"rope.dimension_count": 8}
    data = small("deepseek2", tensors=(biased,), **{"attention.kv_lora_rank": 32}, **lengths, **rope)
    model = read_gguf(data, name="m").model
    assert model.model_type == "deepseek_v3"
    assert model.latent == Latent(query_rank=0, kv_rank=32, rope_dim=8, nope_dim=16, value_dim=16)
    assert (model.kv_heads, model.head_dim) == (4, 24)
    wrong = small("deepseek2", **{"attention.kv_lora_rank": 32}, **lengths, **{"rope.dimension_count": 24})
    with pytest.raises(FormatError, match="must be below"):
        read_gguf(wrong, name="m")


def test_sliding_layers() -> None:
    def sliding(data: bytes) -> tuple[int | None, int]:
        model = read_gguf(data, name="m").model
        return model.sliding_window, model.sliding_layers

    window = {"attention.sliding_window": 1024}
    assert sliding(small("gemma3", **window)) == (1024, 5)
    assert sliding(small("phi3", **window)) == (1024, 6)
    assert sliding(small("phi3", **{"attention.sliding_window": 4096})) == (None, 0)
    assert sliding(small("novel", **window, **{"attention.sliding_window_pattern": 3})) == (1024, 4)
    flags: Pair = ("novel.attention.sliding_window_pattern", "bool[]", [True] * 6)
    assert sliding(small("novel", flags, **window)) == (None, 0)


def test_base_models_and_the_name_of_a_licence() -> None:
    pairs: list[Pair] = [
        ("general.base_model.count", "u32", 2),
        ("general.base_model.0.organization", "str", "Qwen"),
        ("general.base_model.0.name", "str", "Qwen3 8B"),
        ("general.base_model.1.name", "str", "Other"),
        ("general.license.name", "str", "Own licence"),
    ]
    found = read_gguf(written([*llama_pairs(), *pairs], llama_tensors()), name="m")
    assert (found.base_models, found.licence) == (("Qwen/Qwen3 8B", "Other"), "Own licence")


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        (llama(architecture=None), "general.architecture", "is missing"),
        (llama(architecture=("general.architecture", "u8", 1)), "general.architecture", "must be text"),
        (llama(block_count=None), "llama.block_count", "is missing"),
        (llama(block_count=("llama.block_count", "u32", 5000)), "llama.block_count", "between 1 and 4096"),
        (llama(block_count=("llama.block_count", "str", "2")), "llama.block_count", "whole number"),
        (llama(head_count_kv=("llama.attention.head_count_kv", "u32[]", [2, 4])), "llama.attention.head_count_kv",
         "from layer to layer"),
        (llama(head_count_kv=("llama.attention.head_count_kv", "u32", 3)), "kv_heads", "cannot share"),
        (llama(head_count=("llama.attention.head_count", "u32", 7)), "llama.attention.key_length", "no multiple"),
        (llama(feed_forward_length=None), "llama.feed_forward_length", "is missing"),
        (llama(type=("general.type", "str", "adapter")), "general.type", "only a whole model"),
        (llama(count=("split.count", "u16", 3)), "split.count", "one of 3 files"),
        (llama(count=("general.base_model.count", "u32", 17)), "general.base_model.count", "at most 16"),
        (written(llama_pairs(), []), "GGUF header", "lists no tensors"),
        (small("novel", vocab_size=None), "novel.vocab_size", "is missing"),
        (small("novel", expert_count=8), "novel.expert_used_count", "is missing"),
        (small("novel", expert_count=8, expert_used_count=9), "experts", "at most all"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_a_model(data: bytes, field: str, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read_gguf(data, name="m")
    assert caught.value.field == field


@given(st.dictionaries(st.sampled_from([pair[0] for pair in llama_pairs()]), st.integers(0, 2**32 - 1)))
def test_any_numbers_give_facts_or_a_reason(numbers: dict[str, int]) -> None:
    pairs = [pair for pair in llama_pairs() if pair[0] not in numbers]
    data = written([*pairs, *((key, "u32", number) for key, number in numbers.items())], llama_tensors())
    try:
        assert count_parameters(read_gguf(data, name="m").model).total > 0
    except FormatError as error:
        assert error.field
