"""The events that are measured: what a pipeline reports of one evaluation, some 330 bytes of JSON each."""

import json
import uuid
from typing import Any, Final

SUBJECTS: Final = 9_973
"""Different subjects: evaluation runs, each of which reports a hundred events in a row."""

TYPE: Final = "evaluation.completed"
OCCURRED_AT: Final = "2026-11-24T09:00:00Z"
_ROW: Final = 100


def subject(number: int) -> str:
    """Which run the event is about."""
    return f"run-{number // _ROW % SUBJECTS}"


def event(number: int) -> dict[str, Any]:
    """An event as its sender writes it. Its id is new at every call, the rest follows from `number`."""
    return {
        "id": f"bench-{uuid.uuid4()}",
        "type": TYPE,
        "subject": subject(number),
        "occurred_at": OCCURRED_AT,
        "data": {"step": number, "metric": "accuracy", "value": "0.871", "note": "n" * 180},
    }


def body(number: int) -> bytes:
    """One event as the body of a request."""
    return json.dumps(event(number)).encode()


def batch_body(first: int, count: int) -> bytes:
    """`count` events as the body of a request."""
    return json.dumps([event(number) for number in range(first, first + count)]).encode()
