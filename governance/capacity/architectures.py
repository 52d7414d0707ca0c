"""Which family builds its layers how. Keys are `model_type` values of Hugging Face configurations."""

from types import MappingProxyType
from typing import Final

from governance.capacity.facts import Traits

_LLAMA: Final = Traits()
_QWEN2: Final = Traits(qkv_bias=True)
_QWEN3: Final = Traits(qk_norm="head")
_OLMO2: Final = Traits(qk_norm="full")
_GEMMA2: Final = Traits(norm_vectors=4)
_GEMMA3: Final = Traits(norm_vectors=4, qk_norm="head")
_PHI: Final = Traits(
    gated=False,
    qkv_bias=True,
    output_bias=True,
    mlp_bias=True,
    head_bias=True,
    norm_vectors=2,
    final_norm_vectors=2,
)
_NEOX: Final = Traits(gated=False, qkv_bias=True, output_bias=True, mlp_bias=True, norm_vectors=4, final_norm_vectors=2)
_FALCON: Final = Traits(gated=False, norm_vectors=2, final_norm_vectors=2)
_FALCON_NEW: Final = Traits(gated=False, norm_vectors=4, final_norm_vectors=2)
_DEEPSEEK3: Final = Traits(router_bias=True)
_GPT_OSS: Final = Traits(qkv_bias=True, output_bias=True, sinks=True, router_bias=True, expert_bias=True)

TRAITS: Final = MappingProxyType(
    {
        "llama": _LLAMA,
        "mistral": _LLAMA,
        "ministral3": _LLAMA,
        "mixtral": _LLAMA,
        "phi3": _LLAMA,
        "deepseek_v2": _LLAMA,
        "deepseek_v3": _DEEPSEEK3,
        "kimi_k2": _DEEPSEEK3,
        "qwen": _QWEN2,
        "qwen2": _QWEN2,
        "qwen3": _QWEN3,
        "qwen3_moe": _QWEN3,
        "gemma2": _GEMMA2,
        "gemma3_text": _GEMMA3,
        "olmo2": _OLMO2,
        "phi": _PHI,
        "gpt_neox": _NEOX,
        "falcon": _FALCON,
        "falcon_new_decoder": _FALCON_NEW,
        "gpt_oss": _GPT_OSS,
    }
)


def traits_of(model_type: str) -> tuple[Traits, bool]:
    """The traits of a family, and whether they are known; an unknown one is taken to be like Llama."""
    known = TRAITS.get(model_type)
    return (known, True) if known else (_LLAMA, False)
