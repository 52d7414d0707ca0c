"""Evaluations and thresholds over REST: a pipeline pushes results, and never the model."""

from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations, queries
from governance.api.base import Registry, asked_by, page, write
from governance.api.data_inputs import EvaluationInput, ThresholdInput
from governance.api.data_schemas import EVALUATION, THRESHOLD, EvaluationSchema, VersionEvaluationsSchema
from governance.api.schemas import PAGING, PROBLEMS, ListedSchema, RegisteredSchema

RESULTS_LIMIT: Final = 1024 * 1024


class Evaluations(Registry):
    """Runs with their metrics."""

    @extend_schema(
        operation_id="list_evaluations",
        summary="List evaluations",
        description="`name` filters by the name of the model.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "evaluation_run")

    @extend_schema(
        operation_id="record_evaluation",
        summary="Record an evaluation",
        description=(
            "Results that were computed elsewhere, at most 200 metrics. Each is judged by the thresholds in force now"
            " for the model, and for the use case when one is named: it passes when it passes all of them."
            " `no_threshold` means that nobody set one."
        ),
        tags=["Registry"],
        request=EvaluationInput,
        examples=EVALUATION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def record(fields: dict[str, Any]) -> operations.Recorded:
            fields["metrics"] = [operations.Measured(**item) for item in fields["metrics"]]
            result = operations.EvaluationResult(**fields)
            return operations.record_evaluation(by=asked_by(request), result=result, now=timezone.now())

        return write(request, EvaluationInput, record, limit=RESULTS_LIMIT)


class VersionEvaluations(Registry):
    """What is known of one model version from evaluations."""

    @extend_schema(
        operation_id="get_model_version_evaluations",
        summary="Read the evaluations of a model version",
        description=(
            "Whether each stored form of its weights was evaluated: those that an approved revision runs, that were"
            " evaluated, and the one of the version itself. `status` is null where nobody evaluated the form."
        ),
        tags=["Registry"],
        responses={200: VersionEvaluationsSchema, **PROBLEMS},
    )
    def get(self, request: Request, evaluated_version_id: UUID) -> Response:
        try:
            found = queries.model_evaluations(evaluated_version_id, now=timezone.now())
        except queries.EvaluationNotFound as error:
            return problem(404, str(error), field="evaluated_version_id")
        forms = [
            {
                "weight_dtype": line.weight_dtype,
                "quantised": line.quantised,
                "status": line.status or None,
                "newest": line.newest,
                "runs": line.runs,
                "in_use": list(line.in_use),
            }
            for line in found.variants
        ]
        return Response({"model_version_id": str(found.id), "forms": forms})


class OneEvaluation(Registry):
    """One run."""

    @extend_schema(
        operation_id="get_evaluation",
        summary="Read an evaluation",
        description="With its metrics, each with the thresholds as they were when it was recorded.",
        tags=["Registry"],
        responses={200: EvaluationSchema, **PROBLEMS},
    )
    def get(self, request: Request, evaluation_id: UUID) -> Response:
        found = queries.evaluation_snapshot(evaluation_id)
        if found is None:
            return problem(404, "There is no such evaluation.", field="evaluation_id")
        return Response(found)


class Thresholds(Registry):
    """Thresholds of metrics, each version a row."""

    @extend_schema(
        operation_id="list_thresholds",
        summary="List thresholds",
        description="Every version; the newest that is in force counts. `name` filters by the metric.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "metric_threshold")

    @extend_schema(
        operation_id="set_threshold",
        summary="Set or end a threshold",
        description=(
            "`shape` names the values that fail: `lt` 0.9 fails what is lower than 0.9. A `limit` of null ends the"
            " threshold that stands. What was measured before stays judged as it was."
        ),
        tags=["Registry"],
        request=ThresholdInput,
        examples=THRESHOLD,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def set_(fields: dict[str, Any]) -> operations.Recorded:
            fields["slice_"] = fields.pop("slice", "")
            return operations.set_threshold(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, ThresholdInput, set_)
