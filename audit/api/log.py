"""Reading the log over REST: entries, receipts, checkpoints, proofs and bundles."""

from base64 import b64encode
from collections.abc import Callable

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import queries
from audit.access.tokens import Credential
from audit.api.body import BodyRefused, parse_json, read_body
from audit.api.errors import problem
from audit.api.events import AnyBody
from audit.api.schemas import (
    CHECKPOINT_SCHEMA,
    BundleRequestSchema,
    ConsistencySchema,
    EntryListSchema,
    EntrySchema,
    ProblemSchema,
)
from audit.models import User
from audit.queries.disclosure import is_open_to_all
from audit.queries.roles import AUDITORS, roles_of
from audit.tlog.leaf import format_time
from audit.tlog.proof import ProofError

_TEXT = (200, "text/plain")
_PROBLEMS = {(status, "application/json"): ProblemSchema for status in (400, 401, 403, 404)}
_INDEX = OpenApiParameter("index", OpenApiTypes.INT64, OpenApiParameter.PATH, description="0-based index")


def opener(request: Request) -> Callable[[str, str], bool]:
    """Whether this request may open a section of an entry of a source (see audit.queries.disclosure)."""
    if isinstance(request.auth, Credential):
        own, reads_all = request.auth.source, "log:read" in request.auth.scopes
        return lambda source, section: reads_all or source == own
    if isinstance(request.user, User) and AUDITORS in roles_of(request.user.pk):
        return lambda source, section: True
    return is_open_to_all


class EntriesView(APIView):
    """The log as a list of leaves."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="list_entries",
        summary="List entries",
        description="Newest first by keyset: give the last index as `before` for the next page. Leaves only.",
        tags=["Log"],
        parameters=[
            OpenApiParameter("before", OpenApiTypes.INT64, description="only entries below this index"),
            OpenApiParameter("limit", OpenApiTypes.INT64, description="1 to 500, default 50"),
            OpenApiParameter("type", OpenApiTypes.STR, description="exactly this type"),
            OpenApiParameter("subject", OpenApiTypes.STR, description="exactly this subject"),
        ],
        responses={200: EntryListSchema, **_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        numbers: dict[str, int | None] = {}
        for name, most in (("before", 1 << 62), ("limit", 500)):
            text = request.query_params.get(name, "")
            if text and not (text.isascii() and text.isdigit() and len(text) < 19 and 1 <= int(text) <= most):
                return problem(400, f"A whole number from 1 to {most}.", field=name)
            numbers[name] = int(text) if text else None
        found = queries.entries(
            before=numbers["before"],
            limit=numbers["limit"] or 50,
            type_=request.query_params.get("type", "")[:200],
            subject=request.query_params.get("subject", "")[:200],
        )
        rows = [
            {"index": row.index, "leaf": row.leaf.decode("utf-8", "replace"), "leaf_hash": row.leaf_hash.hex()}
            for row in found
        ]
        return Response({"entries": rows, "next_before": found[-1].index if found and found[-1].index else None})


class EntryView(APIView):
    """One entry with its opened sections."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="get_entry",
        summary="Read one entry",
        description="The exact leaf; for auditors, tokens with `log:read` and the source itself also the sections that"
        " are kept, with the salts that open their commitments.",
        tags=["Log"],
        parameters=[_INDEX],
        responses={200: EntrySchema, **_PROBLEMS},
    )
    def get(self, request: Request, index: int) -> Response:
        try:
            entry = queries.entry(index)
        except queries.EntryNotFound as error:
            return problem(404, str(error), field="index")
        covering, may_open = queries.checkpoint_covering(index), opener(request)
        sections = {
            section.name: {
                "media": section.media,
                "salt": b64encode(section.salt).decode(),
                "body": b64encode(section.body).decode(),
            }
            for section in queries.sections_of(index)[index]
            if may_open(entry.source, section.name)
        }
        return Response(
            {
                "index": entry.index,
                "leaf": entry.leaf.decode("utf-8", "replace"),
                "leaf_hash": entry.leaf_hash.hex(),
                "sections": sections,
                "checkpoint": covering.size if covering else None,
            }
        )


class ReceiptView(APIView):
    """The receipt of one entry, checkable offline."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="get_receipt",
        summary="Receipt of an entry",
        description="c2sp.org/tlog-proof@v1 under the oldest checkpoint that covers the entry. 404 until it is signed.",
        tags=["Log"],
        parameters=[_INDEX],
        responses={_TEXT: OpenApiTypes.STR, **_PROBLEMS},
    )
    def get(self, request: Request, index: int) -> HttpResponse | Response:
        try:
            queries.entry(index)
            text = queries.receipt(index)
        except queries.EntryNotFound as error:
            return problem(404, str(error), field="index")
        except queries.NotCovered as error:
            response = problem(404, str(error), field="index")
            response["Retry-After"] = str(error.retry_after_seconds)
            return response
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="entry-{index}.tlog-proof"'
        return answer


class CheckpointView(APIView):
    """The newest signed checkpoint; public, like everything it commits to."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="get_checkpoint",
        summary="Newest signed checkpoint",
        description="Keep it: any later log must prove that it continues this one.",
        tags=["Log"],
        responses={200: CHECKPOINT_SCHEMA, (404, "application/json"): ProblemSchema},
    )
    def get(self, request: Request) -> Response:
        checkpoint = queries.latest_checkpoint()
        if checkpoint is None:
            return problem(404, "No checkpoint was signed yet; the signer signs within a second of the first entry.")
        return Response(
            {
                "size": checkpoint.size,
                "root": b64encode(checkpoint.root).decode(),
                "note": checkpoint.note,
                "signed_at": format_time(checkpoint.signed_at),
                "key": settings.LEDGER_VKEY,
            }
        )


class ConsistencyView(APIView):
    """That the tree of `second` entries continues the tree of `first`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="get_consistency",
        summary="Consistency proof between two sizes",
        tags=["Log"],
        description="RFC 6962 consistency proof; hold it against two checkpoints you kept.",
        parameters=[
            OpenApiParameter("first", OpenApiTypes.INT64, required=True, examples=[OpenApiExample("4", value=4)]),
            OpenApiParameter("second", OpenApiTypes.INT64, required=True, examples=[OpenApiExample("9", value=9)]),
        ],
        responses={200: ConsistencySchema, **_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        sizes = {}
        for name in ("first", "second"):
            text = request.query_params.get(name, "")
            if not (text.isascii() and text.isdigit() and len(text) < 19):
                return problem(400, "A tree size is a whole number.", field=name)
            sizes[name] = int(text)
        if sizes["second"] > queries.head_size():
            return problem(404, "The log is not that large yet.", field="second")
        try:
            proof = queries.consistency(sizes["first"], sizes["second"])
        except ProofError as error:
            return problem(400, str(error), field="first")
        return Response({**sizes, "proof": [b64encode(item).decode() for item in proof]})


class BundleView(APIView):
    """Several entries with everything needed to check them offline."""

    permission_classes = [IsAuthenticated]
    parser_classes = [AnyBody]

    @extend_schema(
        operation_id="make_bundle",
        summary="Bundle of entries for an auditor",
        description="Entries, opened sections, proofs and checkpoint in one file for `python -m audit.tlog verify`.",
        tags=["Log"],
        request=BundleRequestSchema,
        examples=[OpenApiExample("Three entries", value={"indexes": [0, 1, 2]}, request_only=True)],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, **_PROBLEMS},
    )
    def post(self, request: Request) -> HttpResponse | Response:
        try:
            wanted = msgspec.convert(parse_json(read_body(request._request)), BundleRequest)
            sources, may_open = queries.sources_of(wanted.indexes), opener(request)
            # A bundle opens every section of its entries.
            if closed := sorted(index for index, source in sources.items() if not may_open(source, "restricted")):
                return problem(403, f"Only auditors may open the content of entry {closed[0]}.", field="indexes")
            document = queries.bundle(wanted.indexes)
        except BodyRefused as error:
            return problem(error.status, str(error), field=error.field)
        except (msgspec.ValidationError, queries.TooManyEntries) as error:
            return problem(400, str(error), field="indexes")
        except (queries.EntryNotFound, queries.NotCovered) as error:
            return problem(404, str(error), field="indexes")
        answer = HttpResponse(document, content_type="application/json")
        answer["Content-Disposition"] = 'attachment; filename="bundle.assay.json"'
        return answer


class BundleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Which entries a bundle shall carry."""

    indexes: list[int]


def public_checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest checkpoint as the plain note, where monitors of transparency logs look for it."""
    checkpoint = queries.latest_checkpoint()
    if checkpoint is None:
        return HttpResponse("No checkpoint was signed yet.\n", status=404, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(checkpoint.note, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-cache"
    return answer
