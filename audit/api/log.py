"""Reading the log over REST: entries, receipts, checkpoints, proofs and bundles."""

from base64 import b64encode
from typing import Annotated

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import queries
from audit.api.asked import Unreadable, asked
from audit.api.body import BodyRefused, parse_json, read_body
from audit.api.errors import problem
from audit.api.events import AnyBody
from audit.api.opening import opener
from audit.api.schemas import (
    CHECKPOINT_SCHEMA,
    BundleRequestSchema,
    ConsistencySchema,
    EntryListSchema,
    EntrySchema,
    ProblemSchema,
)
from audit.queries.keys import key_history_text
from audit.queries.search import places, search
from audit.tlog.leaf import format_time
from audit.tlog.proof import ProofError

_SectionName = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,31}$")]
_TEXT = (200, "text/plain")
_PROBLEMS = {(status, "application/json"): ProblemSchema for status in (400, 401, 403, 404)}
_INDEX = OpenApiParameter("index", OpenApiTypes.INT64, OpenApiParameter.PATH, description="0-based index")


class EntriesView(APIView):
    """The log as a list of leaves."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="list_entries",
        summary="List entries",
        description="Newest first by keyset: give `next_before` as `before` for the next page, until it is null."
        " With several filters a page may hold fewer entries than `limit`, even none, before the end: what is read for"
        " one request is bounded. Leaves only.",
        tags=["Log"],
        parameters=[
            OpenApiParameter("before", OpenApiTypes.INT64, description="only entries below this index"),
            OpenApiParameter("limit", OpenApiTypes.INT64, description="1 to 500, default 50"),
            OpenApiParameter("type", OpenApiTypes.STR, description="exactly this type"),
            OpenApiParameter("subject", OpenApiTypes.STR, description="exactly this subject, as it stands in leaves"),
            OpenApiParameter("source", OpenApiTypes.STR, description="exactly this source, such as `source:<uuid>`"),
            OpenApiParameter(
                "received_from",
                OpenApiTypes.STR,
                description="received at or after this: a day or an RFC 3339 time, UTC without an offset",
                examples=[OpenApiExample("A time", value="2026-11-24T14:30:00Z")],
            ),
            OpenApiParameter(
                "received_to",
                OpenApiTypes.STR,
                description="received before the end of this: a day means the whole of it, a time its second",
                examples=[OpenApiExample("A day", value="2026-11-24")],
            ),
        ],
        responses={200: EntryListSchema, **_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        try:
            wanted, before, limit = asked(request.query_params, now=timezone.now())
        except Unreadable as error:
            return problem(400, str(error), field=error.field)
        found = search(wanted, inside=places(wanted), before=before, limit=limit)
        rows = [
            {"index": row.index, "leaf": row.leaf.decode("utf-8", "replace"), "leaf_hash": row.leaf_hash.hex()}
            for row in found.rows
        ]
        return Response({"entries": rows, "next_before": found.older})


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
                "erased": queries.erasures_of([index]).get(index, {}),
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
                "keys": key_history_text(),
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
        description="Entries, opened sections, proofs and checkpoint in one file for `python -m audit.tlog verify`."
        " `sections` names those to open; without it all are. An erased section stands in the file as erased, with the"
        " entry that tells so.",
        tags=["Log"],
        request=BundleRequestSchema,
        examples=[OpenApiExample("Three entries", value={"indexes": [0, 1, 2]}, request_only=True)],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, **_PROBLEMS},
    )
    def post(self, request: Request) -> HttpResponse | Response:
        try:
            wanted = msgspec.convert(parse_json(read_body(request._request)), BundleRequest)
            sources, may_open = queries.sources_of(wanted.indexes), opener(request)
            # A bundle opens every section of its entries unless some are named.
            names = wanted.sections or ["restricted"]
            closed = sorted(i for i, source in sources.items() if not all(may_open(source, name) for name in names))
            if closed:
                return problem(403, f"Only auditors may open the content of entry {closed[0]}.", field="indexes")
            document = queries.bundle(wanted.indexes, sections=wanted.sections)
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
    """Which entries a bundle shall carry, and which of their sections; all when None."""

    indexes: Annotated[list[int], msgspec.Meta(min_length=1)]
    sections: Annotated[list[_SectionName], msgspec.Meta(min_length=1, max_length=8)] | None = None


def public_checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest checkpoint as the plain note, where monitors of transparency logs look for it."""
    checkpoint = queries.latest_checkpoint()
    if checkpoint is None:
        return HttpResponse("No checkpoint was signed yet.\n", status=404, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(checkpoint.note, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-cache"
    return answer
