"""What a Hugging Face model repository says about its model: `config.json`, the safetensors index and header.

Key names differ between families: `n_layer` for `num_hidden_layers`, `ffn_hidden_size` for
`intermediate_size`, a whole text model under `text_config`. Read are the facts that memory and approvals
depend on; what is missing is computed only where the library that runs the model computes it the same way,
otherwise it is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from governance.capacity.architectures import traits_of
from governance.capacity.facts import Experts, FactsRefused, Latent, ModelFacts, Traits
from governance.formats.strict_json import FormatError, flag, integer, mapping, read_object, text

CONFIG_LIMIT: Final = 1 << 20
MAX_CONTEXT: Final = 1 << 27
_NESTED: Final = ("text_config", "llm_config", "language_config")
_DTYPES: Final = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "float8_e4m3fn": "fp8"}

# First name found wins. 4096 layers and 2**20 wide are far above any model and far below what could overflow.
_LAYERS: Final = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_HIDDEN: Final = ("hidden_size", "n_embd", "d_model", "dim")
_HEADS: Final = ("num_attention_heads", "n_head", "n_heads")
_KV_HEADS: Final = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "n_kv_heads")
_INTERMEDIATE: Final = ("intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim")
_CONTEXT: Final = (
    "max_position_embeddings",
    "max_sequence_length",
    "seq_length",
    "n_positions",
    "max_seq_len",
)
_EXPERTS: Final = ("num_local_experts", "n_routed_experts", "num_experts")
_PER_TOKEN: Final = ("num_experts_per_tok", "experts_per_token", "num_experts_per_token")


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """A `config.json`, read.

    Attributes:
        architecture: first of `architectures`, such as `LlamaForCausalLM`.
        torch_dtype: as written there, such as `bfloat16`; empty when not said.
        quantisation: `quant_method` of the quantisation block, empty when the weights are plain.
    """

    model: ModelFacts
    architecture: str
    torch_dtype: str
    quantisation: str
    transformers_version: str


def read_config(data: bytes, *, name: str) -> ConfigFacts:
    """The facts in a `config.json` for the model called `name`.

    Raises:
        FormatError: not such a file, or a fact that cannot be; `field` is the key.
    """
    root = read_object(data, name="config.json", limit=CONFIG_LIMIT)
    inner = next((found for key in _NESTED if (found := mapping(root, key)) is not None), root)
    model_type = text(inner, "model_type") or text(root, "model_type")
    if not model_type:
        raise FormatError("model_type", "is missing; this is not a model's config.json.")
    dtype = text(inner, "torch_dtype") or text(inner, "dtype") or text(root, "torch_dtype") or text(root, "dtype")
    quantised = mapping(root, "quantization_config")
    try:
        model = _model(inner, name=name, model_type=model_type, dtype=dtype, quantised=quantised)
    except FactsRefused as error:
        raise FormatError(error.field, error.reason) from error
    return ConfigFacts(
        model=model,
        architecture=_architecture(root),
        torch_dtype=dtype,
        quantisation=text(quantised, "quant_method") if quantised is not None else "",
        transformers_version=text(root, "transformers_version"),
    )


def _model(
    found: Mapping[str, object],
    *,
    name: str,
    model_type: str,
    dtype: str,
    quantised: Mapping[str, object] | None,
) -> ModelFacts:
    if model_type == "falcon" and flag(found, "new_decoder_architecture", default=False):
        model_type = "falcon_new_decoder"
    hidden = _needed(found, _HIDDEN, high=1 << 20)
    heads = _needed(found, _HEADS, high=1 << 14)
    layers = _needed(found, _LAYERS, high=4096)
    latent = _latent(found)
    experts = _experts(found, layers=layers)
    traits, known = traits_of(model_type)
    window, sliding = _sliding(found, model_type=model_type, layers=layers)
    return ModelFacts(
        name=name,
        model_type=model_type,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=_kv_heads(found, model_type=model_type, heads=heads),
        head_dim=_head_dim(found, hidden=hidden, heads=heads, latent=latent),
        intermediate=_intermediate(found, hidden=hidden, experts=experts, model_type=model_type),
        vocab=_needed(found, ("vocab_size", "padded_vocab_size"), high=1 << 24),
        tie_embeddings=flag(found, "tie_word_embeddings", default=model_type in _TIED),
        traits=_traits(found, traits),
        traits_known=known,
        latent=latent,
        experts=experts,
        sliding_window=window,
        sliding_layers=sliding,
        max_context=_longest(found),
        weight_dtype=_weight_dtype(quantised, dtype),
    )


_TIED: Final = frozenset({"gemma", "gemma2", "gemma3", "gemma3_text", "falcon", "falcon_new_decoder"})


def _first(found: Mapping[str, object], names: tuple[str, ...], *, low: int = 0, high: int) -> int | None:
    for name in names:
        value = integer(found, name, low=low, high=high)
        if value is not None:
            return value
    return None


def _needed(found: Mapping[str, object], names: tuple[str, ...], *, high: int) -> int:
    value = _first(found, names, low=1, high=high)
    if value is None:
        raise FormatError(names[0], "is missing.")
    return value


def _kv_heads(found: Mapping[str, object], *, model_type: str, heads: int) -> int:
    if model_type == "falcon" and flag(found, "multi_query", default=True):
        return 1
    return _first(found, _KV_HEADS, low=1, high=1 << 14) or heads


def _head_dim(found: Mapping[str, object], *, hidden: int, heads: int, latent: Latent | None) -> int:
    if latent is not None:
        return latent.nope_dim + latent.rope_dim
    stated = _first(found, ("head_dim", "kv_channels"), low=1, high=1 << 14)
    if stated is None and hidden % heads:
        raise FormatError("head_dim", f"is missing, and {hidden} is no multiple of {heads} heads.")
    return stated or hidden // heads


def _intermediate(found: Mapping[str, object], *, hidden: int, experts: Experts | None, model_type: str) -> int:
    value = _first(found, _INTERMEDIATE, high=1 << 24)
    if value is not None:
        # Qwen v1 writes the width of gate and up together.
        return value // 2 if model_type == "qwen" else value
    if model_type in {"falcon", "falcon_new_decoder"}:
        return 4 * hidden
    if experts is not None:
        return 0
    raise FormatError("intermediate_size", "is missing.")


def _latent(found: Mapping[str, object]) -> Latent | None:
    rank = integer(found, "kv_lora_rank", low=1, high=1 << 20)
    if rank is None:
        return None
    return Latent(
        query_rank=integer(found, "q_lora_rank", high=1 << 20) or 0,
        kv_rank=rank,
        rope_dim=_needed(found, ("qk_rope_head_dim",), high=1 << 14),
        nope_dim=_needed(found, ("qk_nope_head_dim",), high=1 << 14),
        value_dim=_needed(found, ("v_head_dim",), high=1 << 14),
    )


def _experts(found: Mapping[str, object], *, layers: int) -> Experts | None:
    count = _first(found, _EXPERTS, high=1 << 16)
    if not count or count == 1:
        return None
    own_width = integer(found, "moe_intermediate_size", low=1, high=1 << 24)
    width = own_width or _needed(found, _INTERMEDIATE, high=1 << 24)
    return Experts(
        count=count,
        per_token=_needed(found, _PER_TOKEN, high=1 << 16),
        intermediate=width,
        shared=integer(found, "n_shared_experts", high=1 << 10) or 0,
        dense_layers=integer(found, "first_k_dense_replace", high=layers) or 0,
    )


def _sliding(found: Mapping[str, object], *, model_type: str, layers: int) -> tuple[int | None, int]:
    window = integer(found, "sliding_window", high=MAX_CONTEXT)
    if not window or not flag(found, "use_sliding_window", default=True):
        return None, 0
    longest = _first(found, _CONTEXT, high=MAX_CONTEXT)
    if longest is not None and window >= longest:
        return None, 0
    kinds = found.get("layer_types")
    if isinstance(kinds, list):
        if len(kinds) != layers:
            raise FormatError("layer_types", f"names {len(kinds)} layers of {layers}.")
        return window, sum(kind == "sliding_attention" for kind in kinds)
    every = integer(found, "sliding_window_pattern", low=1, high=layers)
    every = every or {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gpt_oss": 2}.get(model_type)
    return window, layers if every is None else layers - layers // every


def _longest(found: Mapping[str, object]) -> int | None:
    """Longest context: the table of positions, or what rope scaling stretches the original table to."""
    stated = _first(found, _CONTEXT, low=1, high=MAX_CONTEXT)
    scaling = mapping(found, "rope_scaling") or mapping(found, "rope_parameters")
    if scaling is None or stated is None:
        return stated
    original = integer(scaling, "original_max_position_embeddings", low=1, high=MAX_CONTEXT)
    factor = scaling.get("factor")
    if original is None or factor is None:
        return stated
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor <= 4096:
        raise FormatError("rope_scaling.factor", "must be a number above 0 and at most 4096.")
    return min(MAX_CONTEXT, max(stated, int(original * Fraction(str(factor)))))


def _traits(found: Mapping[str, object], traits: Traits) -> Traits:
    bias = flag(found, "attention_bias", default=traits.qkv_bias)
    if bias == traits.qkv_bias:
        return traits
    # The key stands for all four projections in every family that reads it.
    return replace(traits, qkv_bias=bias, output_bias=bias)


def _weight_dtype(quantised: Mapping[str, object] | None, dtype: str) -> str:
    if quantised is None:
        return _DTYPES.get(dtype, "bf16")
    method = text(quantised, "quant_method")
    bits = integer(quantised, "bits", low=1, high=32)
    if method == "gptq":
        return "gptq-int8" if bits == 8 else "gptq-int4"
    if method == "fp8":
        return "fp8-block" if quantised.get("weight_block_size") else "fp8"
    if method == "bitsandbytes":
        return "int8" if quantised.get("load_in_8bit") is True else "nf4"
    if method in {"awq", "mxfp4"}:
        return method
    raise FormatError("quantization_config.quant_method", f"{method!r} is not a form whose size is known.")


def _architecture(root: Mapping[str, object]) -> str:
    named = root.get("architectures")
    if named is None:
        return ""
    if not isinstance(named, list) or not named:
        raise FormatError("architectures", "must be a list of names.")
    return text({"architectures": named[0]}, "architectures")
