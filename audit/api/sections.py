"""One section over REST: its exact bytes as a file, with the salt that opens its commitment."""

from base64 import b64encode
from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import queries
from audit.api.errors import problem
from audit.api.opening import opener
from audit.api.schemas import ErasedSchema, ProblemSchema
from audit.queries.absences import is_absent
from audit.queries.entries import SectionRow
from audit.tlog.leaf import LeafError, parse_leaf

SALT_HEADER: Final = "Assay-Salt"
_EXTENSIONS: Final = {"application/json": "json", "text/plain": "txt"}


class SectionView(APIView):
    """One section of one entry."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="get_section",
        summary="Read one section",
        description="The exact bytes that were recorded, as an attachment; the header `Assay-Salt` holds the salt in"
        " Base64 that opens the commitment in the leaf. Who may read it: as for the entry. 410 when it was erased, with"
        " the entry that tells so.",
        tags=["Log"],
        parameters=[
            OpenApiParameter("index", OpenApiTypes.INT64, OpenApiParameter.PATH, description="0-based index"),
            OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH, description="for example facts"),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            **{(status, "application/json"): ProblemSchema for status in (401, 403, 404)},
            (410, "application/json"): ErasedSchema,
        },
    )
    def get(self, request: Request, index: int, name: str) -> HttpResponse | Response:
        try:
            entry = queries.entry(index)
        except queries.EntryNotFound as error:
            return problem(404, str(error), field="index")
        if name not in _names(entry.leaf):
            return problem(404, f"Entry {index} has no such section.", field="name")
        if not opener(request)(entry.source, name):
            return problem(403, f"Only auditors may open this section of entry {index}.", field="name")
        kept = next((row for row in queries.sections_of(index)[index] if row.name == name), None)
        if kept is not None:
            return _file(kept)
        told_by = queries.erasures_of([index]).get(index, {}).get(name)
        if told_by is None:
            why = "did not come along when this log was imported" if is_absent(index, name) else "is gone, not erased"
            return problem(404, f"Section {name} of entry {index} {why}.", field="name")
        reason = f"Section {name} of entry {index} was erased, see entry {told_by}. Its commitment and proof stand."
        return problem(HTTPStatus.GONE, reason, field="name", erased_by=told_by)


def _names(leaf: bytes) -> Collection[str]:
    try:
        return parse_leaf(leaf).sections
    except LeafError:
        return ()  # only a change behind our back can do this; the entry's own page says so


def _file(kept: SectionRow) -> HttpResponse:
    extension = _EXTENSIONS.get(kept.media.partition(";")[0], "bin")
    return HttpResponse(
        kept.body,
        content_type=kept.media,
        headers={
            "Content-Disposition": f'attachment; filename="entry-{kept.entry_index}-{kept.name}.{extension}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            SALT_HEADER: b64encode(kept.salt).decode(),
        },
    )
