"""The demo's MLOps pipeline: a real client that records usage, tool calls and evaluations over REST.

It has a token and nothing else: no database, no Django. What it sends is what a pipeline of the demo organisation
would send, made from a seeded generator, so that two runs from the same start differ only in their times.
"""

import argparse
import hashlib
import json
import random
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import httpx

_PERIOD_SECONDS = 3
_TIMEOUT = httpx.Timeout(10)
_OVER_CAP_EVERY = 7
_REFUND_EVERY = 11


@dataclass(frozen=True, slots=True)
class Story:
    """What the pipeline speaks about: ids that Assay issued."""

    deployment: str
    agent: str
    reasoning_cap: int


def rounds(story: Story, *, run: str, seed: int) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Usage records and events of one round after another, without their times.

    Every seventh round one answer thinks beyond the cap; every eleventh the agent calls a tool it was not granted.
    """
    dice = random.Random(seed)
    number = 0
    while True:
        number += 1
        usage = [_usage(story, dice, f"{run}-u{number}-{item}") for item in range(dice.randint(2, 6))]
        if number % _OVER_CAP_EVERY == 1:
            usage[0] |= {"reasoning_tokens": story.reasoning_cap + 911, "output_tokens": story.reasoning_cap + 1240}
        events = [_tool_call(story, dice, f"{run}-t{number}", "crm.lookup", side_effect=False)]
        if number % _REFUND_EVERY == 1:
            events.append(_tool_call(story, dice, f"{run}-r{number}", "payments.refund", side_effect=True))
        if number == 1:
            events.append(_evaluation(story, f"{run}-e{number}"))
        yield usage, events


def _usage(story: Story, dice: random.Random, name: str) -> dict[str, Any]:
    answer = dice.randint(60, 480)
    reasoning = dice.randint(0, story.reasoning_cap // 2)
    prompt = dice.randint(700, 6_000)
    return {
        "id": name,
        "subject": story.deployment,
        "model": "Qwen/Qwen3-8B",
        "operation": "chat",
        "input_tokens": prompt,
        "output_tokens": answer + reasoning,
        "reasoning_tokens": reasoning,
        "cached_tokens": dice.randint(0, prompt // 2),
        "duration_ms": 40 + 9 * (answer + reasoning),
        "finish_reason": "stop",
    }


def _tool_call(story: Story, dice: random.Random, name: str, tool: str, *, side_effect: bool) -> dict[str, Any]:
    arguments = json.dumps({"policy": dice.randint(10_000, 99_999)}).encode()
    return {
        "id": name,
        "type": "agent.tool_call",
        "subject": story.agent,
        "data": {
            "agent": story.agent,
            "deployment": story.deployment,
            "tool": tool,
            "tool_call_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "arguments_sha256": hashlib.sha256(arguments).hexdigest(),
            "side_effect": side_effect,
            "outcome": "ok",
        },
    }


def _evaluation(story: Story, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "evaluation.completed",
        "subject": story.deployment,
        "data": {"suite": "claims-ja-v4", "metric": "accuracy", "value": "0.871", "threshold": "0.850"},
    }


def send(client: httpx.Client, path: str, batch: list[dict[str, Any]]) -> None:
    """Send one batch; sent again with the same ids it would be answered with the first receipts."""
    now = datetime.now(UTC).isoformat()
    answer = client.post(path, json=[{**item, "occurred_at": now} for item in batch])
    answer.raise_for_status()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.pipeline", description=__doc__)
    parser.add_argument("--url", required=True, help="address of Assay, e.g. http://127.0.0.1:8000")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--story", required=True, help="JSON with deployment, agent and reasoning_cap")
    parser.add_argument("--rounds", type=int, default=0, help="stop after so many rounds (default: never)")
    options = parser.parse_args()
    story = Story(**json.loads(options.story))
    token = options.token_file.read_text(encoding="ascii").strip()
    pause = Event()
    run = f"demo-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with httpx.Client(base_url=options.url, headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT) as client:
        for number, (usage, events) in enumerate(rounds(story, run=run, seed=7), 1):
            try:
                send(client, "/api/v1/usage", usage)
                send(client, "/api/v1/events", events)
            except httpx.HTTPError as error:
                sys.stderr.write(f"round {number} was not recorded: {error}\n")
            if options.rounds and number >= options.rounds:
                return 0
            pause.wait(_PERIOD_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
