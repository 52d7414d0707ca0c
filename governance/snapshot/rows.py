"""What of each governed row stands in the ledger: every column, so that a table can be compared with the log.

A snapshot holds strings, whole numbers, booleans, nulls and lists of strings. A reference is the id it points
to, a time is RFC 3339 in UTC with six decimals, a day YYYY-MM-DD, an amount with decimals is text.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from uuid import UUID

Value = str | int | bool | list[str] | None


class UnknownKind(LookupError):
    """Rows of this kind are not governed."""


FIELDS: Final = MappingProxyType(
    {
        "model": (
            "id", "name", "hf_id", "family", "developer", "licence", "licence_source", "registered_at",
            "row_version",
        ),
        "model_version": (
            "id", "model_id", "version", "architecture", "model_type", "params_total", "params_active",
            "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocab", "tie_embeddings",
            "qkv_bias", "output_bias", "experts", "experts_per_token", "expert_intermediate",
            "shared_experts", "dense_layers", "query_rank", "kv_rank", "rope_dim", "nope_dim", "value_dim",
            "sliding_window", "sliding_layers", "max_context", "torch_dtype", "weight_dtype",
            "weight_bytes", "facts_from", "source", "config_sha256", "index_sha256", "header_sha256",
            "registered_by", "registered_at",
        ),
        "adapter": (
            "id", "name", "version", "base_id", "base_name", "base_revision", "base_match", "method", "peft_type",
            "task_type", "r", "largest_rank", "lora_alpha", "lora_dropout", "target_modules", "target_pattern",
            "modules_to_save", "use_rslora", "quantised_base", "params", "weight_bytes", "config_sha256",
            "header_sha256", "weights_sha256", "licence", "source", "registered_by", "registered_at",
        ),
        "gpu_model": (
            "id", "name", "vendor", "architecture", "memory_type", "memory_nominal_gb", "memory_bytes",
            "memory_basis", "bandwidth_gb_s", "bf16_tflops", "fp8_tflops", "tdp_w", "form_factor",
            "mig_profiles", "sources", "unverified_fields", "notes", "added", "registered_at",
            "row_version",
        ),
        "gpu_pool": (
            "id", "name", "gpu_model_id", "count", "node", "region", "hosting", "gpu_node_id",
            "registered_at", "row_version",
        ),
        "deployment": (
            "id", "number", "name", "purpose", "owner_id", "approved_revision_id", "use_case_id", "registered_at",
            "row_version",
        ),
        "revision": (
            "id", "deployment_id", "number", "digest", "content", "model_version_id", "gpu_pool_id",
            "gpu_count", "tensor_parallel", "context", "concurrency", "weight_dtype", "kv_dtype", "engine",
            "engine_version", "runtime_image", "reasoning_cap", "environment", "region", "tool_grants",
            "adapters", "created_by", "created_at",
        ),
        "request": (
            "id", "number", "deployment_id", "revision_id", "kind", "state", "requester_id", "submitted_by",
            "justification", "revision_digest", "decision_digest", "approval_policy",
            "approval_policy_digest", "pool", "quorum", "evidence", "evidence_digest",
            "previous_revision_id", "submitted_at", "closed_at", "stage", "round", "previous_request_id", "tier",
            "due_at", "valid_until", "ended_at", "row_version",
        ),
        "decision": (
            "id", "request_id", "requester_id", "decider_id", "account_id", "decision", "reason",
            "digest_seen", "decided_at", "stage", "sealed_id",
        ),
        "agent": (
            "id", "name", "purpose", "owner_id", "deployment_id", "autonomy", "registered_at", "row_version",
        ),
        "tool_grant": (
            "id", "agent_id", "tool", "number", "reversibility", "agent_version_id", "tool_version_id", "scopes",
            "parameter_constraints", "requires_human", "valid_until", "granted_by", "granted_at",
        ),
        "comparison": ("id", "deployment_id", "title", "content", "digest", "recorded_by", "recorded_at"),
        "use_case": (
            "id", "number", "name", "intended_purpose", "out_of_scope_uses", "owner_id", "eu_role",
            "member_states", "begin_date", "end_date", "classification_id", "tier", "registered_at",
            "row_version",
        ),
        "classification": (
            "id", "use_case_id", "number", "tree", "tree_version", "tree_digest", "path", "result", "tier",
            "outcome", "digest", "classified_by", "classified_at",
        ),
        "request_stage": (
            "id", "request_id", "sequence", "name", "pool", "quorum", "blind", "conditions_allowed", "due_at",
        ),
        "request_exclusion": ("id", "request_id", "stage", "person_id", "why"),
        "request_evidence": ("id", "request_id", "evidence_id", "sha256", "digest", "standing"),
        "reapproval_trigger": (
            "id", "request_id", "deployment_id", "cause", "effect", "subject", "entry_index", "detail", "raised_at",
        ),
        "sealed_decision": (
            "id", "request_id", "stage", "requester_id", "decider_id", "account_id", "commitment", "digest_seen",
            "decided_at",
        ),
        "condition": (
            "id", "request_id", "decision_id", "number", "text", "due_at", "on_breach", "state", "met_at",
            "met_by_id", "evidence", "row_version",
        ),
        "approval_policy": (
            "id", "name", "version", "weight", "applies_when", "content", "digest", "state", "proposed_by_id",
            "reason", "proposed_at", "decided_by_id", "decision_reason", "decided_at", "row_version",
        ),
        "model_artefact": (
            "id", "model_version_id", "adapter_id", "kind", "name", "sha256", "size_bytes", "format", "address",
            "registered_by", "registered_at",
        ),
        "model_relation": (
            "id", "child_id", "parent_id", "parent_name", "parent_revision", "relation", "declared_in",
            "declared_by", "declared_at",
        ),
        "quantisation": (
            "id", "model_version_id", "scheme", "detail", "bits", "group_size", "calibration", "kv_cache_dtype",
            "source_version_id", "tool", "declared_in", "declared_by", "declared_at",
        ),
        "standing": (
            "id", "subject_kind", "subject_id", "number", "state", "reason", "successor_id", "actor", "person_id",
            "changed_at",
        ),
        "agent_version": (
            "id", "agent_id", "number", "version", "autonomy", "description", "system_prompt_sha256", "memory",
            "models_allowed", "delegates_to", "max_steps", "max_tokens", "max_reasoning_tokens",
            "max_wall_seconds", "max_cost", "cost_currency", "sponsor_id", "kill_switch_declared", "kill_switch",
            "content", "digest", "registered_by", "registered_at",
        ),
        "tool": ("id", "name", "kind", "endpoint", "owner_id", "registered_at", "row_version"),
        "tool_version": (
            "id", "tool_id", "number", "version", "schema_sha256", "reversibility", "side_effects",
            "data_classes", "description", "registered_by", "registered_at",
        ),
        "tool_grant_revocation": ("id", "grant_id", "reason", "revoked_by", "revoked_at"),
        "gpu_node": (
            "id", "name", "provider", "region", "hourly_cost", "cost_currency", "owner_id", "notes",
            "registered_at", "row_version",
        ),
        "gpu_device": (
            "id", "node_id", "gpu_model_id", "uuid", "serial", "slot", "driver_version", "firmware",
            "registered_by", "registered_at",
        ),
        "mig_slice": (
            "id", "device_id", "layout", "profile", "gpu_instance", "compute_instance", "memory_bytes",
            "registered_by", "registered_at",
        ),
        "pool_device": ("id", "pool_id", "device_id", "number", "left", "recorded_by", "since"),
        "oversight_assignment": (
            "id", "use_case_id", "person_id", "role", "competence", "training", "training_date", "authority",
            "valid_from", "valid_until", "assigned_by", "assigned_at",
        ),
        "oversight_end": ("id", "assignment_id", "reason", "ended_by", "ended_at"),
        "pool_change": (
            "id", "number", "account_id", "person_id", "group_id", "pool", "change", "mode", "reason", "state",
            "proposed_by_id", "proposed_account_id", "proposed_at", "decided_by_id", "decided_account_id",
            "decision_reason", "decided_at", "row_version",
        ),
        "finding": ("id", "kind", "subject", "scope", "entry_index", "detail", "raised_at"),
        "dataset": ("id", "name", "dataset_type", "intended_use", "owner_id", "registered_at", "row_version"),
        "dataset_version": (
            "id", "dataset_id", "version", "dataset_size", "data_collection_process", "data_preprocessing",
            "known_bias", "confidentiality_level", "has_sensitive_personal_information",
            "anonymization_method_used", "licence", "provenance", "sha256", "source", "registered_by",
            "registered_at",
        ),
        "dataset_use": (
            "id", "dataset_version_id", "model_version_id", "adapter_id", "purpose", "note", "recorded_by",
            "recorded_at",
        ),
        "metric_threshold": (
            "id", "model_id", "use_case_id", "metric", "slice", "version", "shape", "limit_value",
            "upper_value", "reason", "valid_from", "set_by", "set_at",
        ),
        "evaluation_run": (
            "id", "number", "model_version_id", "adapter_id", "use_case_id", "dataset_version_id",
            "weight_dtype", "quantisation", "hardware", "protocol", "tool", "tool_version", "run_at",
            "artefact_sha256", "artefact_address", "signed_by", "notes", "pushed_by", "recorded_at",
        ),
        "metric": (
            "id", "run_id", "number", "name", "type", "slice", "value", "unit", "lower_bound", "upper_bound",
            "decision_threshold", "passes_from", "passes_from_open", "passes_to", "passes_to_open", "status",
        ),
        "evidence": (
            "id", "number", "title", "kind", "subject_kind", "subject_id", "sha256", "size_bytes",
            "media_type", "address", "collected_at", "valid_until", "classification", "owner_id",
            "supersedes_id", "recorded_by", "recorded_at",
        ),
        "evidence_revocation": ("id", "evidence_id", "reason", "revoked_by", "revoked_at"),
        "webhook": (
            "id", "name", "url_host", "url_sha256", "kinds", "active", "owner_id", "secret_set_at",
            "previous_until", "registered_at", "row_version",
        ),
    }
)  # fmt: skip
"""Columns of each governed table; a test holds them against the models, so none can be left out."""

KEPT_BACK: Final = MappingProxyType(
    {
        "sealed_decision": ("content", "salt"),
        "webhook": ("url", "secret", "previous_secret"),
    }
)
"""Columns that the ledger may not tell yet. They hold nothing that could be changed unseen: `commitment` is over both,
and stands in the snapshot; the digest of a webhook's address and the times of its secrets stand there too."""


def snapshot(kind: str, row: object) -> dict[str, Value]:
    """The full snapshot of `row`, an object with an attribute for each column of `kind`.

    Raises:
        UnknownKind: `kind` is not a key of `FIELDS`.
    """
    if kind not in FIELDS:
        raise UnknownKind(f"Rows of kind {kind!r} have no snapshot.")
    return {field: _plain(getattr(row, field)) for field in FIELDS[kind]}


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    raise TypeError(f"A {type(value).__name__} has no form in the ledger.")
