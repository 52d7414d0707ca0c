"""Thresholds for reading: those in force at a moment, by metric and slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from governance.evaluation import Threshold, threshold
from governance.models import MetricThreshold


@dataclass(frozen=True, slots=True)
class InForce:
    """A threshold that counts. `scope` is `model` or `use_case`, and `version` the one of its history."""

    id: UUID
    scope: str
    scope_id: UUID
    name: str
    metric: str
    slice: str
    version: int
    threshold: Threshold
    limit: str
    upper: str
    valid_from: datetime

    def facts(self, *, governs: bool) -> dict[str, object]:
        """How it is frozen into a metric."""
        return {
            "id": str(self.id),
            "scope": self.scope,
            "version": self.version,
            "shape": self.threshold.shape.value,
            "limit": self.limit,
            "upper": self.upper,
            "governs": governs,
        }


def thresholds_in_force(
    *, model_id: UUID, use_case_id: UUID | None, at: datetime
) -> Mapping[tuple[str, str], tuple[InForce, ...]]:
    """What counts for a model, and for a use case beside it, at a moment: by metric and slice, in one query."""
    scope = Q(model_id=model_id)
    if use_case_id is not None:
        scope |= Q(use_case_id=use_case_id)
    rows = (
        MetricThreshold.objects.filter(scope, valid_from__lte=at)
        .select_related("model", "use_case")
        .order_by("model_id", "use_case_id", "metric", "slice", "-version")
        .distinct("model_id", "use_case_id", "metric", "slice")
    )
    found: dict[tuple[str, str], list[InForce]] = {}
    for row in rows:
        if row.limit_value:
            found.setdefault((row.metric, row.slice), []).append(in_force(row))
    return {key: tuple(items) for key, items in found.items()}


def in_force(row: MetricThreshold) -> InForce:
    """A threshold row that has a limit."""
    named = row.model or row.use_case
    assert named is not None  # the table holds one of the two
    return InForce(
        id=row.pk,
        scope="model" if row.model_id else "use_case",
        scope_id=named.pk,
        name=named.name,
        metric=row.metric,
        slice=row.slice,
        version=row.version,
        threshold=threshold(row.shape, row.limit_value, row.upper_value),
        limit=row.limit_value,
        upper=row.upper_value,
        valid_from=row.valid_from,
    )
