"""Human oversight over REST."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations
from governance.api.agentinputs import EndInput, OversightInput
from governance.api.agentschemas import OVERSIGHT, GapsSchema
from governance.api.base import Registry, asked_by, page, write
from governance.api.schemas import PAGING, PROBLEMS, ListedSchema, RegisteredSchema
from governance.queries.oversight import oversight_gaps
from governance.queries.registered import registered_name


class Oversight(Registry):
    """Who oversees what."""

    @extend_schema(
        operation_id="list_oversight",
        summary="List oversight",
        description="`name` filters by the name of the use case.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "oversight_assignment")

    @extend_schema(
        operation_id="assign_oversight",
        summary="Assign oversight",
        description=("Article 26(2) asks for somebody competent, trained and with authority."),
        tags=["Registry"],
        request=OversightInput,
        examples=OVERSIGHT,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.assign_oversight(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, OversightInput, act)


class OversightEnds(Registry):
    """Assignments that ended before their time."""

    @extend_schema(
        operation_id="list_oversight_ends",
        summary="List ends of oversight",
        description="`name` filters by the name of the use case.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "oversight_end")


class EndOfOversight(Registry):
    """The end of an assignment."""

    @extend_schema(
        operation_id="end_oversight",
        summary="End an assignment",
        description=("From now on this person does not oversee the use. The id is that of the end."),
        tags=["Registry"],
        request=EndInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, assignment_id: UUID) -> Response:
        if registered_name("oversight_assignment", assignment_id) is None:
            return problem(404, "Nothing is registered here.", field="assignment_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.end_oversight(
                by=asked_by(request), assignment_id=assignment_id, now=timezone.now(), **fields
            )

        return write(request, EndInput, act)


class OversightGaps(Registry):
    """Uses with a high risk that nobody oversees."""

    @extend_schema(
        operation_id="get_oversight_gaps",
        summary="High-risk uses without oversight",
        description="Use cases classified as high risk for which nobody is in force today.",
        tags=["Registry"],
        responses={200: GapsSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        found = oversight_gaps(timezone.now().date())
        return Response({"items": [{**asdict(gap), "use_case_id": str(gap.use_case_id)} for gap in found]})
