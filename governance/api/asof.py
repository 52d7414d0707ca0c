"""The registry at any tree size, and the search, over REST: from the ledger's snapshots."""

import re
from typing import Final
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from audit.tlog.leaf import format_time
from governance import queries
from governance.api.asofschemas import (
    ObjectAtSchema,
    ObjectHistorySchema,
    ObjectListAtSchema,
    SearchSchema,
)
from governance.api.base import Registry
from governance.api.schemas import PROBLEMS

_WHOLE: Final = re.compile(r"\d{1,18}", re.ASCII)
_KIND = OpenApiParameter(
    "kind", OpenApiTypes.STR, OpenApiParameter.PATH, description="Such as `deployment`, `revision`, `request`."
)
_ID = OpenApiParameter("subject_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Its id.")
_AT = OpenApiParameter("at", OpenApiTypes.INT64, description="Tree size; the log as it is when left out.")
_BEFORE = OpenApiParameter("before", OpenApiTypes.INT64, description="`next` of the page before.")
_LIMIT = OpenApiParameter("limit", OpenApiTypes.INT64, description="How many at most.")


class _Wrong(ValueError):
    """A query parameter that is no whole number."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class AsOf(Registry):
    """What these addresses share: a refusal names its parameter, and a tree size must have been reached."""

    def numbers(self, request: Request, *names: str) -> list[int | None]:
        """The whole numbers of these query parameters, None where one is not given."""
        found: list[int | None] = []
        for name in names:
            text = request.query_params.get(name)
            if text is not None and not _WHOLE.fullmatch(text):
                raise _Wrong(name)
            found.append(None if text is None else int(text))
        return found

    def handle_exception(self, exc: Exception) -> Response:
        """Refusals of what was asked; all else as everywhere."""
        if isinstance(exc, _Wrong):
            return problem(400, "Must be a whole number.", field=exc.field)
        if isinstance(exc, queries.NoSuchKind | queries.NoSuchObject):
            return problem(404, str(exc), field="kind" if isinstance(exc, queries.NoSuchKind) else "subject_id")
        return super().handle_exception(exc)


class ObjectsAt(AsOf):
    """The objects of a kind at a tree size."""

    @extend_schema(
        operation_id="list_objects_at",
        summary="List objects at a tree size",
        description="Newest first, by the entry that each life begins with. `after` is null where the snapshot is gone."
        " A filter by name looks at a bounded number of objects for one page, which may then be short before the end.",
        tags=["Registry"],
        parameters=[
            _KIND, _AT, _BEFORE, _LIMIT, OpenApiParameter("name", OpenApiTypes.STR, description="A part of the name."),
        ],
        responses={200: ObjectListAtSchema, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request, kind: str) -> Response:
        at, before, limit = self.numbers(request, "at", "before", "limit")
        name = request.query_params.get("name", "")[:200]
        found = queries.objects_at(kind, at=at, before=before, name=name, limit=50 if limit is None else limit)
        if at is not None and at > found.head:
            return problem(400, f"The log has {found.head} entries.", field="at")
        items = [
            {
                "id": str(line.id),
                "name": line.name,
                "began": line.began,
                "entry": line.entry,
                "receipt": _receipt(line.entry),
                "after": line.after,
            }
            for line in found.lines
        ]
        return Response({"kind": kind, "at": found.at, "items": items, "next": found.older})


class ObjectAt(AsOf):
    """One object at a tree size."""

    @extend_schema(
        operation_id="get_object_at",
        summary="Read an object at a tree size",
        description="`after` is the snapshot that entry `entry` carries, the newest one below `at`; `state` says why"
        " there is none. `changes` are all entries after which it was something else.",
        tags=["Registry"],
        parameters=[_KIND, _ID, _AT],
        responses={200: ObjectAtSchema, **PROBLEMS},
    )
    def get(self, request: Request, kind: str, subject_id: UUID) -> Response:
        (at,) = self.numbers(request, "at")
        found = queries.object_page(kind, subject_id, at=at)
        if at is not None and at > found.head:
            return problem(400, f"The log has {found.head} entries.", field="at")
        return Response(
            {
                "kind": kind,
                "id": str(subject_id),
                "name": found.name,
                "at": found.at,
                "head": found.head,
                "state": found.state,
                "entry": found.entry,
                "received_at": format_time(found.entry_time) if found.entry_time else None,
                "erased_by": found.erased_by,
                "receipt": _receipt(found.entry),
                "after": found.after,
                "changes": [step.index for step in found.steps],
                "referring": [
                    {"kind": item.kind, "id": str(item.id), "name": item.name, "field": item.field}
                    for item in found.referring
                ],
            }
        )


class ObjectHistory(AsOf):
    """Every entry about an object."""

    @extend_schema(
        operation_id="get_object_history",
        summary="Read an object's history",
        description="Every entry about it, newest first, with the columns that each changed.",
        tags=["Registry"],
        parameters=[_KIND, _ID, _AT, _BEFORE],
        responses={200: ObjectHistorySchema, **PROBLEMS},
    )
    def get(self, request: Request, kind: str, subject_id: UUID) -> Response:
        at, before = self.numbers(request, "at", "before")
        found = queries.object_page(kind, subject_id, at=at, before=before)
        items = [
            {
                "entry": line.row.index,
                "type": line.row.type,
                "actor": line.row.actor,
                "received_at": format_time(line.row.received_at),
                "receipt": _receipt(line.row.index),
                "gone": line.gone,
                "changes": [{"field": change.name, "from": change.was, "to": change.became} for change in line.changes],
            }
            for line in found.history
        ]
        return Response({"kind": kind, "id": str(subject_id), "at": found.at, "items": items, "next": found.older})


class Search(AsOf):
    """One search over everything."""

    @extend_schema(
        operation_id="search",
        summary="Search the registry",
        description="By words, references such as REQ-0007, ids, digests from 8 digits on, and entry numbers. Every"
        " word must be the beginning of a word of the same object. `behind` entries of the log are not searched yet.",
        tags=["Registry"],
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, description="The first 200 characters count.", required=True),
            OpenApiParameter("kind", OpenApiTypes.STR, description="Only objects of this kind."),
            OpenApiParameter("limit", OpenApiTypes.INT64, description="Of each kind, 1 to 200; 8 when left out."),
        ],
        responses={200: SearchSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        (limit,) = self.numbers(request, "limit")
        kind = request.query_params.get("kind", "")
        found = queries.search(request.query_params.get("q", ""), kind=kind, limit=8 if limit is None else limit)
        groups = [
            {
                "kind": group.kind,
                "more": group.more,
                "items": [
                    {
                        "id": str(hit.id),
                        "name": hit.label,
                        "detail": hit.detail,
                        "entry": hit.entry,
                        "receipt": _receipt(hit.entry),
                    }
                    for hit in group.hits
                ],
            }
            for group in found.groups
        ]
        return Response({"q": found.asked, "groups": groups, "entry": found.entry, "behind": found.behind})


def _receipt(index: int | None) -> str | None:
    return None if index is None else reverse("api-receipt", args=[index])
