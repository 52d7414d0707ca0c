"""Sample bodies for the OpenAPI document; `/api/docs` makes its curl lines from them."""

from drf_spectacular.utils import OpenApiExample

EVENT = {
    "id": "train-2026-11-24-0001",
    "type": "training.completed",
    "subject": "credit-memo-draft",
    "occurred_at": "2026-11-24T09:00:00Z",
    "data": {"run": "a81f", "steps": 1200, "loss": "1.842"},
}

RECORDED = {
    "index": 41,
    "id": "019abc6e-7a50-7cc1-8a63-3d0f5a8e6c11",
    "leaf_hash": "0b5d8a" + "0" * 58,
    "received_at": "2026-11-24T09:00:00.120000Z",
    "status": "created",
}

EVENT_EXAMPLES = [
    OpenApiExample("One event", value=EVENT, request_only=True),
    OpenApiExample("A batch", value=[EVENT, {**EVENT, "id": "train-2026-11-24-0002"}], request_only=True),
]
