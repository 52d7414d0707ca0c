"""Shapes and examples of the answers about data sets, evaluations and evidence, for the OpenAPI document."""

from typing import Final

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from governance.api.schemas import DIGEST, ID, REGISTERED


class DatasetSchema(serializers.Serializer[dict[str, object]]):
    """A data set with every column, its newest versions and their uses."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    dataset_type = serializers.CharField()
    intended_use = serializers.CharField()
    owner_id = serializers.UUIDField()
    registered_at = serializers.DateTimeField()
    row_version = serializers.IntegerField(help_text="What a change must name.")
    versions = serializers.ListField(child=serializers.DictField(), help_text="The newest 50, newest first.")
    uses = serializers.ListField(child=serializers.DictField(), help_text="The newest 50, newest first.")


class EvaluationSchema(serializers.Serializer[dict[str, object]]):
    """A run with every column, and its metrics."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    model_version_id = serializers.UUIDField()
    adapter_id = serializers.UUIDField(allow_null=True)
    use_case_id = serializers.UUIDField(allow_null=True)
    dataset_version_id = serializers.UUIDField(allow_null=True)
    weight_dtype = serializers.CharField()
    protocol = serializers.CharField()
    run_at = serializers.DateTimeField()
    pushed_by = serializers.CharField()
    status = serializers.ChoiceField(choices=["passed", "failed", "no_threshold"], help_text="Of its worst metric.")
    metrics = serializers.ListField(
        child=serializers.DictField(), help_text="Each with the thresholds as they were, and its status."
    )


class FormSchema(serializers.Serializer[dict[str, object]]):
    """A stored form of the weights, and its newest evaluation."""

    weight_dtype = serializers.CharField()
    quantised = serializers.BooleanField()
    status = serializers.CharField(allow_null=True, help_text="passed, failed or no_threshold, of the newest run.")
    newest = serializers.DateTimeField(allow_null=True)
    runs = serializers.IntegerField()
    in_use = serializers.ListField(child=serializers.CharField(), help_text="Deployments approved to run it.")


class VersionEvaluationsSchema(serializers.Serializer[dict[str, object]]):
    """Which stored forms of a model version were evaluated."""

    model_version_id = serializers.UUIDField()
    forms = FormSchema(many=True)


class EvidenceSchema(serializers.Serializer[dict[str, object]]):
    """A piece of evidence with every column, and where it stands now."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.CharField()
    subject_kind = serializers.CharField()
    subject_id = serializers.UUIDField()
    sha256 = serializers.CharField()
    valid_until = serializers.DateField(allow_null=True)
    standing = serializers.ChoiceField(choices=["valid", "expires_soon", "expired", "superseded", "revoked"])
    facts_digest = serializers.CharField(help_text="What a decision that relies on it takes into its digest.")
    revocation = serializers.DictField(allow_null=True)


DATASET: Final = [
    OpenApiExample(
        "Questions with answers",
        value={"name": "claims-eval", "dataset_type": "text", "intended_use": "Tests of drafts about claims."},
        request_only=True,
    ),
    REGISTERED,
]
DATASET_VERSION: Final = [
    OpenApiExample(
        "A release",
        value={
            "version": "2026-11",
            "data_collection_process": "Closed claims of 2025, drawn at random.",
            "data_preprocessing": "Names and numbers replaced.",
            "known_bias": "Motor claims are two thirds of it.",
            "confidentiality_level": "amber",
            "has_sensitive_personal_information": "no",
            "anonymization_method_used": "Pseudonyms by keyed hash.",
            "licence": "internal use only",
            "provenance": "user",
            "dataset_size": 48211034,
            "sha256": DIGEST,
            "source": "s3://evaluations/claims-eval/2026-11, read 2026-11-24",
        },
        request_only=True,
    ),
    REGISTERED,
]
DATASET_USE: Final = [
    OpenApiExample(
        "Tested with",
        value={"dataset_version_id": ID, "model_version_id": ID, "purpose": "testing"},
        request_only=True,
    ),
    REGISTERED,
]
EVALUATION: Final = [
    OpenApiExample(
        "Pushed by a pipeline",
        value={
            "model_version_id": ID,
            "dataset_version_id": ID,
            "protocol": "claims-eval, zero shot, temperature 0",
            "tool": "lm-evaluation-harness",
            "tool_version": "0.4.9",
            "run_at": "2026-11-24T09:00:00Z",
            "weight_dtype": "awq",
            "hardware": "1 × H100 SXM5",
            "artefact_sha256": DIGEST,
            "metrics": [
                {"name": "accuracy", "value": "0.913", "lower_bound": "0.901", "upper_bound": "0.925"},
                {"name": "accuracy", "slice": "language=ja", "value": "0.887"},
            ],
        },
        request_only=True,
    ),
    REGISTERED,
]
THRESHOLD: Final = [
    OpenApiExample(
        "Fails below 0.9",
        value={"model_id": ID, "metric": "accuracy", "shape": "lt", "limit": "0.9", "reason": "Policy M-7."},
        request_only=True,
    ),
    REGISTERED,
]
EVIDENCE: Final = [
    OpenApiExample(
        "An assessment",
        value={
            "title": "Fundamental rights impact assessment",
            "kind": "fria",
            "subject_kind": "use_case",
            "subject_id": ID,
            "sha256": DIGEST,
            "size_bytes": 184320,
            "media_type": "application/pdf",
            "address": "https://documents.example/fria-2026.pdf",
            "collected_at": "2026-11-20",
            "valid_until": "2027-11-20",
            "classification": "internal",
        },
        request_only=True,
    ),
    REGISTERED,
]
