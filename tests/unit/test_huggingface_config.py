"""`config.json` of many families: the same facts under different names, and hostile files refused with a reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.capacity.catalogue import model_named
from governance.capacity.parameters import count_parameters
from governance.formats.huggingface import CONFIG_LIMIT, ConfigFacts, read_config
from governance.formats.strict_json import FormatError

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "rope_scaling": {"factor": 8.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.43.0",
    "vocab_size": 128256,
}
FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("Llama 3.1 8B", LLAMA),
    (
        "Qwen2.5 7B",
        {
            "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_attention_heads": 28,
            "num_hidden_layers": 28, "num_key_value_heads": 4, "vocab_size": 152064, "sliding_window": 131072,
            "use_sliding_window": False, "max_position_embeddings": 131072, "torch_dtype": "bfloat16",
        },
    ),
    (
        "Qwen3 30B-A3B",
        {
            "model_type": "qwen3_moe", "attention_bias": False, "head_dim": 128, "hidden_size": 2048,
            "intermediate_size": 6144, "moe_intermediate_size": 768, "num_attention_heads": 32, "num_experts": 128,
            "num_experts_per_tok": 8, "num_hidden_layers": 48, "num_key_value_heads": 4, "vocab_size": 151936,
            "decoder_sparse_step": 1, "mlp_only_layers": [], "max_position_embeddings": 40960,
        },
    ),
    (
        "DeepSeek-V3 / R1 671B",
        {
            "model_type": "deepseek_v3", "first_k_dense_replace": 3, "hidden_size": 7168,
            "intermediate_size": 18432, "kv_lora_rank": 512, "max_position_embeddings": 163840,
            "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
            "num_attention_heads": 128, "num_experts_per_tok": 8, "num_hidden_layers": 61,
            "num_key_value_heads": 128, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
            "v_head_dim": 128, "vocab_size": 129280, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
            "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
        },
    ),
    (
        "DeepSeek-V2-Lite 16B",
        {
            "model_type": "deepseek_v2", "first_k_dense_replace": 1, "hidden_size": 2048,
            "intermediate_size": 10944, "kv_lora_rank": 512, "moe_intermediate_size": 1408, "n_routed_experts": 64,
            "n_shared_experts": 2, "num_attention_heads": 16, "num_experts_per_tok": 6, "num_hidden_layers": 27,
            "num_key_value_heads": 16, "q_lora_rank": None, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
            "v_head_dim": 128, "vocab_size": 102400, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        },
    ),
    (
        "Gemma 3 27B (text)",
        {
            "model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"],
            "text_config": {
                "model_type": "gemma3_text", "head_dim": 128, "hidden_size": 5376, "intermediate_size": 21504,
                "num_attention_heads": 32, "num_hidden_layers": 62, "num_key_value_heads": 16,
                "sliding_window": 1024, "sliding_window_pattern": 6, "vocab_size": 262144,
                "max_position_embeddings": 131072,
            },
        },
    ),
    (
        "gpt-oss 20B",
        {
            "model_type": "gpt_oss", "attention_bias": True, "head_dim": 64, "hidden_size": 2880,
            "intermediate_size": 2880, "layer_types": ["sliding_attention", "full_attention"] * 12,
            "num_attention_heads": 64, "num_experts_per_tok": 4, "num_hidden_layers": 24, "num_key_value_heads": 8,
            "num_local_experts": 32, "sliding_window": 128, "vocab_size": 201088, "tie_word_embeddings": False,
            "max_position_embeddings": 131072, "quantization_config": {"quant_method": "mxfp4"},
        },
    ),
    (
        "Falcon 40B",
        {
            "model_type": "falcon", "new_decoder_architecture": True, "hidden_size": 8192,
            "num_attention_heads": 128, "num_hidden_layers": 60, "num_kv_heads": 8, "vocab_size": 65024,
            "alibi": False, "bias": False,
        },
    ),
    (
        "Falcon 7B",
        {
            "model_type": "falcon", "multi_query": True, "hidden_size": 4544, "num_attention_heads": 71,
            "num_hidden_layers": 32, "vocab_size": 65024,
        },
    ),
    (
        "Qwen 1.8B (v1)",
        {
            "model_type": "qwen", "hidden_size": 2048, "intermediate_size": 11008, "kv_channels": 128,
            "num_attention_heads": 16, "num_hidden_layers": 24, "vocab_size": 151936, "seq_length": 8192,
        },
    ),
    (
        "Mixtral 8x7B",
        {
            "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
            "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8,
            "sliding_window": None, "vocab_size": 32000, "tie_word_embeddings": False,
        },
    ),
]  # fmt: skip


def read(config: object) -> ConfigFacts:
    return read_config(json.dumps(config).encode(), name="m")


@pytest.mark.parametrize(("name", "config"), FAMILIES)
def test_a_familys_own_file_gives_the_catalogues_facts(name: str, config: dict[str, Any]) -> None:
    expected = model_named(name).facts
    found = read(config).model
    assert count_parameters(found) == count_parameters(expected)
    assert (found.kv_heads, found.head_dim) == (expected.kv_heads, expected.head_dim)
    assert (found.sliding_window, found.sliding_layers) == (expected.sliding_window, expected.sliding_layers)
    assert found.latent == expected.latent
    assert found.traits == expected.traits


def test_what_is_said_about_the_file() -> None:
    found = read(LLAMA)
    assert found.architecture == "LlamaForCausalLM"
    assert (found.torch_dtype, found.model.weight_dtype, found.quantisation) == ("bfloat16", "bf16", "")
    assert found.transformers_version == "4.43.0"


def test_rope_scaling_stretches_the_context() -> None:
    stretched = {**LLAMA, "max_position_embeddings": 8192, "rope_scaling": {
        "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}  # fmt: skip
    assert read(stretched).model.max_context == 131072
    assert read(LLAMA).model.max_context == 131072


@pytest.mark.parametrize(
    ("quantisation", "stored"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq-int4"),
        ({"quant_method": "gptq", "bits": 8}, "gptq-int8"),
        ({"quant_method": "awq"}, "awq"),
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8-block"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "nf4"),
    ],
)
def test_quantised_files(quantisation: dict[str, Any], stored: str) -> None:
    assert read({**LLAMA, "quantization_config": quantisation}).model.weight_dtype == stored


def test_an_unknown_family_is_taken_and_said_to_be_unknown() -> None:
    found = read({**LLAMA, "model_type": "brand_new"}).model
    assert not found.traits_known


def test_biases_of_all_four_projections() -> None:
    found = read({**LLAMA, "attention_bias": True}).model
    assert found.traits.qkv_bias
    assert found.traits.output_bias


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model_type": None}, "model_type"),
        ({"model_type": 7}, "model_type"),
        ({"model_type": "a" * 300}, "model_type"),
        ({"hidden_size": None}, "hidden_size"),
        ({"hidden_size": "4096"}, "hidden_size"),
        ({"hidden_size": 4096.5}, "hidden_size"),
        ({"hidden_size": True}, "hidden_size"),
        ({"hidden_size": -1}, "hidden_size"),
        ({"hidden_size": 2**60}, "hidden_size"),
        ({"hidden_size": 4097}, "head_dim"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers"),
        ({"num_key_value_heads": 5}, "kv_heads"),
        ({"num_key_value_heads": 0}, "num_key_value_heads"),
        ({"vocab_size": None}, "vocab_size"),
        ({"intermediate_size": None}, "intermediate_size"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings"),
        ({"architectures": []}, "architectures"),
        ({"architectures": [5]}, "architectures"),
        ({"torch_dtype": ["x"]}, "torch_dtype"),
        ({"rope_scaling": "x"}, "rope_scaling"),
        ({"rope_scaling": {"factor": -1, "original_max_position_embeddings": 5}}, "rope_scaling.factor"),
        ({"rope_scaling": {"factor": "8", "original_max_position_embeddings": 5}}, "rope_scaling.factor"),
        ({"quantization_config": 4}, "quantization_config"),
        ({"quantization_config": {"quant_method": "secret"}}, "quantization_config.quant_method"),
        ({"text_config": [1]}, "text_config"),
        ({"num_local_experts": 8}, "num_experts_per_tok"),
        ({"num_local_experts": 8, "num_experts_per_tok": 9}, "experts"),
        ({"sliding_window": 4096, "layer_types": ["full_attention"]}, "layer_types"),
        ({"kv_lora_rank": 512}, "qk_rope_head_dim"),
    ],
)
def test_facts_that_cannot_be_name_their_key(change: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError) as caught:
        read({**LLAMA, **change})
    assert caught.value.field == field
    assert caught.value.reason.endswith(".")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "' + b'\\"' * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b" " * (CONFIG_LIMIT + 1),
        b'{"model_type": "\\ud800"}',
    ],
)
def test_hostile_files_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_config(data, name="m")


@given(st.binary(max_size=300))
def test_no_bytes_make_another_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_config(data, name="m")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted({key for _name, config in FAMILIES for key in config})), JSON))
def test_no_value_under_a_known_key_makes_another_error(change: dict[str, Any]) -> None:
    try:
        read({**LLAMA, **change})
    except FormatError as error:
        assert error.reason
