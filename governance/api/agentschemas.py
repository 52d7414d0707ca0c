"""Shapes and examples of agents, tools, machines and oversight, for the OpenAPI document."""

from typing import Final

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from governance.api.schemas import DIGEST, ID, REGISTERED


class GapSchema(serializers.Serializer[dict[str, object]]):
    """A use of AI with a high risk that nobody oversees today."""

    use_case_id = serializers.UUIDField()
    ref = serializers.CharField()
    name = serializers.CharField()


class GapsSchema(serializers.Serializer[dict[str, object]]):
    """All of them."""

    items = GapSchema(many=True)


class RowSchema(serializers.Serializer[dict[str, object]]):
    """A row with every column, and what belongs to it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    row_version = serializers.IntegerField(help_text="What a change must name.")


class AgentSchema(RowSchema):
    """An agent with its newest versions, and the newest grant of each tool."""

    versions = serializers.ListField(child=serializers.DictField(), help_text="The newest 20, newest first.")
    grants = serializers.ListField(child=serializers.DictField(), help_text="`standing` says whether it is in force.")


class ToolSchema(RowSchema):
    """A tool with its newest versions."""

    versions = serializers.ListField(child=serializers.DictField(), help_text="The newest 20, newest first.")


class NodeSchema(RowSchema):
    """A machine with its cards, each with the pool it is in and the slices that stand."""

    devices = serializers.ListField(child=serializers.DictField())


def _example(name: str, value: dict[str, object]) -> list[OpenApiExample]:
    return [OpenApiExample(name, value=value, request_only=True), REGISTERED]


AGENT: Final = _example(
    "An agent",
    {
        "name": "claims-helper",
        "purpose": "Looks up the policy behind a claim.",
        "deployment_id": ID,
        "autonomy": "act_with_approval",
    },
)
AGENT_VERSION: Final = _example(
    "With budgets",
    {
        "version": "2026-11",
        "autonomy": "act_with_approval",
        "sponsor_id": ID,
        "system_prompt_sha256": DIGEST,
        "memory": "session",
        "models_allowed": [ID],
        "max_steps": 40,
        "max_reasoning_tokens": 20000,
        "max_cost": "2.50",
        "cost_currency": "EUR",
        "kill_switch_declared": True,
        "kill_switch": "Scale its deployment to zero.",
    },
)
GRANT: Final = _example(
    "Until the end of January",
    {
        "tool_version_id": ID,
        "reversibility": "irreversible",
        "requires_human": True,
        "scopes": ["mail:send"],
        "valid_until": "2027-02-01T00:00:00Z",
    },
)
TOOL: Final = _example("An MCP server", {"name": "mail.send", "kind": "mcp", "endpoint": "mcp://mail.example"})
TOOL_VERSION: Final = _example(
    "It cannot be undone",
    {
        "version": "3.1",
        "reversibility": "irreversible",
        "side_effects": "A message leaves the house.",
        "schema_sha256": DIGEST,
        "data_classes": ["contact"],
    },
)
NODE: Final = _example(
    "A rented machine",
    {
        "name": "tky2-gpu-07",
        "provider": "aws",
        "region": "ap-northeast-1",
        "hourly_cost": "31.20",
        "cost_currency": "USD",
    },
)
CARDS: Final = _example(
    "As CSV", {"report": "index, name, uuid\n0, NVIDIA L40S, GPU-9a9a6c50-2a47-2f51-a902-b82c3b127e94\n"}
)
SLICES: Final = _example(
    "One slice",
    {"slices": [{"profile": "3g.40gb", "gpu_instance": 1, "compute_instance": 0, "memory_bytes": 42412802048}]},
)
OVERSIGHT: Final = _example(
    "Somebody who may stop it",
    {
        "use_case_id": ID,
        "person_id": ID,
        "role": "Head of credit",
        "competence": "Ten years of credit decisions.",
        "training": "Oversight of AI, two days",
        "training_date": "2026-09-01",
        "authority": "all",
        "valid_from": "2026-12-01",
    },
)
