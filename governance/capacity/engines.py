"""What a serving engine adds to weights and KV cache. Constants carry where they come from.

vLLM: fitted to published start-up logs of 0.6.4 to 0.11. transformers: peak of the prefill from version 4.45
(flash attention, logits of the last token only). llama.cpp: compute buffer with flash attention.
"""

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from governance.capacity.facts import GIB, FactsRefused, ModelFacts

_LOGIT_BYTES_VLLM: Final = Fraction(387, 10)
_BATCHED_TOKENS_VLLM: Final = 8192
_LOGIT_BYTES_TRANSFORMERS: Final = 6
_MICRO_BATCH_LLAMA_CPP: Final = 512
_CUDA_CONTEXT: Final = GIB // 2


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine's share of a card.

    Attributes:
        utilisation: part of the card's memory that the engine takes for itself.
        block: tokens the KV cache is handed out by.
        band: error to allow for, as a fraction of the need. transformers: 90th percentile on 78 published
            measurements; vLLM and llama.cpp: wider than the spread of the few that are published.
        notes: assumptions that the figures rest on, for the reader of the estimate.
    """

    name: str
    utilisation: Fraction
    block: int
    band: Fraction
    notes: tuple[str, ...]


ENGINES: Final = MappingProxyType(
    {
        "vllm": Engine(
            name="vllm",
            utilisation=Fraction(9, 10),
            block=16,
            band=Fraction(5, 100),
            notes=(
                "gpu_memory_utilization is 0.90, the default.",
                "max_num_seqs is set to the concurrency asked for.",
                "A prefill batch holds at most 8,192 tokens.",
                "1 GiB is set aside for CUDA graphs.",
            ),
        ),
        "transformers": Engine(
            name="transformers",
            utilisation=Fraction(1),
            block=1,
            band=Fraction(13, 100),
            notes=("transformers 4.45 or newer: logits of the last token only, flash attention.",),
        ),
        "llama.cpp": Engine(
            name="llama.cpp",
            utilisation=Fraction(1),
            block=1,
            band=Fraction(10, 100),
            notes=("Flash attention is on.", "The input embedding stays in host memory."),
        ),
    }
)


def engine_named(name: str) -> Engine:
    """The engine called `name`.

    Raises:
        FactsRefused: no figures for such an engine.
    """
    if name not in ENGINES:
        raise FactsRefused("engine", f"{name!r} is not one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name]


def activation_bytes(model: ModelFacts, engine: Engine, *, tensor: int, context: int, concurrency: int) -> int:
    """Peak working memory of one card beside weights and KV cache."""
    if engine.name == "vllm":
        sampling = _LOGIT_BYTES_VLLM * model.vocab * concurrency
        prefill = Fraction(_BATCHED_TOKENS_VLLM * _bytes_per_token(model), tensor)
        return _up(max(sampling, prefill))
    if engine.name == "transformers":
        prefill = Fraction(context * concurrency * _bytes_per_token(model), tensor)
        return _up(prefill) + concurrency * model.vocab * _LOGIT_BYTES_TRANSFORMERS
    return _MICRO_BATCH_LLAMA_CPP * model.vocab * 4


def runtime_bytes(engine: Engine, *, tensor: int) -> int:
    """Memory of the driver and of communication, which no framework counts as its own."""
    if engine.name == "vllm":
        return GIB + (GIB * 13 // 100 if tensor == 1 else GIB * 55 // 100)
    return _CUDA_CONTEXT


def window_slack(engine: Engine) -> int:
    """Tokens beyond the window that a sliding layer's cache holds while a batch is read in."""
    return {"vllm": _BATCHED_TOKENS_VLLM, "llama.cpp": _MICRO_BATCH_LLAMA_CPP}.get(engine.name, 0)


def _bytes_per_token(model: ModelFacts) -> int:
    if model.experts is not None:
        return 2 * 4 * model.hidden
    return 2 * ((3 if model.traits.gated else 2) * model.intermediate + 4 * model.hidden)


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
