"""Setting thresholds of metrics, and ending them: each a new version."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from audit.events import EventType
from governance.evaluation import ThresholdRefused, number_text, threshold
from governance.models import MetricThreshold, Model, UseCase
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)


def set_threshold(
    *,
    by: By,
    model_id: UUID | None = None,
    use_case_id: UUID | None = None,
    metric: str,
    slice_: str = "",
    shape: str = "",
    limit: str | None,
    upper: str | None = None,
    reason: str,
    valid_from: datetime | None = None,
    now: datetime,
) -> Recorded:
    """Set a threshold of a model or of a use case, or end the one that stands by a `limit` of None.

    Args:
        slice_: the part of the data it is for; empty for the metric over all of them.
        shape: how the values that FAIL lie to the limit.
        valid_from: from when it counts; now when left out, and never before.

    Raises:
        Refused: a field that cannot be, nothing or both named, or nothing to end.
    """
    refuse_unless_registrar(by)
    metric = text("metric", metric, limit=100)
    part = text("slice", slice_, limit=200, required=False)
    why = text("reason", reason, limit=1000)
    begins = valid_from or now
    if begins < now:
        raise Refused("valid_from", "is in the past; what was measured then stays judged as it was.")
    columns = _limits(shape, limit, upper)
    if (model_id is None) == (use_case_id is None):
        raise Refused("model", "or a use case must be named, and not both.")
    with change("metric"):
        if model_id is not None and not Model.objects.select_for_update().filter(pk=model_id).exists():
            raise Refused("model", "is not registered.")
        if use_case_id is not None and not UseCase.objects.select_for_update().filter(pk=use_case_id).exists():
            raise Refused("use_case", "is not registered.")
        scope = Q(model_id=model_id) if model_id is not None else Q(use_case_id=use_case_id)
        stands = MetricThreshold.objects.filter(scope, metric=metric, slice=part)
        last = stands.order_by("-version").first()
        if limit is None and (last is None or not last.limit_value):
            raise Refused("limit", "is missing, and no threshold of this metric stands that it could end.")
        row = MetricThreshold.objects.create(
            model_id=model_id,
            use_case_id=use_case_id,
            metric=metric,
            slice=part,
            version=last.version + 1 if last else 1,
            reason=why,
            valid_from=begins,
            set_by=actor_of(by),
            set_at=now,
            **columns,
        )
        told = EventType.METRIC_THRESHOLD_SET
        return recorded(row.id, [event("metric_threshold", told, row, actor=actor_of(by), now=now, reason=why)])


def _limits(shape: str, limit: str | None, upper: str | None) -> dict[str, str]:
    if limit is None:
        if upper:
            raise Refused("upper", "is given although the limit is not.")
        return {"shape": "", "limit_value": "", "upper_value": ""}
    try:
        found = threshold(shape, limit, upper or "")
    except ThresholdRefused as error:
        raise Refused(error.field, error.reason) from error
    upper_text = number_text(upper) if upper and found.upper is not None else ""
    return {"shape": found.shape.value, "limit_value": number_text(limit), "upper_value": upper_text}
