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


class UseCaseSchema(serializers.Serializer[dict[str, object]]):
    """A use case with every column, and its newest classifications."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    name = serializers.CharField()
    intended_purpose = serializers.CharField()
    out_of_scope_uses = serializers.CharField()
    owner_id = serializers.UUIDField()
    eu_role = serializers.CharField()
    member_states = serializers.ListField(child=serializers.CharField())
    begin_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)
    classification_id = serializers.UUIDField(allow_null=True)
    tier = serializers.CharField(help_text="Of the newest classification; unclassified without one.")
    registered_at = serializers.DateTimeField()
    row_version = serializers.IntegerField(help_text="What a classification must name.")
    classifications = serializers.ListField(child=serializers.DictField(), help_text="The newest 20, newest first.")


class TreeSchema(serializers.Serializer[dict[str, object]]):
    """A version of the decision tree."""

    id = serializers.CharField()
    version = serializers.CharField(help_text="What a classification must name as tree_version.")
    title = serializers.CharField()
    disclaimer = serializers.CharField()
    legal_text = serializers.CharField(help_text="The consolidated text that the tree follows.")
    digest = serializers.CharField(help_text="SHA-256 of the tree's file.")
    start = serializers.CharField()
    after_high = serializers.CharField(help_text="Where the questions go on after a high result.")
    questions = serializers.DictField(child=serializers.DictField())
    rules = serializers.DictField(child=serializers.DictField())
    results = serializers.DictField(child=serializers.DictField())


BY_LOG_IN: Final[Any] = [{"cookieAuth": []}]
"""Security of an address that tokens cannot use; the library wants the objects but is typed for names."""

PROBLEMS: Final = {(status, "application/json"): ProblemSchema for status in (400, 401, 403, 404, 409, 413)}
PAGING: Final = [
    OpenApiParameter("name", OpenApiTypes.STR, description="Only rows of exactly this name."),
    OpenApiParameter("after", OpenApiTypes.UUID, description="`next` of the page before."),
    OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200; 50 when left out."),
    OpenApiParameter(
        "format",
        OpenApiTypes.STR,
        enum=["json", "csv"],
        description="csv gives the same rows as text/csv; the next page then stands in the header Link.",
    ),
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
USE_CASE: Final = [
    OpenApiExample(
        "A chatbot",
        value={
            "name": "Support chatbot",
            "intended_purpose": "Answers questions about products; a person takes over on request.",
            "eu_role": "deployer",
            "member_states": ["DE", "FR"],
            "begin_date": "2027-01-04",
        },
        request_only=True,
    ),
    REGISTERED,
]
CLASSIFICATION: Final = [
    OpenApiExample(
        "Not an AI system",
        value={
            "tree_version": "2026.11.23",
            "row_version": 1,
            "answers": [
                {"node": "s1", "answer": "no", "reason": "A macro with fixed rules that people wrote."},
                {"node": "s1b", "answer": "no", "reason": "There is no model in it."},
            ],
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
        "stage": 1,
        "stages": 1,
        "round": 1,
        "current": True,
        "deployment": "call-summary",
        "deployment_id": ID,
        "revision": 1,
        "request": "REQ-0001",
        "request_id": ID,
        "decision_digest": DIGEST,
        "conditions": [],
        "warnings": [],
        "expires_at": "2027-11-24T09:00:00Z",
        "entry": 44,
        "receipt": "c2sp.org/tlog-proof@v1\n…",
    },
    response_only=True,
    status_codes=["200"],
)
