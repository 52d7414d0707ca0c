"""vLLM's metrics page (names as of 0.32 and 0.33): tokens and requests of each engine and model.

`vllm:prompt_tokens_total` includes tokens found in the prefix cache. `vllm:request_success_total` counts every
request that ended, also aborted and failed ones, by `finished_reason`. There is no counter of reasoning tokens: that
column stays empty. `vllm:iteration_tokens_total` is a histogram in spite of its name and is not asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from audit.collectors.reading import Count, MetricsMissing, Reading
from audit.formats import Sample, scaled
from audit.models import RecordKind

_REQUESTS: Final = "requests_"
_ALWAYS: Final = ("vllm:prompt_tokens_total", "vllm:generation_tokens_total")
# Sample name without its ending -> our name, ending, factor to the unit of our name.
_COUNTERS: Final = {
    "vllm:prompt_tokens": ("input_tokens", "_total", 1),
    "vllm:generation_tokens": ("output_tokens", "_total", 1),
    "vllm:prompt_tokens_cached": ("cached_tokens", "_total", 1),
    "vllm:request_success": (_REQUESTS, "_total", 1),
    "vllm:e2e_request_latency_seconds": ("duration_ms", "_sum", 1000),
}
_COLUMNS: Final = ("input_tokens", "output_tokens", "cached_tokens", "duration_ms")


class VllmCollector:
    """Usage of the models that one vLLM server serves."""

    records = RecordKind.USAGE
    wanted = frozenset(
        name for base, (_, ending, _) in _COUNTERS.items() for name in (f"{base}{ending}", f"{base}_created")
    )

    def read(self, samples: Sequence[Sample]) -> list[Reading]:
        """One reading for each engine and model name; see `Collector.read`."""
        present = {sample.name for sample in samples}
        if missing := [name for name in _ALWAYS if name not in present]:
            raise MetricsMissing(f"the page has no {' and no '.join(missing)}")
        values: dict[tuple[str, str], dict[str, int]] = {}
        began: dict[tuple[str, str], dict[str, int]] = {}
        for sample in samples:
            engine = sample.labels.get("engine", ""), sample.labels.get("model_name", "")
            created = sample.name.endswith("_created")
            base = sample.name.rpartition("_")[0]
            name, _, factor = _COUNTERS[base]
            if name == _REQUESTS:
                name += sample.labels.get("finished_reason", "")
            number = scaled(sample.value, 1_000_000 if created else factor)
            if number is not None and number >= 0:
                (began if created else values).setdefault(engine, {})[name] = number
        if not values:
            raise MetricsMissing("no counter of the page holds a number")
        return [
            Reading(
                series=f"engine={engine[0]},model={engine[1]}",
                model=engine[1],
                counts={name: Count(value, began.get(engine, {}).get(name)) for name, value in sorted(counts.items())},
            )
            for engine, counts in sorted(values.items())
        ]

    def columns(self, reading: Reading, growth: Mapping[str, int | None]) -> Mapping[str, int | None]:
        """See `Collector.columns`."""
        return {
            **{name: growth.get(name) for name in _COLUMNS},
            "requests": _sum([grown for name, grown in growth.items() if name.startswith(_REQUESTS)]),
        }


def _sum(parts: Sequence[int | None]) -> int | None:
    """The sum, or None when there are no parts or one of them is not known."""
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None
