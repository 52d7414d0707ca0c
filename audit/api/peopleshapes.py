"""Bodies and answers of the addresses for people, pools and tokens: the strict shapes, and their documentation."""

from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from django.http import HttpRequest
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.access.base import Refused
from audit.access.tokens import SCOPES
from audit.api.body import BodyRefused, parse_json, read_body
from audit.api.errors import problem
from audit.api.schemas import ProblemSchema
from audit.models import User

MAX_BODY = 64 * 1024
PROBLEMS = {(status, "application/json"): ProblemSchema for status in (400, 401, 403, 404, 409)}

_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Text = Annotated[str, msgspec.Meta(max_length=4000)]
_Shape = TypeVar("_Shape", bound=msgspec.Struct)


class People(BasePermission):
    """Only people change pools and tokens: a token that could make tokens would never end."""

    message = "Only a person who has logged in does this; a token cannot."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User)


class ProposeBody(msgspec.Struct, forbid_unknown_fields=True):
    account: _Whole
    pool: _Text
    change: Literal["add", "remove"]
    reason: _Text


class DecideBody(msgspec.Struct, forbid_unknown_fields=True):
    decision: Literal["carry_out", "refuse", "withdraw"]
    reason: _Text
    row_version: _Whole


class ServiceBody(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    source_name: _Text
    owner_id: UUID
    description: _Text = ""


class IssueBody(msgspec.Struct, forbid_unknown_fields=True):
    scopes: Annotated[list[_Text], msgspec.Meta(max_length=20)]
    days: _Whole
    networks: Annotated[list[_Text], msgspec.Meta(max_length=50)] = []


class RotateBody(msgspec.Struct, forbid_unknown_fields=True):
    days: _Whole
    overlap_days: _Whole
    row_version: _Whole


class RevokeBody(msgspec.Struct, forbid_unknown_fields=True):
    reason: _Text
    row_version: _Whole


def read(request: HttpRequest, shape: type[_Shape]) -> _Shape:
    """A body of a shape.

    Raises:
        BodyRefused: not strict JSON, or another shape.
    """
    content = parse_json(read_body(request, limit=MAX_BODY))
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        words, _at, path = str(error).partition(" - at `$")
        raise BodyRefused(words, field=path.strip("`.")) from error


def answer_to(error: Refused | BodyRefused) -> Response:
    """A refusal: 403 when it is nobody's field, 409 when the row changed meanwhile, else 400."""
    if isinstance(error, BodyRefused):
        return problem(error.status, str(error), field=error.field)
    status = 403 if not error.field else 409 if error.field in {"row_version", "token"} else 400
    return problem(status, error.reason, field=error.field)


def person_of(request: Request) -> User:
    """The log-in behind a request that `People` let through."""
    assert isinstance(request.user, User)
    return request.user


def _shape(title: str, /, **fields: serializers.Field[Any, Any, Any, Any]) -> serializers.Serializer[Any]:
    return inline_serializer(title, dict(fields))


_TEXT, _NUMBER, _UUID = serializers.CharField, serializers.IntegerField, serializers.UUIDField

PROPOSE = _shape(
    "PoolChangeInput",
    account=_NUMBER(help_text="Number of the log-in."),
    pool=_TEXT(),
    change=serializers.ChoiceField(choices=["add", "remove"]),
    reason=_TEXT(help_text="At least 10 characters."),
)
DECIDE = _shape(
    "PoolChangeDecision",
    decision=serializers.ChoiceField(choices=["carry_out", "refuse", "withdraw"]),
    reason=_TEXT(help_text="At least 10 characters."),
    row_version=_NUMBER(help_text="Of the change that was read."),
)
CHANGED = _shape(
    "PoolChanged",
    id=_UUID(),
    state=_TEXT(help_text="proposed, carried_out, refused or withdrawn."),
    entries=serializers.ListField(child=_NUMBER()),
)
CHANGE = _shape(
    "PoolChange",
    id=_UUID(),
    reference=_TEXT(),
    pool=_TEXT(),
    change=_TEXT(),
    mode=_TEXT(help_text="two_persons, founding, ordinary or installation."),
    state=_TEXT(help_text="proposed, carried_out, refused or withdrawn."),
    reason=_TEXT(),
    account=_NUMBER(),
    person_id=_UUID(),
    proposed_at=serializers.DateTimeField(),
    decision_reason=_TEXT(allow_blank=True),
    decided_at=serializers.DateTimeField(allow_null=True),
    row_version=_NUMBER(),
    for_me=serializers.BooleanField(help_text="Whether you may decide it now."),
)
CHANGES = _shape("PoolChanges", changes=serializers.ListField(child=CHANGE))
MEMBER = _shape(
    "PoolMember",
    account=_NUMBER(),
    person_id=_UUID(),
    active=serializers.BooleanField(),
    suspended=serializers.BooleanField(help_text="Decides nothing until another person confirms it."),
    entry=_NUMBER(allow_null=True, help_text="The entry that tells that it joined."),
    mode=_TEXT(allow_blank=True),
)
POOLS = _shape(
    "Pools",
    pools=serializers.ListField(
        child=_shape(
            "Pool",
            name=_TEXT(),
            decides=serializers.BooleanField(),
            members=serializers.ListField(child=MEMBER),
        )
    ),
)
SERVICE_INPUT = _shape(
    "ServiceAccountInput",
    name=_TEXT(max_length=100),
    source_name=_TEXT(max_length=100, help_text="A name that stands already means that source."),
    owner_id=_UUID(help_text="The person who answers for it."),
    description=_TEXT(required=False),
)
SERVICE = _shape(
    "ServiceAccount",
    id=_UUID(),
    name=_TEXT(),
    owner_id=_UUID(),
    owner_closed=serializers.BooleanField(help_text="Every log-in of the owner is closed: no token of it works."),
    source_id=_UUID(),
    source_name=_TEXT(),
    tokens=_NUMBER(help_text="That work now."),
    last_used=serializers.DateField(allow_null=True),
)
SERVICES = _shape("ServiceAccounts", service_accounts=serializers.ListField(child=SERVICE))
TOKEN = _shape(
    "Token",
    id=_UUID(),
    prefix=_TEXT(),
    scopes=serializers.ListField(child=_TEXT()),
    networks=serializers.ListField(child=_TEXT()),
    created_at=serializers.DateTimeField(),
    expires_at=serializers.DateTimeField(),
    revoked_at=serializers.DateTimeField(allow_null=True),
    state=_TEXT(help_text="active, expired, revoked, or closed with its owner."),
    last_used=serializers.DateField(allow_null=True),
    rotated_from=_TEXT(allow_blank=True),
    entry=_NUMBER(allow_null=True),
    row_version=_NUMBER(),
)
SERVICE_WITH_TOKENS = _shape(
    "ServiceAccountWithTokens", service_account=SERVICE, tokens=serializers.ListField(child=TOKEN)
)
CREATED = _shape("ServiceAccountCreated", id=_UUID())
ISSUE = _shape(
    "TokenInput",
    scopes=serializers.ListField(child=_TEXT(), help_text=f"Of {', '.join(SCOPES)}."),
    days=_NUMBER(help_text="1 to 366."),
    networks=serializers.ListField(child=_TEXT(), required=False, help_text="Such as 10.1.0.0/16; empty: everywhere."),
)
ROTATE = _shape(
    "TokenRotation",
    days=_NUMBER(help_text="Of the new token, 1 to 366."),
    overlap_days=_NUMBER(help_text="0 to 30; then the old one ends."),
    row_version=_NUMBER(help_text="Of the token that was read."),
)
REVOKE = _shape(
    "TokenRevocation",
    reason=_TEXT(help_text="At least 10 characters."),
    row_version=_NUMBER(help_text="Of the token that was read."),
)
ISSUED = _shape(
    "TokenIssued",
    id=_UUID(),
    token=_TEXT(help_text="Shown this once and kept nowhere."),
    expires_at=serializers.DateTimeField(),
)
