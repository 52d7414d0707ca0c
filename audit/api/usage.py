"""POST /api/v1/usage: what each request used, as pipelines see it."""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.access.authentication import HasScope, TokenAuthentication
from audit.access.tokens import Credential
from audit.api.body import BodyRefused, parse_json, read_body
from audit.api.errors import problem
from audit.api.events import AnyBody
from audit.api.schemas import ProblemSchema
from audit.collectors.reported import Usage, UsageConflict, UsageRefused, record_usage

MAX_RECORDS: Final = 1_000
_AT = re.compile(r" - at `\$\[(?P<position>\d+)\]\.?(?P<field>.*)`$")
# A hundred million tokens or milliseconds is beyond any one request; the bound keeps a window's sums exact.
MAX_COUNT: Final = 10**8
_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
_Word = Annotated[str, msgspec.Meta(max_length=100)]


EXAMPLE: Final = {
    "id": "chat-2026-11-24-0001",
    "subject": "deployment:0b0f6c1e-62a7-4f0c-9d0f-3f3c2f3f9a10",
    "occurred_at": "2026-11-24T09:00:00Z",
    "model": "Qwen/Qwen3-8B",
    "operation": "chat",
    "input_tokens": 1842,
    "output_tokens": 611,
    "reasoning_tokens": 402,
    "cached_tokens": 900,
    "duration_ms": 5870,
    "finish_reason": "stop",
}


class UsageIn(msgspec.Struct, forbid_unknown_fields=True):
    """One request. `id` is the sender's own name for it; leave out what is not known, zero says zero."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    subject: Annotated[str, msgspec.Meta(pattern="^[!-~]{1,100}$")]
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    input_tokens: _Count
    output_tokens: _Count
    operation: _Word = ""
    reasoning_tokens: _Count | None = None
    cached_tokens: _Count | None = None
    duration_ms: _Count | None = None
    finish_reason: _Word = ""


class UsageSchema(serializers.Serializer[dict[str, object]]):
    """One request to a model."""

    id = serializers.CharField(max_length=200, help_text="Your own name for the request; repeat it to retry.")
    subject = serializers.CharField(max_length=100, help_text="deployment:UUID as Assay issued it.")
    occurred_at = serializers.DateTimeField(help_text="RFC 3339 with a time zone, at most 35 days ago.")
    model = serializers.CharField(max_length=200)
    operation = serializers.CharField(required=False, max_length=100, help_text="For example chat.")
    input_tokens = serializers.IntegerField(min_value=0, max_value=MAX_COUNT, help_text="Cached tokens included.")
    output_tokens = serializers.IntegerField(min_value=0, max_value=MAX_COUNT, help_text="Reasoning tokens included.")
    reasoning_tokens = serializers.IntegerField(required=False, min_value=0, max_value=MAX_COUNT, allow_null=True)
    cached_tokens = serializers.IntegerField(required=False, min_value=0, max_value=MAX_COUNT, allow_null=True)
    duration_ms = serializers.IntegerField(required=False, min_value=0, max_value=MAX_COUNT, allow_null=True)
    finish_reason = serializers.CharField(required=False, max_length=100)


class UsageRecordedSchema(serializers.Serializer[dict[str, object]]):
    """How many records are new, and how many were known with the same content."""

    recorded = serializers.IntegerField()
    duplicates = serializers.IntegerField()


class UsageView(APIView):
    """Record usage; the answer comes after it is durable."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [HasScope]
    parser_classes = [AnyBody]
    scope: ClassVar[str] = "usage:write"

    @extend_schema(
        operation_id="record_usage",
        summary="Record what requests used",
        description=(
            "An array of up to 1,000 records, all stored or none. They are sealed in the usage window of their"
            " subject. The same id with the same content again changes nothing; with other content it is refused"
            " (409). Reasoning tokens are part of output tokens, cached tokens part of input tokens."
        ),
        tags=["Usage"],
        request=UsageSchema(many=True),
        examples=[OpenApiExample("One record", value=[EXAMPLE], request_only=True)],
        responses={
            200: UsageRecordedSchema,
            201: UsageRecordedSchema,
            (400, "application/json"): ProblemSchema,
            (401, "application/json"): ProblemSchema,
            (403, "application/json"): ProblemSchema,
            (409, "application/json"): ProblemSchema,
            (413, "application/json"): ProblemSchema,
            (415, "application/json"): ProblemSchema,
        },
    )
    def post(self, request: Request) -> Response:
        assert isinstance(request.auth, Credential)  # the only authentication class of this view
        try:
            batch = parse_usage(read_body(request._request))
            new = record_usage(batch=batch, source=request.auth.source, actor=request.auth.actor, now=datetime.now(UTC))
        except BodyRefused as error:
            return problem(error.status, str(error), field=error.field)
        except UsageConflict as error:
            return problem(409, str(error), field=f"[{error.position}].{error.field}")
        except UsageRefused as error:
            return problem(400, str(error), field=f"[{error.position}].{error.field}")
        return Response({"recorded": sum(new), "duplicates": len(new) - sum(new)}, status=201 if any(new) else 200)


def parse_usage(body: bytes) -> list[Usage]:
    """The records of a body: an array of 1 to 1,000 objects, or one object.

    Raises:
        BodyRefused: naming the first record and field that is wrong.
    """
    parsed = parse_json(body)
    items = parsed if isinstance(parsed, list) else [parsed]
    if not 1 <= len(items) <= MAX_RECORDS:
        raise BodyRefused(f"A batch has 1 to {MAX_RECORDS} records; this one has {len(items)}.")
    try:
        records = msgspec.convert(items, list[UsageIn])
    except msgspec.ValidationError as error:
        match = _AT.search(str(error))
        field = f"[{match['position']}].{match['field']}".rstrip(".") if match else ""
        raise BodyRefused(f"{_AT.sub('', str(error))}.", field=field) from error
    return [Usage(**msgspec.structs.asdict(record)) for record in records]
