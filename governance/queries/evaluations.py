"""Evaluations for reading: one run, those of a model version, and which stored forms were evaluated at all."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _

from audit import queries as log
from governance.evaluation import Status, is_quantised, overall
from governance.models import EvaluationRun, Metric, MetricThreshold, Model, ModelVersion, Revision, UseCase
from governance.queries.people import names_of
from governance.queries.telling import HistoryLine, history_lines
from governance.queries.thresholds import InForce, thresholds_in_force
from governance.snapshot import snapshot

SHOWN: Final = 20
MARKS: Final = {Status.PASSED: "ok", Status.FAILED: "bad", Status.NO_THRESHOLD: "todo"}


class EvaluationNotFound(LookupError):
    """No evaluation, or no model version, has this id."""


@dataclass(frozen=True, slots=True)
class FrozenLine:
    """A threshold as it was when a metric was recorded: `governs` when it was the stricter one."""

    words: str
    scope: str
    version: int
    governs: bool


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One measured value; `bounds` is its confidence interval, empty without one."""

    name: str
    type: str
    slice: str
    value: str
    unit: str
    bounds: str
    mark: str
    word: str
    thresholds: tuple[FrozenLine, ...]


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list, with the status of its worst metric."""

    id: UUID
    ref: str
    protocol: str
    tool: str
    weight_dtype: str
    adapter: str
    use_case: str
    run_at: datetime
    status: str
    mark: str
    word: str
    passed: int
    failed: int
    unjudged: int


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """One run as its page shows it; `facts` are name and text, only what is known."""

    id: UUID
    ref: str
    model: str
    model_version_id: UUID
    mark: str
    word: str
    run_at: datetime
    recorded_at: datetime
    by: str
    facts: tuple[tuple[str, str], ...]
    dataset_id: UUID | None
    dataset: str
    artefact_sha256: str
    artefact_address: str
    notes: str
    metrics: tuple[MetricLine, ...]
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class VariantLine:
    """A stored form of the weights: what its newest evaluation gave, and which approved revisions run it; `status` is
    empty without one.
    """

    weight_dtype: str
    quantised: bool
    status: str
    mark: str
    word: str
    newest: datetime | None
    runs: int
    in_use: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """A threshold in words."""

    metric: str
    slice: str
    words: str
    scope: str
    version: int
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class ModelEvaluations:
    """What is known of a model version from evaluations; `older` runs are reached by the list."""

    id: UUID
    model_id: UUID
    model: str
    version: str
    runs: tuple[RunLine, ...]
    older: int
    variants: tuple[VariantLine, ...]
    thresholds: tuple[ThresholdLine, ...]


def evaluation_page(run_id: UUID) -> EvaluationPage:
    """The page of one run, in a constant number of queries.

    Raises:
        EvaluationNotFound: there is none.
    """
    rows = EvaluationRun.objects.select_related(
        "model_version__model", "adapter", "use_case", "dataset_version__dataset"
    )
    found = rows.filter(pk=run_id).first()
    if found is None:
        raise EvaluationNotFound("There is no such evaluation.")
    metrics = list(found.metrics.order_by("number"))
    frozen = [json.loads(row.decision_threshold) if row.decision_threshold else [] for row in metrics]
    scopes = _scopes(item["id"] for items in frozen for item in items)
    counts = {status: sum(row.status == status for row in metrics) for status in Metric.Status.values}
    mark, word = status_mark(overall(passed=counts["passed"], failed=counts["failed"]))
    data = found.dataset_version
    return EvaluationPage(
        id=found.pk,
        ref=found.ref,
        model=f"{found.model_version.model.name} {found.model_version.version}",
        model_version_id=found.model_version_id,
        mark=mark,
        word=word,
        run_at=found.run_at,
        recorded_at=found.recorded_at,
        by=names_of([found.pushed_by])[found.pushed_by],
        facts=_facts(found),
        dataset_id=data.dataset_id if data else None,
        dataset=f"{data.dataset.name} {data.version}" if data else "",
        artefact_sha256=found.artefact_sha256,
        artefact_address=found.artefact_address,
        notes=found.notes,
        metrics=tuple(_metric(row, items, scopes) for row, items in zip(metrics, frozen, strict=True)),
        history=history_lines(log.history(f"evaluation_run:{found.pk}", limit=SHOWN)),
    )


def evaluation_snapshot(run_id: UUID) -> dict[str, Any] | None:
    """The full snapshot of a run with those of its metrics and its overall status; None when there is none."""
    row = EvaluationRun.objects.filter(pk=run_id).first()
    if row is None:
        return None
    metrics = list(row.metrics.order_by("number"))
    passed, failed = (sum(item.status == status for item in metrics) for status in ("passed", "failed"))
    return {
        **snapshot("evaluation_run", row),
        "status": str(overall(passed=passed, failed=failed)),
        "metrics": [snapshot("metric", item) for item in metrics],
    }


def model_evaluations(version_id: UUID, *, now: datetime) -> ModelEvaluations:
    """Runs of a model version, newest first, its stored forms, and the thresholds of its model; in a constant
    number of queries.

    Raises:
        EvaluationNotFound: no such model version.
    """
    found = ModelVersion.objects.select_related("model").filter(pk=version_id).first()
    if found is None:
        raise EvaluationNotFound("There is no such model version.")
    rows = EvaluationRun.objects.filter(model_version=found)
    lines = run_lines(rows.order_by("-run_at", "-number")[:SHOWN])
    applies = thresholds_in_force(model_id=found.model_id, use_case_id=None, at=now)
    return ModelEvaluations(
        id=found.pk,
        model_id=found.model_id,
        model=found.model.name,
        version=found.version,
        runs=lines,
        older=max(0, rows.count() - len(lines)),
        variants=_variants(found),
        thresholds=threshold_lines(item for items in applies.values() for item in items),
    )


def threshold_lines(items: Iterable[InForce]) -> tuple[ThresholdLine, ...]:
    """Thresholds in words, by metric and slice."""
    return tuple(
        ThresholdLine(
            metric=item.metric,
            slice=item.slice,
            words=threshold_words(item.threshold.shape, item.limit, item.upper),
            scope=item.name,
            version=item.version,
            valid_from=item.valid_from,
        )
        for item in sorted(items, key=lambda item: (item.metric, item.slice, item.scope))
    )


def threshold_words(shape: str, limit: str, upper: str) -> str:
    """What fails, in words."""
    if shape == MetricThreshold.Shape.OUTSIDE:
        return _("fails outside %(low)s to %(high)s") % {"low": limit, "high": upper}
    words = {
        "gt": _("fails above %(limit)s"),
        "gte": _("fails at %(limit)s and above"),
        "lt": _("fails below %(limit)s"),
        "lte": _("fails at %(limit)s and below"),
    }
    return words[shape] % {"limit": limit}


def status_mark(status: str) -> tuple[str, str]:
    """Shape and word of a status."""
    return MARKS[Status(status)], str(Metric.Status(status).label)


def run_lines(rows: QuerySet[EvaluationRun]) -> tuple[RunLine, ...]:
    """Runs as lines, in the order given, in two queries."""
    runs = list(rows.select_related("adapter", "use_case"))
    counts: dict[UUID, dict[str, int]] = {}
    told = Metric.objects.filter(run__in=[row.pk for row in runs]).values_list("run_id", "status")
    for run_id, status, count in told.annotate(count=Count("pk")).order_by():
        counts.setdefault(run_id, {})[status] = count
    return tuple(_run(row, counts.get(row.pk, {})) for row in runs)


def _run(row: EvaluationRun, counts: Mapping[str, int]) -> RunLine:
    passed, failed = counts.get("passed", 0), counts.get("failed", 0)
    status = overall(passed=passed, failed=failed)
    mark, word = status_mark(status)
    return RunLine(
        id=row.pk,
        ref=row.ref,
        protocol=row.protocol,
        tool=f"{row.tool} {row.tool_version}".strip(),
        weight_dtype=row.weight_dtype,
        adapter=str(row.adapter) if row.adapter else "",
        use_case=row.use_case.name if row.use_case else "",
        run_at=row.run_at,
        status=str(status),
        mark=mark,
        word=word,
        passed=passed,
        failed=failed,
        unjudged=counts.get("no_threshold", 0),
    )


def _variants(found: ModelVersion) -> tuple[VariantLine, ...]:
    """Every stored form that was evaluated, is approved to run, or is how the version itself is stored."""
    rows = EvaluationRun.objects.filter(model_version=found)
    counts = dict(rows.values_list("weight_dtype").annotate(Count("pk")).order_by())
    newest = run_lines(rows.order_by("weight_dtype", "-run_at", "-number").distinct("weight_dtype"))
    evaluated = {line.weight_dtype: line for line in newest}
    used: dict[str, list[str]] = {}
    approved = Revision.objects.filter(model_version=found, deployment__approved_revision=F("pk"))
    for dtype, name in approved.values_list("weight_dtype", "deployment__name").order_by("deployment__name"):
        used.setdefault(dtype, []).append(name)
    forms = sorted({found.weight_dtype, *evaluated, *used}, key=lambda name: (is_quantised(name), name))
    return tuple(_variant(name, evaluated.get(name), counts.get(name, 0), used.get(name, ())) for name in forms)


def _variant(dtype: str, newest: RunLine | None, runs: int, used: Sequence[str]) -> VariantLine:
    quantised = is_quantised(dtype)
    if newest is not None:
        failed = newest.failed > 0
        mark, word = ("bad", _("evaluated, and failed")) if failed else ("ok", _("evaluated"))
    elif quantised:
        mark, word = ("bad" if used else "warn"), _("not evaluated after quantisation")
    else:
        mark, word = "todo", _("not evaluated")
    return VariantLine(
        weight_dtype=dtype,
        quantised=quantised,
        status=newest.status if newest else "",
        mark=mark,
        word=word,
        newest=newest.run_at if newest else None,
        runs=runs,
        in_use=tuple(used),
    )


def _scopes(ids: Iterable[str]) -> dict[str, str]:
    rows = MetricThreshold.objects.filter(pk__in=set(ids)).select_related("model", "use_case")
    return {str(row.pk): _scope_words(row.model, row.use_case) for row in rows}


def _scope_words(model: Model | None, use_case: UseCase | None) -> str:
    if model is not None:
        return _("model %(name)s") % {"name": model.name}
    assert use_case is not None  # the table holds one of the two
    return _("use case %(name)s") % {"name": use_case.name}


def _metric(row: Metric, frozen: Sequence[Mapping[str, Any]], scopes: Mapping[str, str]) -> MetricLine:
    mark, word = status_mark(row.status)
    bounds = f"{row.lower_bound or '…'} – {row.upper_bound or '…'}" if row.lower_bound or row.upper_bound else ""
    return MetricLine(
        name=row.name,
        type=row.type,
        slice=row.slice,
        value=row.value,
        unit=row.unit,
        bounds=bounds,
        mark=mark,
        word=word,
        thresholds=tuple(
            FrozenLine(
                words=threshold_words(item["shape"], item["limit"], item["upper"]),
                scope=scopes.get(item["id"], item["scope"]),
                version=item["version"],
                governs=item["governs"],
            )
            for item in frozen
        ),
    )


def _facts(found: EvaluationRun) -> tuple[tuple[str, str], ...]:
    lines = (
        (_("Protocol"), found.protocol),
        (_("Tool"), f"{found.tool} {found.tool_version}".strip()),
        (_("Weights"), found.weight_dtype),
        (_("Quantisation"), found.quantisation),
        (_("Adapter"), str(found.adapter) if found.adapter else ""),
        (_("Use case"), found.use_case.name if found.use_case else ""),
        (_("Hardware"), found.hardware),
        (_("Signed by"), found.signed_by),
    )
    return tuple((name, value) for name, value in lines if value)
