"""Typed facts about models and accelerators. Sizes are integers in bytes, counts are plain integers.

Names follow the Hugging Face `config.json` of the model where it has one: `heads` is `num_attention_heads`,
`kv_heads` is `num_key_value_heads`, `intermediate` is `intermediate_size` of a dense layer.
"""

from dataclasses import dataclass
from typing import Final, Literal

GIB: Final = 2**30


class FactsRefused(ValueError):
    """Facts that no model or accelerator can have; the message names the field and the reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Traits:
    """How a family builds its layers, as far as it changes the number of parameters.

    Attributes:
        gated: the MLP has a gate projection beside the up projection (three matrices, not two).
        qkv_bias, output_bias, mlp_bias, head_bias: a bias vector stands beside that projection.
        norm_vectors: vectors of length `hidden` that the norms of one layer hold (LayerNorm has two each).
        final_norm_vectors: the same for the norm after the last layer.
        qk_norm: norm of queries and keys: none, one vector per head dimension, or over the full width.
        sinks: one learned attention sink per query head.
        router_bias: one bias per expert in the router.
        expert_bias: the experts carry biases.
    """

    gated: bool = True
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    head_bias: bool = False
    norm_vectors: int = 2
    final_norm_vectors: int = 1
    qk_norm: Literal["none", "head", "full"] = "none"
    sinks: bool = False
    router_bias: bool = False
    expert_bias: bool = False


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention (DeepSeek): ranks and head parts. `query_rank` 0 means a full query."""

    query_rank: int
    kv_rank: int
    rope_dim: int
    nope_dim: int
    value_dim: int


@dataclass(frozen=True, slots=True)
class Experts:
    """A mixture of experts: `count` routed ones of which a token uses `per_token`, and `shared` for all."""

    count: int
    per_token: int
    intermediate: int
    shared: int = 0
    dense_layers: int = 0


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the memory of a decoder-only transformer depends on.

    Attributes:
        weight_bytes: bytes of all tensors as stored, read from a safetensors header or index; None when
            nobody read them, and then the formula stands in.
        weight_dtype: dtype of the stored weights (`bf16`, `fp8`, `awq` and so on).
        sliding_window: tokens a sliding layer looks back; None when every layer sees everything.
        sliding_layers: how many layers slide.
        traits_known: False when `model_type` is unknown and the layout of Llama was assumed.
    """

    name: str
    model_type: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    tie_embeddings: bool
    traits: Traits = Traits()
    traits_known: bool = True
    latent: Latent | None = None
    experts: Experts | None = None
    sliding_window: int | None = None
    sliding_layers: int = 0
    max_context: int | None = None
    weight_bytes: int | None = None
    weight_dtype: str = "bf16"

    def __post_init__(self) -> None:
        for field in ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab"):
            if getattr(self, field) < 1:
                raise FactsRefused(field, "must be at least 1.")
        if self.intermediate < 1 and self.experts is None:
            raise FactsRefused("intermediate", "must be at least 1 in a model without experts.")
        if self.heads % self.kv_heads:
            raise FactsRefused("kv_heads", f"{self.heads} query heads cannot share {self.kv_heads} KV heads evenly.")
        if not 0 <= self.sliding_layers <= self.layers:
            raise FactsRefused("sliding_layers", f"must be between 0 and {self.layers}.")
        if self.experts and not 1 <= self.experts.per_token <= self.experts.count:
            raise FactsRefused("experts", "a token uses at least one expert and at most all of them.")


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """What fits on an accelerator.

    Attributes:
        total_bytes: memory that software sees on an empty card (not the number on the box).
        basis: how `total_bytes` is known: measured, or nominal size times a class factor.
    """

    name: str
    vendor: str
    total_bytes: int
    basis: str
    nominal_gb: int

    def __post_init__(self) -> None:
        if self.total_bytes < 1:
            raise FactsRefused("total_bytes", "must be at least 1.")
