"""Shapes and examples of the registry's answers, for the OpenAPI document."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from audit.api.schemas import ProblemSchema

ID: Final = "0199f3c2-7a41-4d0e-9b55-3f1c2ae80d77"
DIGEST: Final = "9f27c3e0b84a16d5726fa9013ce8d5540b71f26a98c3e407d15a6bb2fe90c743"


class RegisteredSchema(serializers.Serializer[dict[str, object]]):
    """What was written: the row, and the entries that tell it."""

    id = serializers.UUIDField()
    entries = serializers.ListField(child=serializers.IntegerField(), help_text="Indexes in the ledger.")


class ListedSchema(serializers.Serializer[dict[str, object]]):
    """A page of rows, each with every column, as the ledger holds them."""

    items = serializers.ListField(child=serializers.DictField())
    next = serializers.UUIDField(allow_null=True, help_text="Send it as `after` for the next page.")


class RequestSchema(serializers.Serializer[dict[str, object]]):
    """A request as it was asked and as it stands."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["open", "approved", "rejected", "withdrawn"])
    deployment_id = serializers.UUIDField()
    revision_id = serializers.UUIDField()
    revision_digest = serializers.CharField()
    decision_digest = serializers.CharField(help_text="What a decision must name as digest_seen.")
    evidence = serializers.CharField(help_text="The capacity estimate, as the text that was hashed.")
    justification = serializers.CharField()


class ApprovalSchema(serializers.Serializer[dict[str, object]]):
    """May this revision run?"""

    revision_digest = serializers.CharField()
    may_run = serializers.BooleanField(help_text="Approved, and not replaced by a later approval.")
    state = serializers.ChoiceField(choices=["open", "approved", "rejected", "withdrawn"])
    current = serializers.BooleanField()
    deployment = serializers.CharField()
    deployment_id = serializers.UUIDField()
    revision = serializers.IntegerField()
    request = serializers.CharField()
    request_id = serializers.UUIDField()
    decision_digest = serializers.CharField()
    conditions = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)
    entry = serializers.IntegerField(allow_null=True, help_text="Index of the entry that says so.")
    receipt = serializers.CharField(allow_null=True, help_text="Its proof; null until it is signed.")


BY_LOG_IN: Final[Any] = [{"cookieAuth": []}]
"""Security of an address that tokens cannot use; the library wants the objects but is typed for names."""

PROBLEMS: Final = {(status, "application/json"): ProblemSchema for status in (400, 401, 403, 404, 409, 413)}
PAGING: Final = [
    OpenApiParameter("name", OpenApiTypes.STR, description="Only rows of exactly this name."),
    OpenApiParameter("after", OpenApiTypes.UUID, description="`next` of the page before."),
    OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200; 50 when left out."),
]
REGISTERED: Final = OpenApiExample(
    "Recorded", value={"id": ID, "entries": [41, 42]}, response_only=True, status_codes=["201"]
)
VERSION: Final = [
    OpenApiExample("From the catalogue", value={"catalogue": "Qwen3 8B", "version": "2025-04"}, request_only=True),
    OpenApiExample(
        "From its files",
        value={
            "model_name": "TinyLlama 1.1B",
            "version": "v1.0",
            "source": "huggingface.co/TinyLlama/TinyLlama-1.1B-Chat-v1.0, read 2026-11-24",
            "config": '{"model_type":"llama","hidden_size":2048,"num_attention_heads":32,'
            '"num_key_value_heads":4,"num_hidden_layers":22,"intermediate_size":5632,"vocab_size":32000,'
            '"max_position_embeddings":2048,"torch_dtype":"bfloat16"}',
        },
        request_only=True,
    ),
    REGISTERED,
]
POOL: Final = [
    OpenApiExample(
        "Two L40S",
        value={
            "name": "osaka-l40s",
            "gpu_model": "L40S",
            "count": 2,
            "node": "osk1-gpu-01",
            "region": "jp-west",
            "hosting": "on_prem",
        },
        request_only=True,
    ),
    REGISTERED,
]
ASK: Final = [
    OpenApiExample(
        "A new deployment",
        value={
            "name": "call-summary",
            "purpose": "Summaries of calls for agents; a person reads them first.",
            "justification": "Agents spend a quarter of their time on notes.",
            "model_version_id": ID,
            "gpu_pool_id": ID,
            "gpu_count": 1,
            "context": 8192,
            "concurrency": 8,
            "reasoning_cap": 2048,
        },
        request_only=True,
    ),
    REGISTERED,
]
DECISION: Final = [
    OpenApiExample(
        "Approve",
        value={
            "decision": "approve",
            "reason": "It fits with room to spare and the use is within policy.",
            "digest_seen": DIGEST,
        },
        request_only=True,
    ),
    REGISTERED,
]
APPROVAL: Final = OpenApiExample(
    "Approved",
    value={
        "revision_digest": DIGEST,
        "may_run": True,
        "state": "approved",
        "current": True,
        "deployment": "call-summary",
        "deployment_id": ID,
        "revision": 1,
        "request": "REQ-0001",
        "request_id": ID,
        "decision_digest": DIGEST,
        "conditions": [],
        "expires_at": None,
        "entry": 44,
        "receipt": "c2sp.org/tlog-proof@v1\n…",
    },
    response_only=True,
    status_codes=["200"],
)
