"""Deployments, requests, decisions, and what a pipeline asks before it starts something."""

import re
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from audit.models import User
from governance import operations, queries
from governance.api.base import PeopleOnly, Registry, asked_by, page, write
from governance.api.inputs import RequestInput
from governance.api.schemas import (
    APPROVAL,
    ASK,
    BY_LOG_IN,
    DECISION,
    PAGING,
    PROBLEMS,
    ListedSchema,
    RegisteredSchema,
)
from governance.api.shapes import CONDITIONAL, ApprovalSchema, DecisionInput, RequestSchema

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class Deployments(Registry):
    """Uses of models."""

    @extend_schema(
        operation_id="list_deployments",
        summary="List deployments",
        description="`approved_revision_id` is null while nothing is approved.",
        tags=["Approvals"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "deployment")


class Requests(Registry):
    """Requests to run something."""

    @extend_schema(
        operation_id="list_requests",
        summary="List requests",
        description="`name` filters by the name of the deployment.",
        tags=["Approvals"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "request")

    @extend_schema(
        operation_id="request_deployment",
        summary="Request a deployment",
        description=(
            "Asks the reviewers to let this configuration run. The capacity estimate is made and kept with the"
            " request, and the approval policy that applies is frozen into it. A service account asks for its owner,"
            " who then cannot decide. `again_of` names the request that this one follows: a new round after changes"
            " were requested, or the renewal of an approval that has ended or ends within 30 days."
        ),
        tags=["Approvals"],
        request=RequestInput,
        examples=ASK,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def ask(fields: dict[str, Any]) -> operations.Recorded:
            fields["tool_grants"] = tuple(fields.get("tool_grants", ()))
            fields["adapters"] = tuple(fields.get("adapters", ()))
            fields["relied_on"] = tuple(fields.get("relied_on", ()))
            fields["use_case_id"] = fields.pop("use_case", None)
            return operations.request_deployment(
                by=asked_by(request), ask=operations.DeploymentAsk(**fields), now=timezone.now()
            )

        return write(request, RequestInput, ask)


class OneRequest(Registry):
    """One request."""

    @extend_schema(
        operation_id="get_request",
        summary="Read a request",
        description="Everything that was asked, with the evidence and the digests it is bound by.",
        tags=["Approvals"],
        responses={200: RequestSchema, **PROBLEMS},
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        found = queries.request_snapshot(request_id)
        if found is None:
            return problem(404, "There is no such request.", field="request_id")
        return Response(found)


class Decisions(Registry):
    """Decisions on a request: by people alone."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        operation_id="decide_request",
        auth=BY_LOG_IN,
        summary="Decide a request",
        description=(
            "For people who have logged in; a token is refused. `digest_seen` must be the request's"
            " `decision_digest`, so nobody decides on something that changed under their eyes (409). In a blind stage"
            " the decision is sealed until as many as are needed have decided."
        ),
        tags=["Approvals"],
        request=DecisionInput,
        examples=[*DECISION, CONDITIONAL],
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        if queries.request_snapshot(request_id) is None:
            return problem(404, "There is no such request.", field="request_id")
        user = request.user
        assert isinstance(user, User)  # PeopleOnly

        def decide(fields: dict[str, Any]) -> operations.Recorded:
            fields["conditions"] = [operations.ConditionAsk(**item) for item in fields.get("conditions", ())]
            return operations.decide(request_id=request_id, decider=user, now=timezone.now(), **fields)

        return write(request, DecisionInput, decide)


class Approvals(Registry):
    """What a pipeline asks before it starts something."""

    @extend_schema(
        operation_id="get_approval",
        summary="May this revision run?",
        description=(
            "The newest answer about the revision with this digest, with the entry that says so and its receipt."
            " 404 means that nobody asked for it: do not start it."
        ),
        tags=["Approvals"],
        parameters=[
            OpenApiParameter(
                "revision_digest",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                description="SHA-256 of the revision, 64 hexadecimal digits; `sha256:` may stand before them.",
            )
        ],
        examples=[APPROVAL],
        responses={200: ApprovalSchema, **PROBLEMS},
    )
    def get(self, request: Request, revision_digest: str) -> Response:
        match = _DIGEST.fullmatch(revision_digest)
        if match is None:
            return problem(400, "Must be 64 hexadecimal digits.", field="revision_digest")
        found = queries.approval(match[1], now=timezone.now())
        if found is None:
            return problem(404, "Nobody asked for this revision.", field="revision_digest")
        return Response(asdict(found))
