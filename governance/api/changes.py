"""One model, pool, deployment or agent over REST, and changes of those and of use cases."""

from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.body import BodyRefused
from audit.api.errors import problem
from audit.api.schemas import ProblemSchema
from governance import operations, queries
from governance.api.base import Registry, asked_by, read, refused
from governance.api.fields import Choice, Day, Id, Strict, Text, Whole
from governance.api.schemas import PROBLEMS, RegisteredSchema
from governance.models import UseCase
from governance.operations.changing import MAX_REASON
from governance.operations.usecases import MEMBER_STATES

LARGEST: Final = 2**31 - 1
CHANGED: Final = OpenApiExample("Changed", value={"id": "…", "entries": [57]}, response_only=True, status_codes=["200"])


class RowSchema(serializers.Serializer[dict[str, object]]):
    """A row with every column, as the ledger holds it."""

    id = serializers.UUIDField()
    row_version = serializers.IntegerField(help_text="What a change must name.")


class StaleSchema(ProblemSchema):
    """A change of something that has changed since it was read."""

    current = serializers.DictField(required=False, help_text="The row as it stands, with its row_version.")
    changed = serializers.DictField(required=False, help_text="What was sent and differs from it.")


ANSWERS: Final[dict[Any, Any]] = {200: RegisteredSchema, **PROBLEMS, (409, "application/json"): StaleSchema}


class _Change(Strict):
    """A change: the columns to set, the version that was read, and why."""

    row_version = Whole(min_value=1, max_value=LARGEST, help_text="Of the row that was read.")
    reason = Text(max_length=MAX_REASON)


class ModelChange(_Change):
    """What is said about a model."""

    hf_id = Text(max_length=200, required=False)
    family = Text(max_length=100, required=False)
    developer = Text(max_length=200, required=False)
    licence = Text(max_length=200, required=False)
    licence_source = Text(max_length=500, required=False)


class GpuPoolChange(_Change):
    """How many cards a pool has, and where."""

    count = Whole(min_value=1, max_value=LARGEST, required=False)
    node = Text(max_length=100, required=False)


class UseCaseChange(_Change):
    """What a use is."""

    intended_purpose = Text(max_length=2000, required=False)
    out_of_scope_uses = Text(max_length=2000, required=False)
    eu_role = Choice(choices=UseCase.EuRole.values, required=False)
    member_states = serializers.ListField(
        child=Choice(choices=list(MEMBER_STATES)), required=False, max_length=len(MEMBER_STATES)
    )
    begin_date = Day(required=False, allow_null=True)
    end_date = Day(required=False, allow_null=True)
    owner_id = Id(required=False, help_text="A person with an open log-in.")


class DeploymentChange(_Change):
    """Who answers for a deployment."""

    owner_id = Id(required=False, help_text="A person with an open log-in.")


class AgentChange(_Change):
    """What an agent is for, and who answers for it."""

    purpose = Text(max_length=1000, required=False)
    owner_id = Id(required=False, help_text="A person with an open log-in.")


def changed(request: Request, shape: type[Strict], act: Any, **which: UUID) -> Response:
    """Read a change, make it, and answer 200 or the refusal; a stale one with what stands now."""
    try:
        fields = read(request._request, shape)
        seen, reason = fields.pop("row_version"), fields.pop("reason")
        made = act(by=asked_by(request), seen=seen, values=fields, reason=reason, now=timezone.now(), **which)
    except BodyRefused as error:
        return problem(error.status, str(error), field=error.field)
    except operations.Stale as error:
        return problem(409, error.reason, field=error.field, current=dict(error.current), changed=error.changed)
    except operations.Refused as error:
        return refused(error)
    return Response({"id": str(made.id), "entries": list(made.entries)})


def one(kind: str, row_id: UUID, field: str) -> Response:
    """A row with every column, or 404."""
    found = queries.row_snapshot(kind, row_id)
    return Response(found) if found is not None else problem(404, "There is no such thing.", field=field)


class OneModel(Registry):
    """One model."""

    @extend_schema(
        operation_id="get_model", summary="Read a model", tags=["Registry"], responses={200: RowSchema, **PROBLEMS}
    )
    def get(self, request: Request, model_id: UUID) -> Response:
        return one("model", model_id, "model_id")

    @extend_schema(
        operation_id="change_model",
        summary="Change a model",
        description="Its name and its versions are fixed. 409 with what stands now when it has changed since.",
        tags=["Registry"],
        request=ModelChange,
        examples=[CHANGED],
        responses=ANSWERS,
    )
    def patch(self, request: Request, model_id: UUID) -> Response:
        return changed(request, ModelChange, operations.change_model, model_id=model_id)


class OneGpuPool(Registry):
    """One pool."""

    @extend_schema(
        operation_id="get_gpu_pool",
        summary="Read a GPU pool",
        tags=["Registry"],
        responses={200: RowSchema, **PROBLEMS},
    )
    def get(self, request: Request, pool_id: UUID) -> Response:
        return one("gpu_pool", pool_id, "pool_id")

    @extend_schema(
        operation_id="change_gpu_pool",
        summary="Change a GPU pool",
        description="It keeps the cards that an approved revision needs. 409 when it has changed since it was read.",
        tags=["Registry"],
        request=GpuPoolChange,
        examples=[CHANGED],
        responses=ANSWERS,
    )
    def patch(self, request: Request, pool_id: UUID) -> Response:
        return changed(request, GpuPoolChange, operations.change_gpu_pool, pool_id=pool_id)


class OneDeployment(Registry):
    """One deployment."""

    @extend_schema(
        operation_id="get_deployment",
        summary="Read a deployment",
        tags=["Approvals"],
        responses={200: RowSchema, **PROBLEMS},
    )
    def get(self, request: Request, deployment_id: UUID) -> Response:
        return one("deployment", deployment_id, "deployment_id")

    @extend_schema(
        operation_id="change_deployment",
        summary="Change the owner of a deployment",
        description="Nothing else of it changes without a request. 409 when it has changed since it was read.",
        tags=["Approvals"],
        request=DeploymentChange,
        examples=[CHANGED],
        responses=ANSWERS,
    )
    def patch(self, request: Request, deployment_id: UUID) -> Response:
        return changed(request, DeploymentChange, operations.change_deployment, deployment_id=deployment_id)
