"""What a GGUF file says about its model, as the same facts that a `config.json` gives.

Keys begin with the architecture: `llama.block_count`. Architectures carry the names of llama.cpp; those whose
layers are known here are told by the name that Hugging Face gives the family. Biases, tied embeddings and the
number of parameters are read from the list of tensors, so nothing about them is assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from governance.capacity.architectures import traits_of
from governance.capacity.facts import Experts, FactsRefused, Latent, ModelFacts, Traits
from governance.formats.ggufheader import Array, GgufHeader, Tensor, read_gguf_header
from governance.formats.huggingface import MAX_CONTEXT
from governance.formats.strict_json import FormatError, integer, text

_FAMILIES: Final = {
    "gemma3": "gemma3_text",
    "gptneox": "gpt_neox",
    "gpt-oss": "gpt_oss",
    "mistral3": "ministral3",
    "phi2": "phi",
    "qwen3moe": "qwen3_moe",
}
# Every how many layers one sees everything, where the file does not say it.
_FULL_EVERY: Final = {"gemma2": 2, "gemma3_text": 6, "gpt_oss": 2}
# Tables of positions stand in the list of tensors but are computed, not learned.
_COMPUTED: Final = frozenset({"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"})
# `general.file_type`: the mix of types that the file was made with.
_FILE_TYPES: Final = {
    0: "fp32", 1: "fp16", 2: "gguf-q4_0", 3: "gguf-q4_1", 7: "gguf-q8_0", 8: "gguf-q5_0", 9: "gguf-q5_1",
    10: "gguf-q2_k", 11: "gguf-q3_k_s", 12: "gguf-q3_k_m", 13: "gguf-q3_k_l", 14: "gguf-q4_k_s", 15: "gguf-q4_k_m",
    16: "gguf-q5_k_s", 17: "gguf-q5_k_m", 18: "gguf-q6_k", 19: "gguf-iq2_xxs", 20: "gguf-iq2_xs", 21: "gguf-q2_k_s",
    22: "gguf-iq3_xs", 23: "gguf-iq3_xxs", 24: "gguf-iq1_s", 25: "gguf-iq4_nl", 26: "gguf-iq3_s", 27: "gguf-iq3_m",
    28: "gguf-iq2_s", 29: "gguf-iq2_m", 30: "gguf-iq4_xs", 31: "gguf-iq1_m", 32: "bf16", 36: "gguf-tq1_0",
    37: "gguf-tq2_0", 38: "gguf-mxfp4", 39: "gguf-nvfp4", 40: "gguf-q1_0",
}  # fmt: skip
_GUESSED: Final = 1024
_PLAIN: Final = {"F32": "fp32", "F16": "fp16", "BF16": "bf16"}
_MAX_BASES: Final = 16


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """A GGUF header, read.

    Attributes:
        architecture: `general.architecture`, such as `llama`.
        parameters: values of all learned tensors.
        by_type: bytes of all tensors by type, the largest first.
        base_models: what the file says it was made from.
    """

    model: ModelFacts
    architecture: str
    parameters: int
    by_type: Mapping[str, int]
    licence: str
    base_models: tuple[str, ...]
    header_bytes: int
    file_bytes: int


def read_gguf(data: bytes, *, name: str) -> GgufFacts:
    """The facts in a GGUF file, or in its first bytes, for the model called `name`.

    Raises:
        HeaderCutShort: the header goes on behind the end of `data`; it says how much is needed.
        FormatError: not such a file, or a fact that cannot be; `field` is the key.
    """
    header = read_gguf_header(data)
    told = _Told(header.pairs)
    _refuse_parts(told)
    architecture = told.text("general.architecture")
    if not architecture:
        raise FormatError("general.architecture", "is missing.")
    by_type: dict[str, int] = {}
    for tensor in header.tensors:
        by_type[tensor.type] = by_type.get(tensor.type, 0) + tensor.bytes
    if not by_type:
        raise FormatError("GGUF header", "lists no tensors; a file of a vocabulary is not a model.")
    by_type = dict(sorted(by_type.items(), key=lambda item: (-item[1], item[0])))
    try:
        model = _model(_Told(header.pairs, architecture), header, name=name, by_type=by_type)
    except FactsRefused as error:
        raise FormatError(error.field, error.reason) from error
    return GgufFacts(
        model=model,
        architecture=architecture,
        parameters=sum(tensor.values for tensor in header.tensors if tensor.name not in _COMPUTED),
        by_type=by_type,
        licence=told.text("general.license.name") or told.text("general.license"),
        base_models=_base_models(told),
        header_bytes=header.header_bytes,
        file_bytes=header.file_bytes,
    )


class _Told:
    """The pairs of a header, asked by key; with an architecture, by the key behind its prefix."""

    def __init__(self, pairs: Mapping[str, int | str | Array], architecture: str = "") -> None:
        self.pairs = pairs
        self.architecture = architecture

    def key(self, key: str) -> str:
        return f"{self.architecture}.{key}" if self.architecture else key

    def text(self, key: str) -> str:
        return text(self.pairs, self.key(key))

    def whole(self, key: str, *, low: int = 0, high: int) -> int | None:
        full = self.key(key)
        if isinstance(self.pairs.get(full), Array):
            raise FormatError(full, "differs from layer to layer; such a model is registered from its config.json.")
        return integer(self.pairs, full, low=low, high=high)

    def needed(self, key: str, *, high: int) -> int:
        value = self.whole(key, low=1, high=high)
        if value is None:
            raise FormatError(self.key(key), "is missing.")
        return value


def _refuse_parts(told: _Told) -> None:
    """A LoRA adapter, a projector or one of many files would give facts of a part as those of a model."""
    kind = told.text("general.type")
    if kind not in {"", "model"}:
        raise FormatError("general.type", f"is {kind[:40]!r}; only a whole model can be registered.")
    parts = told.whole("split.count", high=1 << 16)
    if parts is not None and parts > 1:
        raise FormatError("split.count", f"says that this is one of {parts} files; join them into one first.")


def _model(told: _Told, header: GgufHeader, *, name: str, by_type: Mapping[str, int]) -> ModelFacts:
    tensors = {tensor.name: tensor for tensor in header.tensors}
    hidden = told.needed("embedding_length", high=1 << 20)
    heads = told.needed("attention.head_count", high=1 << 14)
    layers = told.needed("block_count", high=4096)
    experts = _experts(told, layers=layers)
    model_type = _family(told.architecture, tensors, experts)
    latent = _latent(told)
    window, sliding = _sliding(told, model_type=model_type, layers=layers)
    traits, known = traits_of(model_type)
    intermediate = told.whole("feed_forward_length", high=1 << 24)
    if intermediate is None and experts is None:
        raise FormatError(told.key("feed_forward_length"), "is missing.")
    return ModelFacts(
        name=name,
        model_type=model_type,
        layers=layers,
        hidden=hidden,
        heads=heads,
        # With latent attention llama.cpp counts the one shared latent as one head; the family counts all.
        kv_heads=heads if latent else told.whole("attention.head_count_kv", low=1, high=1 << 14) or heads,
        head_dim=_head_dim(told, hidden=hidden, heads=heads, latent=latent),
        intermediate=intermediate or 0,
        vocab=_vocabulary(told, tensors),
        tie_embeddings="output.weight" not in tensors,
        traits=_traits(traits, tensors),
        traits_known=known,
        latent=latent,
        experts=experts,
        sliding_window=window,
        sliding_layers=sliding,
        max_context=told.whole("context_length", low=1, high=MAX_CONTEXT),
        weight_bytes=sum(by_type.values()),
        weight_dtype=_weight_dtype(_Told(told.pairs), by_type),
    )


def _family(architecture: str, tensors: Mapping[str, Tensor], experts: Experts | None) -> str:
    if architecture == "llama" and experts is not None:
        return "mixtral"
    if architecture == "deepseek2":
        biased = any(name.endswith("exp_probs_b.bias") for name in tensors)
        return "deepseek_v3" if biased else "deepseek_v2"
    if architecture == "falcon" and "blk.0.attn_norm_2.weight" in tensors:
        return "falcon_new_decoder"
    return _FAMILIES.get(architecture, architecture)


def _head_dim(told: _Told, *, hidden: int, heads: int, latent: Latent | None) -> int:
    if latent is not None:
        return latent.nope_dim + latent.rope_dim
    stated = told.whole("attention.key_length", low=1, high=1 << 14)
    if stated is None and hidden % heads:
        raise FormatError(
            told.key("attention.key_length"), f"is missing, and {hidden} is no multiple of {heads} heads."
        )
    return stated or hidden // heads


def _latent(told: _Told) -> Latent | None:
    rank = told.whole("attention.kv_lora_rank", low=1, high=1 << 20)
    if rank is None:
        return None
    # Newer files give the lengths of one head beside those of the cache.
    mla = told.whole("attention.key_length_mla", low=1, high=1 << 14)
    key = mla or told.needed("attention.key_length", high=1 << 14)
    value = told.whole("attention.value_length_mla", low=1, high=1 << 14)
    rope = told.needed("rope.dimension_count", high=1 << 14)
    if rope >= key:
        raise FormatError(told.key("rope.dimension_count"), f"must be below the length of a key, {key}.")
    return Latent(
        query_rank=told.whole("attention.q_lora_rank", high=1 << 20) or 0,
        kv_rank=rank,
        rope_dim=rope,
        nope_dim=key - rope,
        value_dim=value or told.needed("attention.value_length", high=1 << 14),
    )


def _experts(told: _Told, *, layers: int) -> Experts | None:
    count = told.whole("expert_count", high=1 << 16)
    if not count or count == 1:
        return None
    own_width = told.whole("expert_feed_forward_length", low=1, high=1 << 24)
    return Experts(
        count=count,
        per_token=told.needed("expert_used_count", high=1 << 16),
        intermediate=own_width or told.needed("feed_forward_length", high=1 << 24),
        shared=told.whole("expert_shared_count", high=1 << 10) or 0,
        dense_layers=told.whole("leading_dense_block_count", high=layers) or 0,
    )


def _sliding(told: _Told, *, model_type: str, layers: int) -> tuple[int | None, int]:
    window = told.whole("attention.sliding_window", high=MAX_CONTEXT)
    longest = told.whole("context_length", low=1, high=MAX_CONTEXT)
    if not window or (longest is not None and window >= longest):
        return None, 0
    if isinstance(told.pairs.get(told.key("attention.sliding_window_pattern")), Array):
        # One flag a layer, which is stepped over: taking every layer to see everything can only overstate.
        return None, 0
    every = told.whole("attention.sliding_window_pattern", low=1, high=layers) or _FULL_EVERY.get(model_type)
    return window, layers if every is None else layers - layers // every


def _vocabulary(told: _Told, tensors: Mapping[str, Tensor]) -> int:
    """Rows of the embedding, which may be padded; else as many as there are tokens."""
    embedding = tensors.get("token_embd.weight")
    if embedding is not None and len(embedding.shape) == 2:
        found = embedding.shape[1]
    else:
        tokens = told.pairs.get("tokenizer.ggml.tokens")
        found = tokens.length if isinstance(tokens, Array) else told.needed("vocab_size", high=1 << 24)
    if not 1 <= found <= 1 << 24:
        raise FormatError("tokenizer.ggml.tokens", f"must be between 1 and {1 << 24}.")
    return found


def _traits(traits: Traits, tensors: Mapping[str, Tensor]) -> Traits:
    return replace(
        traits,
        qkv_bias="blk.0.attn_q.bias" in tensors or "blk.0.attn_qkv.bias" in tensors,
        output_bias="blk.0.attn_output.bias" in tensors,
    )


def _weight_dtype(told: _Told, by_type: Mapping[str, int]) -> str:
    stated = told.whole("general.file_type", high=1 << 16)
    if stated is not None and stated & ~_GUESSED in _FILE_TYPES:
        return _FILE_TYPES[stated & ~_GUESSED]
    most = next(iter(by_type))
    return _PLAIN.get(most, f"gguf-{most.lower()}")


def _base_models(told: _Told) -> tuple[str, ...]:
    count = told.whole("general.base_model.count", high=1 << 16) or 0
    if count > _MAX_BASES:
        raise FormatError("general.base_model.count", f"is {count}; at most {_MAX_BASES} are read.")
    named = []
    for number in range(count):
        organisation = told.text(f"general.base_model.{number}.organization")
        name = told.text(f"general.base_model.{number}.name")
        if name:
            named.append(f"{organisation}/{name}" if organisation else name)
    return tuple(named)
