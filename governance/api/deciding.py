"""What happens to a request after it was asked: withdrawn, revoked, its conditions confirmed."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from audit.models import User
from governance import operations, queries
from governance.api.base import PeopleOnly, Registry, asked_by, write
from governance.api.schemas import BY_LOG_IN, PROBLEMS, RegisteredSchema
from governance.api.shapes import ConditionSchema, MetInput, ReasonInput


class Withdrawals(Registry):
    """Taking back a request: by whoever asked, also through the service account that did."""

    @extend_schema(
        operation_id="withdraw_request",
        summary="Withdraw a request",
        description="Only the person who asked, or a service account of theirs, takes an open request back.",
        tags=["Approvals"],
        request=ReasonInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        if queries.request_snapshot(request_id) is None:
            return problem(404, "There is no such request.", field="request_id")

        def withdraw(fields: dict[str, Any]) -> operations.Recorded:
            return operations.withdraw(request_id=request_id, by=asked_by(request), now=timezone.now(), **fields)

        return write(request, ReasonInput, withdraw)


class Revocations(Registry):
    """Ending an approval: by people alone."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        operation_id="revoke_request",
        auth=BY_LOG_IN,
        summary="Revoke an approval",
        description=(
            "For members of a pool that decided it and for risk owners. The deployment may run nothing afterwards, and"
            " a new request can follow. The reason needs 20 characters."
        ),
        tags=["Approvals"],
        request=ReasonInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        if queries.request_snapshot(request_id) is None:
            return problem(404, "There is no such request.", field="request_id")
        user = request.user
        assert isinstance(user, User)  # PeopleOnly

        def revoke(fields: dict[str, Any]) -> operations.Recorded:
            return operations.revoke(request_id=request_id, by=user, now=timezone.now(), **fields)

        return write(request, ReasonInput, revoke)


class Conditions(Registry):
    """Conditions of a request."""

    @extend_schema(
        operation_id="list_conditions",
        summary="Read the conditions of a request",
        description="As they stand now; `blocks` is judged by the clock.",
        tags=["Approvals"],
        responses={200: ConditionSchema(many=True), **PROBLEMS},
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        found = queries.conditions_of(request_id, now=timezone.now())
        if found is None:
            return problem(404, "There is no such request.", field="request_id")
        return Response([asdict(line) for line in found])


class ConditionMet(Registry):
    """Confirming that a condition is met: by people alone."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        operation_id="meet_condition",
        auth=BY_LOG_IN,
        summary="Confirm that a condition is met",
        description="For members of the pool that asked for it, and never for the one who asked for the deployment.",
        tags=["Approvals"],
        request=MetInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID, number: int) -> Response:
        if queries.request_snapshot(request_id) is None:
            return problem(404, "There is no such request.", field="request_id")
        user = request.user
        assert isinstance(user, User)  # PeopleOnly

        def meet(fields: dict[str, Any]) -> operations.Recorded:
            seen = fields.pop("row_version")
            return operations.meet_condition(
                request_id=request_id, number=number, by=user, seen=seen, now=timezone.now(), **fields
            )

        return write(request, MetInput, meet)
