"""Standings over REST."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from governance import operations
from governance.api.base import Registry, asked_by, page, write
from governance.api.fields import Choice, Id, Strict, Text, Whole
from governance.api.schemas import ID, PAGING, PROBLEMS, REGISTERED, ListedSchema, RegisteredSchema
from governance.models import Standing
from governance.operations.standing import MAX_REASON
from governance.queries.standing import SUBJECTS

LARGEST: Final = 2**31 - 1
EXAMPLE: Final = [
    OpenApiExample(
        "Quarantine",
        value={
            "subject_kind": "model_version",
            "subject_id": ID,
            "state": "quarantined",
            "reason": "A scanner found a poisoned tensor in one of its files.",
            "row_version": 0,
        },
        request_only=True,
    ),
    REGISTERED,
]


class StandingInput(Strict):
    """A new standing of a registered thing."""

    subject_kind = Choice(choices=sorted(SUBJECTS))
    subject_id = Id()
    state = Choice(choices=list(Standing.State.values))
    reason = Text(max_length=MAX_REASON)
    successor_id = Id(required=False, help_text="What takes its place, of the same kind; needed when it is superseded.")
    row_version = Whole(
        min_value=0, max_value=LARGEST, help_text="`number` of the newest standing that was read, 0 without one."
    )


class Standings(Registry):
    """Whether registered things may still be used."""

    @extend_schema(
        operation_id="list_standings",
        summary="List standings",
        description=(
            "Every record of a standing; the one with the highest `number` counts for its thing, and a thing without"
            " any is active. `name` filters by kind."
        ),
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "standing")

    @extend_schema(
        operation_id="change_standing",
        summary="Change a standing",
        description=(
            "Nothing retired or quarantined can be asked for. A quarantine is set by Operators, Reviewers or Security"
            " reviewers, or by a token; another person lifts it, never a token. 409 when the standing has changed"
            " since it was read."
        ),
        tags=["Registry"],
        request=StandingInput,
        examples=EXAMPLE,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def change(fields: dict[str, Any]) -> operations.Recorded:
            seen = fields.pop("row_version")
            return operations.change_standing(by=asked_by(request), seen=seen, now=timezone.now(), **fields)

        return write(request, StandingInput, change)
