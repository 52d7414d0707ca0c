"""What the registry's addresses share: who asks, how a body is read, how a refusal is answered."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.access.authentication import HasScope
from audit.access.tokens import Credential
from audit.api.body import MAX_BODY, BodyRefused, parse_json, read_body
from audit.api.errors import problem
from audit.api.events import AnyBody
from audit.formats.cells import FORMATS, MEDIA, csv_pieces
from audit.models import User
from governance.api.fields import Strict
from governance.operations import By, Recorded, Refused
from governance.queries.lists import Listed, listed
from governance.snapshot.rows import FIELDS

CONFLICTS = frozenset({"digest_seen", "row_version"})
"""Fields whose refusal means that the world moved, not that the body is wrong."""


class Registry(APIView):
    """A token reads with `registry:read` and writes with `registry:write`; people may do both by log-in."""

    permission_classes = [HasScope]
    parser_classes = [AnyBody]
    people_may: ClassVar[bool] = True

    @property
    def scope(self) -> str:
        """The scope that a token needs for this request."""
        return "registry:read" if self.request.method in SAFE_METHODS else "registry:write"


class PeopleOnly(BasePermission):
    """Decisions are made by people who logged in; a token is no person."""

    message: ClassVar[str] = "Only a person who has logged in decides; a token cannot."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User)


def asked_by(request: Request) -> By:
    """The log-in or credential behind a request."""
    if isinstance(request.auth, Credential):
        return request.auth
    user = request.user
    assert isinstance(user, User)  # the permission classes let nobody else through
    return user


def write(
    request: Request, shape: type[Strict], act: Callable[[dict[str, Any]], Recorded], *, limit: int = MAX_BODY
) -> Response:
    """Read a body of `shape`, do one operation with its fields, and answer 201 or the refusal."""
    try:
        fields = read(request._request, shape, limit=limit)
        made = act(fields)
    except BodyRefused as error:
        return problem(error.status, str(error), field=error.field)
    except Refused as error:
        return refused(error)
    return Response({"id": str(made.id), "entries": list(made.entries)}, status=201)


def read(request: HttpRequest, shape: type[Strict], *, limit: int = MAX_BODY) -> dict[str, Any]:
    """The checked fields of a body.

    Raises:
        BodyRefused: not strict JSON within the limit.
        ValidationError: not of this shape; answered by the exception handler.
    """
    serializer = shape(data=parse_json(read_body(request, limit=limit)))
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def refused(error: Refused) -> Response:
    """An operation's refusal: 403 when it is nobody's field, 409 when the world moved, else 400."""
    status = 403 if not error.field else 409 if error.field in CONFLICTS else 400
    return problem(status, error.reason, field=error.field)


def page(request: Request, kind: str) -> Response:
    """A page of the rows of a kind."""
    limit = request.query_params.get("limit", "50")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6):
        return problem(400, "Must be a whole number.", field="limit")
    name = request.query_params.get("name", "")
    if len(name) > 200 or "\x00" in name:
        return problem(400, "Must be a name.", field="name")
    try:
        after = UUID(request.query_params["after"]) if "after" in request.query_params else None
    except ValueError as error:
        raise ValidationError({"after": "Must be the `next` of the page before."}) from error
    form = request.query_params.get("format", "json")
    if form not in FORMATS:
        return problem(400, "Must be json or csv.", field="format")
    found = listed(kind, name=name, after=after, limit=int(limit))
    return _as_csv(request, kind, found) if form == "csv" else Response(asdict(found))


class AsItIs(Response):
    """An answer whose text is finished: no renderer touches it."""

    def __init__(self, text: str, media: str) -> None:
        super().__init__(text)
        self["Content-Type"] = media

    @property
    def rendered_content(self) -> str:
        """The text."""
        return str(self.data)


def _as_csv(request: Request, kind: str, found: Listed) -> Response:
    """A page with the cells of a downloaded list; `Link` leads to the next one."""
    text = b"".join(csv_pieces(FIELDS[kind], found.items, bom=False)).decode()
    answer = AsItIs(text, MEDIA["csv"])
    if found.next is not None:
        query = request.query_params.copy()
        query["after"] = found.next
        answer["Link"] = f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'
    return answer
