"""What the reviewers of the demo organisation can rely on: data, thresholds, evaluations and papers about a use."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from audit.models import User
from demo.uses import CREDIT, HIRING
from governance import operations
from governance.models import Dataset, DatasetVersion, EvaluationRun, Evidence, MetricThreshold, ModelVersion, UseCase
from governance.operations import EvaluationResult, Measured

DATA: Final = "Credit files, redacted"
MODEL: Final = "Llama 3.3 70B"

PAPERS: Final = (
    (
        14.0, "fria", CREDIT, "Fundamental rights impact assessment, credit memos", 365,
        "Compliance share, folder AI/2026/014",
    ),
    (6.0, "red_team", CREDIT, "Red team: 60 attempts to make a memo invent income", 21, "Security share, RT-2026-31"),
    (34.0, "dpia", HIRING, "Data protection impact assessment, application summaries", 12, "Privacy share, DPIA-77"),
)  # fmt: skip
"""Days before now, kind, use, title, days it stands, and where it lies."""

Step = tuple[float, Callable[[datetime], object]]


def evidence_steps(recorder: User, uses: Mapping[str, UseCase]) -> Iterator[Step]:
    """What was recorded, and how many days before now."""
    yield 24, partial(_dataset, recorder)
    yield 21, partial(_thresholds, recorder, uses[CREDIT])
    yield 5, partial(_evaluation, recorder, uses[CREDIT])
    for days, kind, use, title, stands, place in PAPERS:
        yield days, partial(_paper, recorder, uses[use], kind, title, stands, place)


def _dataset(recorder: User, at: datetime) -> None:
    if Dataset.objects.filter(name=DATA).exists():
        return
    made = operations.register_dataset(
        by=recorder, name=DATA, dataset_type="text", intended_use="Testing drafts of memos against officers' own.",
        now=at,
    )  # fmt: skip
    operations.register_dataset_version(
        by=recorder, dataset_id=made.id, version="2026-10", dataset_size=48_211_304,
        data_collection_process="412 closed files of 2024 and 2025, drawn at random from three branches.",
        data_preprocessing="Names, addresses and account numbers replaced by hand-checked placeholders.",
        known_bias="No files in Portuguese; self-employed applicants are two of ten, in the portfolio three of ten.",
        confidentiality_level="red", has_sensitive_personal_information="no",
        anonymization_method_used="Placeholders, checked by two clerks", licence="internal use only",
        provenance="other", source="Credit archive, drawn 2026-10-02",
        sha256=hashlib.sha256(b"demo: credit files, redacted, 2026-10").hexdigest(), now=at,
    )  # fmt: skip


def _thresholds(recorder: User, use: UseCase, at: datetime) -> None:
    for metric, shape, limit in (("faithfulness", "lt", "0.95"), ("invented_figures", "gt", "0.01")):
        if not MetricThreshold.objects.filter(use_case=use, metric=metric).exists():
            operations.set_threshold(
                by=recorder, use_case_id=use.pk, metric=metric, shape=shape, limit=limit, now=at,
                reason="Set with the credit officers after reading 40 drafts together.",
            )  # fmt: skip


def _evaluation(recorder: User, use: UseCase, at: datetime) -> None:
    version = ModelVersion.objects.get(model__name=MODEL)
    if EvaluationRun.objects.filter(model_version=version).exists():
        return
    operations.record_evaluation(
        by=recorder,
        result=EvaluationResult(
            model_version_id=version.pk,
            use_case_id=use.pk,
            dataset_version_id=DatasetVersion.objects.get(dataset__name=DATA).pk,
            protocol="memo drafting, 412 files, temperature 0",
            tool="lm-evaluation-harness",
            tool_version="0.4.9",
            weight_dtype="fp8",
            hardware="2 x H100 SXM5",
            run_at=at - timedelta(hours=3),
            metrics=(
                Measured("faithfulness", "0.968", lower_bound="0.951", upper_bound="0.981"),
                Measured("invented_figures", "0.004", unit="per memo"),
                Measured("faithfulness", "0.941", slice="self-employed", lower_bound="0.902", upper_bound="0.968"),
            ),
            signed_by="Credit analytics",
        ),
        now=at,
    )


def _paper(recorder: User, use: UseCase, kind: str, title: str, stands: int, place: str, at: datetime) -> None:
    if Evidence.objects.filter(title=title).exists():
        return
    operations.record_evidence(
        by=recorder, title=title, kind=kind, subject_kind="use_case", subject_id=use.pk,
        sha256=hashlib.sha256(f"demo: {title}".encode()).hexdigest(), size_bytes=len(title) * 4096,
        media_type="application/pdf", address=place, collected_at=at.date(),
        valid_until=(at + timedelta(days=stands)).date(), classification="internal", now=at,
    )  # fmt: skip
