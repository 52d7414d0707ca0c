"""A data set, evaluations and evidence for tests, all made by the operations themselves."""

from datetime import date
from typing import Any
from uuid import UUID

from governance import operations
from governance.models import DatasetVersion, EvaluationRun, Evidence, ModelVersion
from governance.operations import EvaluationResult, Measured, Recorded
from tests.integration.governance_story import NOW, Story

SHA = "9f27c3e0b84a16d5726fa9013ce8d5540b71f26a98c3e407d15a6bb2fe90c743"
VERSION: dict[str, Any] = {
    "version": "2026-11",
    "data_collection_process": "Closed claims of 2025, drawn at random.",
    "confidentiality_level": "amber",
    "has_sensitive_personal_information": "unknown",
    "licence": "internal use only",
    "provenance": "user",
    "source": "s3://evaluations/claims-eval, read 2026-11-24",
}
DATASET = {"name": "claims-eval", "dataset_type": "text", "intended_use": "Tests of drafts about claims."}


def dataset_version(story: Story, **other: Any) -> DatasetVersion:
    """A version of the data set `claims-eval`, which is registered with it."""
    made = operations.register_dataset(by=story.requester, now=NOW, **DATASET)
    fields = {**VERSION, **other}
    version = operations.register_dataset_version(by=story.requester, dataset_id=made.id, now=NOW, **fields)
    return DatasetVersion.objects.get(pk=version.id)


def use_case(story: Story, name: str = "Claims drafts") -> UUID:
    """A registered use case."""
    return operations.register_use_case(
        by=story.requester, name=name, intended_purpose="Drafts letters.", eu_role="deployer", now=NOW
    ).id


def evaluated(story: Story, *metrics: Measured, **other: Any) -> EvaluationRun:
    """A recorded run of the story's model version."""
    fields: dict[str, Any] = {"protocol": "claims-eval, zero shot", "tool": "lm-eval", "run_at": NOW, **other}
    now = fields.pop("now", NOW)
    result = EvaluationResult(
        model_version_id=fields.pop("model_version_id", story.version),
        metrics=metrics or (Measured("accuracy", "0.913"),),
        **fields,
    )
    made = operations.record_evaluation(by=story.requester, result=result, now=now)
    return EvaluationRun.objects.get(pk=made.id)


def limited(story: Story, **other: Any) -> Recorded:
    """A threshold of accuracy, of the story's model unless `other` names a use case."""
    fields: dict[str, Any] = {"metric": "accuracy", "shape": "lt", "limit": "0.9", "reason": "Policy M-7.", **other}
    if "use_case_id" not in fields and "model_id" not in fields:
        fields["model_id"] = evaluated_model(story)
    return operations.set_threshold(by=story.requester, **{"now": NOW, **fields})


def evaluated_model(story: Story) -> UUID:
    """The model of the story's version."""
    return ModelVersion.objects.get(pk=story.version).model_id


def evidence(story: Story, **other: Any) -> Evidence:
    """Evidence about the story's model version."""
    fields: dict[str, Any] = {
        "title": "Test report",
        "kind": "test_report",
        "subject_kind": "model_version",
        "subject_id": story.version,
        "sha256": SHA,
        "size_bytes": 1024,
        "media_type": "application/pdf",
        "address": "https://documents.example/report.pdf",
        "collected_at": date(2026, 11, 20),
        "classification": "internal",
        "now": NOW,
        **other,
    }
    made = operations.record_evidence(by=story.requester, **fields)
    return Evidence.objects.get(pk=made.id)
