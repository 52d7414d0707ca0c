"""The demo's vLLM page: every series of a page that vLLM 0.32 printed, with the values of the demo's engine."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from demo.exporters.engine import Engine, Request, engine_at

_PAGE: Final = Path(__file__).with_name("vllm_page.txt")
_LINE: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)")
_LABEL: Final = re.compile(r'([a-z_]+)="([^"]*)"')
_PARAMETERS: Final = 8_190_735_360  # Qwen3-8B; two floating point operations each and token
_WEIGHT_BYTES: Final = 16_381_470_720

Weighted = Sequence[tuple[float, int]]
"""Values and how often each was observed."""

_HISTOGRAMS: Final[Mapping[str, Callable[[Request], Weighted]]] = {
    "vllm:request_prompt_tokens": lambda r: [(r.prompt, 1)],
    "vllm:request_generation_tokens": lambda r: [(r.output, 1)],
    "vllm:iteration_tokens_total": lambda r: [(r.prompt - r.cached + 1, 1), (1, r.output - 1)],
    "vllm:request_max_num_generation_tokens": lambda r: [(r.output, 1)],
    "vllm:request_params_n": lambda _: [(1, 1)],
    "vllm:request_params_max_tokens": lambda _: [(1024, 1)],
    "vllm:time_to_first_token_seconds": lambda r: [(r.queued + r.prefill, 1)],
    "vllm:inter_token_latency_seconds": lambda r: [(r.decode / (r.output - 1), r.output - 1)],
    "vllm:request_time_per_output_token_seconds": lambda r: [(r.decode / (r.output - 1), 1)],
    "vllm:e2e_request_latency_seconds": lambda r: [(r.queued + r.prefill + r.decode, 1)],
    "vllm:request_queue_time_seconds": lambda r: [(r.queued, 1)],
    "vllm:request_inference_time_seconds": lambda r: [(r.prefill + r.decode, 1)],
    "vllm:request_prefill_time_seconds": lambda r: [(r.prefill, 1)],
    "vllm:request_decode_time_seconds": lambda r: [(r.decode, 1)],
    "vllm:request_num_preemptions": lambda _: [(0, 1)],
    "vllm:request_prefill_kv_computed_tokens": lambda r: [(r.prompt - r.cached, 1)],
}
_BY_SOURCE: Final[Mapping[str, Callable[[Engine], float]]] = {
    "local_compute": lambda e: e.prompt - e.cached,
    "local_cache_hit": lambda e: e.cached,
    "device": lambda e: e.cached,
}
_PLAIN: Final[Mapping[str, Callable[[Engine, Mapping[str, str]], float]]] = {
    "process_start_time_seconds": lambda e, _: e.began,
    "vllm:num_requests_running": lambda e, _: len(e.running),
    "vllm:kv_cache_usage_perc": lambda e, _: round(min(1.0, 0.05 * len(e.running)), 4),
    "vllm:estimated_flops_per_gpu_total": lambda e, _: 2.0 * _PARAMETERS * (e.prompt - e.cached + e.output),
    "vllm:estimated_read_bytes_per_gpu_total": lambda e, _: float(_WEIGHT_BYTES * e.output),
    "vllm:prefix_cache_queries_total": lambda e, _: e.prompt,
    "vllm:prefix_cache_hits_total": lambda e, _: e.cached,
    "vllm:prompt_tokens_total": lambda e, _: e.prompt,
    "vllm:prompt_tokens_by_source_total": lambda e, labels: _by_source(e, labels),
    "vllm:prompt_tokens_cached_total": lambda e, _: e.cached,
    "vllm:prompt_tokens_cached_by_source_total": lambda e, labels: _by_source(e, labels),
    "vllm:generation_tokens_total": lambda e, _: e.output,
    "vllm:request_success_total": lambda e, labels: sum(r.reason == labels["finished_reason"] for r in e.done),
}


def _by_source(engine: Engine, labels: Mapping[str, str]) -> float:
    found = _BY_SOURCE.get(labels["source"])
    return found(engine) if found else 0.0


def vllm_page(*, start: float, now: float) -> str:
    """The page at Unix time `now`, of a server whose first process began at `start`. Prometheus text 0.0.4."""
    engine = engine_at(start=start, now=now)
    observed = {base: [pair for r in engine.done for pair in of(r)] for base, of in _HISTOGRAMS.items()}
    lines = []
    for line in _PAGE.read_text(encoding="utf-8").splitlines():
        match = None if line.startswith("#") else _LINE.fullmatch(line)
        if match is None:
            lines.append(line)
            continue
        name, labels, printed = match[1], match[2] or "", match[3]
        value = _value(name, dict(_LABEL.findall(labels)), engine, observed)
        lines.append(f"{name}{labels} {printed if value is None else repr(float(value))}")
    return "\n".join(lines) + "\n"


def _value(name: str, labels: Mapping[str, str], engine: Engine, observed: Mapping[str, Weighted]) -> float | None:
    """The value of a series; None for one that keeps what the template says."""
    if name in _PLAIN:
        return _PLAIN[name](engine, labels)
    if name.startswith("vllm:") and name.endswith("_created"):
        return engine.began
    base, _, part = name.rpartition("_")
    if base not in observed:
        return None
    if part == "bucket":
        limit = float(labels["le"])
        return sum(count for value, count in observed[base] if value <= limit)
    if part == "sum":
        return sum(value * count for value, count in observed[base])
    return sum(count for _, count in observed[base])
