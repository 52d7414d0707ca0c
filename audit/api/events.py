"""POST /api/v1/events: the door for pipelines."""

import re
import threading
from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from audit import ledger
from audit.access.authentication import HasScope, TokenAuthentication
from audit.access.tokens import Credential
from audit.api.body import BodyRefused, read_body
from audit.api.errors import database_away, plain_problem
from audit.api.examples import EVENT_EXAMPLES
from audit.api.incoming import parse_events
from audit.api.schemas import EVENT_BATCH_SCHEMA, EVENT_SCHEMA, BatchSchema, ProblemSchema, RecordedSchema
from audit.queries import checkpoint_covering, is_frozen, receipt
from audit.tlog.leaf import format_time

MAX_WAIT_SECONDS: Final = 10
MAX_WAITING: Final = 4
MAX_RECEIPTS: Final = 50
_POLL_SECONDS: Final = 0.1
_WAIT = re.compile(r"(?:^|,)\s*wait=(\d{1,3})\s*(?:,|$)")
_group = ledger.Group()
_waiting = threading.BoundedSemaphore(MAX_WAITING)
_authentication = TokenAuthentication()


_RECORDED = PolymorphicProxySerializer(
    component_name="RecordedOrBatch",
    serializers=[RecordedSchema, BatchSchema],
    resource_type_field_name=None,
    many=False,
)


class AnyBody(BaseParser):
    """Leaves the body alone: the view reads it through the front door of `audit.api.body`."""

    media_type = "*/*"

    def parse(self, stream: object, media_type: str | None = None, parser_context: object = None) -> dict[str, object]:
        """Nothing, and the stream untouched: DRF asks only to look for a CSRF token among form fields."""
        return {}


class Events(APIView):
    """Record events; the answer comes after they are durable."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [HasScope]
    parser_classes = [AnyBody]
    scope: ClassVar[str] = "events:write"

    @extend_schema(
        operation_id="record_events",
        summary="Record one event or a batch",
        description=(
            "One object, or an array of up to 1,000. The answer comes after the commit. The same id with the same"
            " bytes again is answered with the first entry (200); with other bytes it is refused (409). With"
            " `Prefer: wait=2` the answer waits for the signed checkpoint and brings receipts (50 at most)."
        ),
        tags=["Events"],
        request=PolymorphicProxySerializer(
            component_name="EventOrBatch",
            serializers=[EVENT_SCHEMA, EVENT_BATCH_SCHEMA],
            resource_type_field_name=None,
            many=False,
        ),
        examples=EVENT_EXAMPLES,
        parameters=[OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="wait=SECONDS, at most 10")],
        responses={
            (200, "application/json"): _RECORDED,
            (201, "application/json"): _RECORDED,
            (400, "application/json"): ProblemSchema,
            (401, "application/json"): ProblemSchema,
            (403, "application/json"): ProblemSchema,
            (409, "application/json"): ProblemSchema,
            (413, "application/json"): ProblemSchema,
            (415, "application/json"): ProblemSchema,
            (503, "application/json"): ProblemSchema,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        assert isinstance(request.auth, Credential)  # the only authentication class of this view
        return _record(request._request, request.auth)

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """A POST with a good token goes the short way, as it comes thousands of times a second; all else is DRF's."""
        answer = answer_plainly(request) if request.method == "POST" else None
        return answer or super().dispatch(request, *args, **kwargs)


def answer_plainly(request: HttpRequest) -> HttpResponse | None:
    """The answer to a POST with a good token, without DRF; None, with the body untouched, leaves the rest to it."""
    try:
        found = _authentication.authenticate(request)
        if found is None or Events.scope not in found[1].scopes:
            return None
        return _record(request, found[1])
    except (AuthenticationFailed, PermissionDenied):
        return None
    except ledger.STORAGE_FAILED as error:
        return plain_problem(503, database_away(error))


def _record(request: HttpRequest, credential: Credential) -> HttpResponse:
    try:
        incoming = parse_events(read_body(request), credential)
    except BodyRefused as error:
        return plain_problem(error.status, str(error), field=error.field)
    try:
        recorded = _group.append(incoming.events)
    except ledger.EventRefused as error:
        return plain_problem(400, str(error))
    except ledger.IdempotencyConflict as error:
        field = f"[{error.position}].id" if incoming.is_batch else "id"
        first = {} if error.first_index is None else {"first_index": error.first_index}
        return plain_problem(409, str(error), field=field, **first)
    except (ledger.Overloaded, ledger.StorageUnavailable) as error:
        return plain_problem(503, str(error))
    created = any(item.status == "created" for item in recorded)
    answers = _answers(recorded)
    if wait := _WAIT.search(request.META.get("HTTP_PREFER", "")):
        _add_receipts(answers, min(int(wait[1]), MAX_WAIT_SECONDS))
    content = msgspec.json.encode({"events": answers} if incoming.is_batch else answers[0])
    return HttpResponse(content, content_type="application/json", status=201 if created else 200)


def _answers(recorded: Sequence[ledger.Appended]) -> list[dict[str, object]]:
    # What is new was received in one moment.
    moments = {moment: format_time(moment) for moment in {item.received_at for item in recorded}}
    return [
        {
            "index": item.index,
            "id": item.id,
            "leaf_hash": item.leaf_hash.hex(),
            "received_at": moments[item.received_at],
            "status": item.status,
        }
        for item in recorded
    ]


def _add_receipts(answers: list[dict[str, object]], seconds: int) -> None:
    """Wait for the signer, at most `seconds`; what it has not reached by then goes without a receipt.

    Few requests of a process wait at once: waiting holds a thread, and the others must be answered meanwhile.
    """
    if not _waiting.acquire(blocking=False):
        return
    try:
        if not _is_covered(max(int(str(answer["index"])) for answer in answers), seconds):
            return
    finally:
        _waiting.release()
    for answer in answers[:MAX_RECEIPTS]:
        answer["receipt"] = receipt(int(str(answer["index"])))


def _is_covered(index: int, seconds: int) -> bool:
    idle = threading.Event()
    for _attempt in range(int(seconds / _POLL_SECONDS) + 1):
        if checkpoint_covering(index) is not None:
            return True
        if idle.wait(_POLL_SECONDS) or is_frozen():
            break
    return False
