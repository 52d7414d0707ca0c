"""Does a model fit on these cards? Weights, KV cache, activations and run time of the fullest card, in bytes.

    KV per token   = 2 * layers * kv_heads * head_dim * bytes          (grouped and multi-query attention)
                   = layers * (kv_rank + rope_dim) * bytes             (latent attention: on every card)
    KV per answer  = per layer * (full layers * T + sliding layers * min(T, window + batch)), T in blocks
    fits           when need * (1 + band) <= usable
    does not fit   when need * (1 - band) >  usable
    tight          otherwise: measure before relying on it

`band` is the engine's own error: the 90th percentile on published measurements. A verdict never rests on the
nominal size of a card.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Final, Literal

from governance.capacity.dtypes import AS_STORED, WeightDtype, kv_bytes, weight_dtype, whole_bytes
from governance.capacity.engines import Engine, activation_bytes, engine_named, runtime_bytes, window_slack
from governance.capacity.facts import FactsRefused, GpuFacts, ModelFacts
from governance.capacity.parameters import count_parameters
from governance.capacity.split import Split, kv_heads_per_card, split_over, stage_layers

FORMULA_VERSION: Final = "inference-1"
DOUBTFUL_PERCENT: Final = 3
MAX_CONCURRENCY: Final = 65_536
MAX_CONTEXT: Final = 1 << 27


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the need, and how its size is known (`read from the files`, `formula`, `estimated`)."""

    name: str
    bytes: int
    how: str


@dataclass(frozen=True, slots=True)
class FitResult:
    """The estimate for the fullest card, with everything it rests on.

    Attributes:
        usable_bytes: what the engine may take of the memory that software sees.
        band_low, band_high: need at either end of the error band.
        kv_bytes_per_token: cache of one token of one answer on one card.
    """

    terms: tuple[Term, ...]
    need_bytes: int
    usable_bytes: int
    band_low: int
    band_high: int
    verdict: Literal["fits", "tight", "does_not_fit"]
    gpu: str
    gpu_count: int
    tensor_parallel: int
    pipeline_parallel: int
    context: int
    concurrency: int
    weight_dtype: str
    kv_dtype: str
    engine: str
    kv_bytes_per_token: int
    parameters: int
    assumptions: tuple[str, ...]
    formula_version: str = FORMULA_VERSION

    @property
    def margin_bytes(self) -> int:
        """What is left on the fullest card; negative when it lacks."""
        return self.usable_bytes - self.need_bytes

    def facts(self) -> dict[str, object]:
        """The result as it is stored and hashed: whole numbers, text and lists of them."""
        return {
            **asdict(self),
            "terms": [asdict(term) for term in self.terms],
            "assumptions": list(self.assumptions),
        }


def estimate_inference(
    model: ModelFacts,
    *,
    gpu: GpuFacts,
    gpu_count: int = 1,
    tp: int | None = None,
    context: int,
    concurrency: int = 1,
    weight_dtype: str = "bf16",
    kv_dtype: str = "bf16",
    engine: str = "vllm",
    adapters: Sequence[int | None] = (),
) -> FitResult:
    """Estimate one deployment; `tp` None means all cards are tensor-parallel.

    Args:
        adapters: bytes of each adapter that is loaded beside the model, None where nobody read its weights.

    Raises:
        FactsRefused: an impossible split, an unknown form or engine, or more context than the model has.
    """
    _check_load(model, context=context, concurrency=concurrency)
    split = split_over(model, gpu_count=gpu_count, tensor=tp)
    runs = engine_named(engine)
    weights, how = _weights(model, split, dtype=weight_dtype, engine=runs)
    terms = (
        Term("weights", weights, how),
        *_adapters(adapters),
        Term("kv_cache", _kv_cache(model, split, runs, kv_dtype, context, concurrency), "exact formula"),
        Term(
            "activations",
            activation_bytes(model, runs, tensor=split.tensor, context=context, concurrency=concurrency),
            "estimated",
        ),
        Term("runtime", runtime_bytes(runs, tensor=split.tensor), "published measurements"),
    )
    need = sum(term.bytes for term in terms)
    usable = gpu.total_bytes * runs.utilisation.numerator // runs.utilisation.denominator
    low, high = _scaled(need, 1 - runs.band), _scaled(need, 1 + runs.band)
    return FitResult(
        terms=terms,
        need_bytes=need,
        usable_bytes=usable,
        band_low=low,
        band_high=high,
        verdict="fits" if high <= usable else "does_not_fit" if low > usable else "tight",
        gpu=gpu.name,
        gpu_count=gpu_count,
        tensor_parallel=split.tensor,
        pipeline_parallel=split.pipeline,
        context=context,
        concurrency=concurrency,
        weight_dtype=weight_dtype,
        kv_dtype=kv_dtype,
        engine=engine,
        kv_bytes_per_token=_kv_per_token(model, split, kv_dtype),
        parameters=count_parameters(model).total,
        assumptions=(*_assumptions(model, gpu, runs), *_doubts(model, weight_dtype), *_beside(adapters)),
    )


def _check_load(model: ModelFacts, *, context: int, concurrency: int) -> None:
    if not 1 <= context <= MAX_CONTEXT:
        raise FactsRefused("context", f"must be between 1 and {MAX_CONTEXT} tokens.")
    if model.max_context is not None and context > model.max_context:
        raise FactsRefused("context", f"{model.name} was built for at most {model.max_context} tokens.")
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise FactsRefused("concurrency", f"must be between 1 and {MAX_CONCURRENCY} answers at once.")


def _weights(model: ModelFacts, split: Split, *, dtype: str, engine: Engine) -> tuple[int, str]:
    """Weights on the fullest card: bytes read from the files where they are known, else the formula."""
    form = _form(model, dtype)
    embedding = whole_bytes((form.bits if form.whole_file else 16) * Fraction(model.vocab * model.hidden))
    total, how = _whole_model(model, dtype), "formula"
    if model.weight_bytes is not None and dtype in {model.weight_dtype, AS_STORED}:
        total, how = model.weight_bytes, "bytes as stored" if dtype == AS_STORED else "read from the files"
    if engine.name == "llama.cpp" and not model.tie_embeddings:
        total -= embedding
    if split.pipeline > 1:
        ends = embedding if model.tie_embeddings else 2 * embedding
        total = _scaled(total - ends, Fraction(stage_layers(model, split), model.layers)) + embedding
    return -(-total // split.tensor), how


def _form(model: ModelFacts, dtype: str) -> WeightDtype:
    """Bits of a weight; `as-stored` is the average over all that the files hold, so that their bytes come out."""
    if dtype != AS_STORED:
        return weight_dtype(dtype)
    if model.weight_bytes is None:
        raise FactsRefused("weight_dtype", f"nobody read how many bytes the files of {model.name} hold; choose a form.")
    return WeightDtype(Fraction(8 * model.weight_bytes, count_parameters(model).total), whole_file=True)


def _adapters(adapters: Sequence[int | None]) -> Iterator[Term]:
    total = sum(size or 0 for size in adapters)
    if total:
        yield Term("adapters", total, "read from the files")


def _beside(adapters: Sequence[int | None]) -> Iterator[str]:
    """What the size of adapters rests on."""
    if adapters:
        yield "Every card holds each adapter whole. An engine that reserves room for the largest rank takes more."
    unread = sum(size is None for size in adapters)
    if unread:
        yield f"Nobody read the weights of {unread} of {len(adapters)} adapters; they count as nothing here."


def _whole_model(model: ModelFacts, dtype: str) -> int:
    form, count = _form(model, dtype), count_parameters(model)
    if form.whole_file:
        return whole_bytes(form.bits * count.total)
    if form.experts_only:
        return whole_bytes(form.bits * count.experts + 16 * (count.total - count.experts))
    kept = count.embedding + count.norms
    return whole_bytes(form.bits * (count.total - kept) + 16 * kept)


def _kv_per_token(model: ModelFacts, split: Split, dtype: str) -> int:
    per_layer = _kv_values_per_layer(model, split) * kv_bytes(dtype)
    return _scaled(stage_layers(model, split), per_layer)


def _kv_values_per_layer(model: ModelFacts, split: Split) -> int:
    if model.latent is not None:
        return model.latent.kv_rank + model.latent.rope_dim
    return 2 * kv_heads_per_card(model, split) * model.head_dim


def _kv_cache(model: ModelFacts, split: Split, engine: Engine, dtype: str, context: int, concurrency: int) -> int:
    tokens = -(-context // engine.block) * engine.block
    layers = stage_layers(model, split)
    sliding = min(layers, model.sliding_layers // split.pipeline)
    window = tokens
    if model.sliding_window is not None:
        window = min(tokens, model.sliding_window + window_slack(engine))
    kept = (layers - sliding) * tokens + sliding * window
    return concurrency * _scaled(kept, _kv_values_per_layer(model, split) * kv_bytes(dtype))


def _assumptions(model: ModelFacts, gpu: GpuFacts, engine: Engine) -> tuple[str, ...]:
    found = list(engine.notes)
    found.append("Every answer may grow to the full context.")
    found.append(f"Memory of the card: {gpu.basis}.")
    if model.weight_bytes is None:
        found.append("Nobody read the weight files; their size is the parameter count times the dtype.")
    if not model.traits_known:
        found.append(f"The family {model.model_type!r} is unknown here; layers are taken to be built like Llama's.")
    return tuple(found)


def _doubts(model: ModelFacts, dtype: str) -> Iterator[str]:
    """What the bytes of files rest on. Files that hold much more or less than their shape says: one of the two is
    wrong, or tensors are extra.
    """
    if dtype == AS_STORED and model.weight_bytes is not None:
        yield f"The weights are the {model.weight_bytes} bytes that the files hold, stored as {model.weight_dtype}."
    if model.weight_bytes is None or dtype != model.weight_dtype:
        return
    expected = _whole_model(model, dtype)
    percent = round(100 * (model.weight_bytes - expected) / expected)
    if abs(percent) >= DOUBTFUL_PERCENT:
        yield f"The files hold {percent:+} % of what parameter count and dtype give: look at them before relying on it."


def _scaled(value: int, factor: Fraction) -> int:
    return -(-value * factor.numerator // factor.denominator)
