"""Recording evaluations: results come from outside, what they mean is computed here under the thresholds in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from audit import ledger
from audit.events import EventType
from governance.capacity.dtypes import WEIGHT_DTYPES
from governance.evaluation import NumberRefused, Passing, judge, number_text
from governance.models import Adapter, DatasetVersion, EvaluationRun, Metric, ModelVersion, UseCase
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    next_number,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.operations.digests import sha256_text
from governance.queries.thresholds import InForce, thresholds_in_force
from governance.snapshot import canonical

MAX_METRICS: Final = 200
CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Measured:
    """One result. Numbers are decimal text; `lower_bound` and `upper_bound` are those of its confidence interval."""

    name: str
    value: str
    type: str = ""
    slice: str = ""
    unit: str = ""
    lower_bound: str = ""
    upper_bound: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What an evaluation tells of itself; every field may be wrong until the operation has read it.

    Attributes:
        weight_dtype: how the weights were stored in this run; empty: as the version stores them.
        use_case_id: whose thresholds apply beside those of the model.
    """

    model_version_id: UUID
    protocol: str
    tool: str
    run_at: datetime
    metrics: Sequence[Measured]
    adapter_id: UUID | None = None
    use_case_id: UUID | None = None
    dataset_version_id: UUID | None = None
    weight_dtype: str = ""
    quantisation: str = ""
    hardware: str = ""
    tool_version: str = ""
    artefact_sha256: str = ""
    artefact_address: str = ""
    signed_by: str = ""
    notes: str = ""


def record_evaluation(*, by: By, result: EvaluationResult, now: datetime) -> Recorded:
    """Record a run with its metrics; the id is the run's. Nobody's own word on passing is asked for or kept.

    Raises:
        Refused: a field that cannot be (`metrics.<place>.<field>` inside a metric), more than 200 metrics, or
            something that is not registered.
    """
    refuse_unless_registrar(by)
    columns = _columns(result, now)
    measured = _measured(result.metrics)
    actor = actor_of(by)
    with change("metrics"):
        version = _named(result)
        applies = thresholds_in_force(model_id=version.model_id, use_case_id=result.use_case_id, at=now)
        run = EvaluationRun.objects.create(
            number=next_number("evaluation_number"),
            model_version=version,
            adapter_id=result.adapter_id,
            use_case_id=result.use_case_id,
            dataset_version_id=result.dataset_version_id,
            weight_dtype=columns.pop("weight_dtype") or version.weight_dtype,
            run_at=result.run_at,
            pushed_by=actor,
            recorded_at=now,
            **columns,
        )
        rows = [
            Metric(run=run, number=place, **_judged(item, applies.get((item.name, item.slice), ())))
            for place, item in enumerate(measured, start=1)
        ]
        Metric.objects.bulk_create(rows)
        events = [event("evaluation_run", EventType.EVALUATION_RUN_RECORDED, run, actor=actor, now=now)]
        events += _told(rows, actor, now)
        return recorded(run.id, events)


def _told(rows: Sequence[Metric], actor: str, now: datetime) -> list[ledger.Event]:
    return [event("metric", EventType.METRIC_RECORDED, row, actor=actor, now=now) for row in rows]


def _columns(result: EvaluationResult, now: datetime) -> dict[str, str]:
    if result.run_at > now + CLOCKS_DIFFER:
        raise Refused("run_at", "is in the future.")
    dtype = text("weight_dtype", result.weight_dtype, limit=40, required=False)
    if dtype and dtype not in WEIGHT_DTYPES:
        raise Refused("weight_dtype", f"must be one of {', '.join(sorted(WEIGHT_DTYPES))}.")
    return {
        "weight_dtype": dtype,
        "quantisation": text("quantisation", result.quantisation, limit=200, required=False),
        "hardware": text("hardware", result.hardware, limit=500, required=False),
        "protocol": text("protocol", result.protocol, limit=500),
        "tool": text("tool", result.tool, limit=100),
        "tool_version": text("tool_version", result.tool_version, limit=100, required=False),
        "artefact_sha256": sha256_text("artefact_sha256", result.artefact_sha256),
        "artefact_address": text("artefact_address", result.artefact_address, limit=500, required=False),
        "signed_by": text("signed_by", result.signed_by, limit=200, required=False),
        "notes": text("notes", result.notes, limit=4000, required=False),
    }


def _measured(metrics: Sequence[Measured]) -> list[Measured]:
    if not metrics:
        raise Refused("metrics", "are missing: an evaluation measured something.")
    if len(metrics) > MAX_METRICS:
        raise Refused("metrics", f"are {len(metrics)}; at most {MAX_METRICS} are recorded at once.")
    found = [_one(f"metrics.{place}", item) for place, item in enumerate(metrics)]
    seen: set[tuple[str, str]] = set()
    for place, item in enumerate(found):
        if (item.name, item.slice) in seen:
            raise Refused(f"metrics.{place}.name", f"{item.name} stands twice for the same slice.")
        seen.add((item.name, item.slice))
    return found


def _one(at: str, given: Measured) -> Measured:
    lower = _number(f"{at}.lower_bound", given.lower_bound)
    upper = _number(f"{at}.upper_bound", given.upper_bound)
    if lower and upper and Decimal(lower) > Decimal(upper):
        raise Refused(f"{at}.upper_bound", "is lower than the lower bound.")
    return Measured(
        name=text(f"{at}.name", given.name, limit=100),
        value=_number(f"{at}.value", given.value, required=True),
        type=text(f"{at}.type", given.type, limit=100, required=False),
        slice=text(f"{at}.slice", given.slice, limit=200, required=False),
        unit=text(f"{at}.unit", given.unit, limit=40, required=False),
        lower_bound=lower,
        upper_bound=upper,
    )


def _number(field: str, given: str, *, required: bool = False) -> str:
    if not given.strip() and not required:
        return ""
    try:
        return number_text(given)
    except NumberRefused as error:
        raise Refused(field, str(error)) from error


def _named(result: EvaluationResult) -> ModelVersion:
    """The version that was evaluated, when everything beside it is registered and belongs to it."""
    version = ModelVersion.objects.filter(pk=result.model_version_id).first()
    if version is None:
        raise Refused("model_version", "is not registered.")
    if result.adapter_id is not None:
        adapter = Adapter.objects.filter(pk=result.adapter_id).first()
        if adapter is None:
            raise Refused("adapter", "is not registered.")
        if adapter.base_id != version.pk:
            raise Refused("adapter", "is not for this model version.")
    if result.use_case_id is not None and not UseCase.objects.filter(pk=result.use_case_id).exists():
        raise Refused("use_case", "is not registered.")
    data = result.dataset_version_id
    if data is not None and not DatasetVersion.objects.filter(pk=data).exists():
        raise Refused("dataset_version", "is not registered.")
    return version


def _judged(item: Measured, applies: Sequence[InForce]) -> dict[str, str | bool]:
    verdict = judge(Decimal(item.value), [found.threshold for found in applies])
    frozen = [found.facts(governs=place in verdict.governing) for place, found in enumerate(applies)]
    return {
        "name": item.name,
        "type": item.type,
        "slice": item.slice,
        "value": item.value,
        "unit": item.unit,
        "lower_bound": item.lower_bound,
        "upper_bound": item.upper_bound,
        "decision_threshold": canonical(frozen) if frozen else "",
        "status": verdict.status.value,
        **_ends(verdict.passing),
    }


def _ends(passing: Passing) -> dict[str, str | bool]:
    return {
        "passes_from": "" if passing.low is None else f"{passing.low:f}",
        "passes_from_open": passing.low_open,
        "passes_to": "" if passing.high is None else f"{passing.high:f}",
        "passes_to_open": passing.high_open,
    }
