"""`python -m governance.capacity estimate`: does a catalogue model fit on catalogue cards?

Exit status: 0 fits, 1 tight or does not fit, 2 the question makes no sense.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from governance.capacity.catalogue import gpu_named, model_named
from governance.capacity.dtypes import KV_DTYPES, WEIGHT_DTYPES
from governance.capacity.engines import ENGINES
from governance.capacity.facts import GIB, FactsRefused
from governance.capacity.memory import FitResult, estimate_inference

VERDICTS = {"fits": "fits", "tight": "tight: measure before relying on it", "does_not_fit": "does not fit"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; `arguments` None means those of the process."""
    options = _parser().parse_args(arguments)
    try:
        result = estimate_inference(
            model_named(options.model).facts,
            gpu=gpu_named(options.gpu).facts,
            gpu_count=options.count,
            tp=options.tensor_parallel,
            context=options.context,
            concurrency=options.concurrency,
            weight_dtype=options.weights,
            kv_dtype=options.kv,
            engine=options.engine,
        )
    except FactsRefused as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write((json.dumps(asdict(result), indent=2) if options.json else _text(result)) + "\n")
    return 0 if result.verdict == "fits" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m governance.capacity")
    commands = parser.add_subparsers(dest="command", required=True)
    estimate = commands.add_parser("estimate", help="does a model fit on these cards?")
    estimate.add_argument("--model", required=True, help='name or Hugging Face id, such as "Llama 3.1 70B"')
    estimate.add_argument("--gpu", required=True, help='name, such as "H100 80GB SXM5"')
    estimate.add_argument("--count", type=int, default=1, help="number of cards")
    estimate.add_argument("--tensor-parallel", type=int, help="cards that share a layer; all when left out")
    estimate.add_argument("--context", type=int, required=True, help="tokens of one answer, prompt included")
    estimate.add_argument("--concurrency", type=int, default=1, help="answers at once")
    estimate.add_argument("--weights", default="bf16", choices=sorted(WEIGHT_DTYPES))
    estimate.add_argument("--kv", default="bf16", choices=sorted(KV_DTYPES))
    estimate.add_argument("--engine", default="vllm", choices=sorted(ENGINES))
    estimate.add_argument("--json", action="store_true", help="bytes as JSON instead of GiB as text")
    return parser


def _text(result: FitResult) -> str:
    lines = [
        f"{result.gpu_count} x {result.gpu}, {result.engine}, {result.context} tokens x {result.concurrency}",
        f"Verdict: {VERDICTS[result.verdict]}",
        "",
        "On the fullest card, in GiB:",
    ]
    lines += [f"  {term.name:<14}{_gib(term.bytes):>9}   {term.how}" for term in result.terms]
    lines += [
        f"  {'need':<14}{_gib(result.need_bytes):>9}   {_gib(result.band_low)} to {_gib(result.band_high)}",
        f"  {'usable':<14}{_gib(result.usable_bytes):>9}",
        f"  {'left':<14}{_gib(result.margin_bytes):>9}",
        "",
        *[f"- {line}" for line in result.assumptions],
        f"- Formula {result.formula_version}.",
    ]
    return "\n".join(lines)


def _gib(amount: int) -> str:
    return f"{amount / GIB:.2f}"


if __name__ == "__main__":
    sys.exit(main())
