"""Service accounts and tokens over REST, for people alone. A token's text stands in one answer and nowhere else."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.access import rights, services
from audit.access.base import Refused
from audit.access.tokens import IssuedToken
from audit.api import peopleshapes as shapes
from audit.api.body import BodyRefused
from audit.api.errors import problem
from audit.api.people import PeopleView
from audit.models import User
from audit.queries import tokens as read


class ServiceAccounts(PeopleView):
    """Service accounts."""

    @extend_schema(
        operation_id="list_service_accounts",
        summary="List service accounts",
        description="All of them for operators, auditors and compliance; for everybody else those they answer for.",
        tags=["People"],
        responses={200: shapes.SERVICES, **shapes.PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        user = shapes.person_of(request)
        owner = None if rights.sees_all_tokens(user) else user.person_id
        rows = read.service_accounts(owner_id=owner, now=timezone.now())
        return Response({"service_accounts": [_service(row) for row in rows]})

    @extend_schema(
        operation_id="create_service_account",
        summary="Create a service account",
        description="By an operator, for an owner with an open log-in. It records and asks; it never decides.",
        tags=["People"],
        request=shapes.SERVICE_INPUT,
        responses={201: shapes.CREATED, **shapes.PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        try:
            said = shapes.read(request._request, shapes.ServiceBody)
            made = services.create_service_account(
                by=shapes.person_of(request),
                name=said.name,
                source_name=said.source_name,
                owner_id=said.owner_id,
                description=said.description,
                now=timezone.now(),
            )
        except (Refused, BodyRefused) as error:
            return shapes.answer_to(error)
        return Response({"id": str(made.pk)}, status=201)


class OneServiceAccount(PeopleView):
    """One service account and its tokens."""

    @extend_schema(
        operation_id="get_service_account",
        summary="Read a service account and its tokens",
        description="Never a token's text.",
        tags=["People"],
        responses={200: shapes.SERVICE_WITH_TOKENS, **shapes.PROBLEMS},
    )
    def get(self, request: Request, service_id: UUID) -> Response:
        try:
            found, rows = read.service_account(service_id, now=timezone.now())
        except read.NoSuchToken as error:
            return problem(404, str(error), field="service_id")
        if not _sees(shapes.person_of(request), found):
            return problem(403, "Only its owner, operators and auditors see this service account.")
        return Response({"service_account": _service(found), "tokens": [_token(row) for row in rows]})


class Tokens(PeopleView):
    """New tokens."""

    @extend_schema(
        operation_id="issue_token",
        summary="Issue a token",
        description="By the owner or an operator. The answer holds its text, this once.",
        tags=["People"],
        request=shapes.ISSUE,
        responses={201: shapes.ISSUED, **shapes.PROBLEMS},
    )
    def post(self, request: Request, service_id: UUID) -> Response:
        try:
            said = shapes.read(request._request, shapes.IssueBody)
            issued = services.issue(
                by=shapes.person_of(request),
                service_account_id=service_id,
                scopes=said.scopes,
                days=said.days,
                networks=said.networks,
                now=timezone.now(),
            )
        except (Refused, BodyRefused) as error:
            return shapes.answer_to(error)
        return _issued(issued)


class Rotation(PeopleView):
    """A token's successor."""

    @extend_schema(
        operation_id="rotate_token",
        summary="Rotate a token",
        description="A new one with the same scopes and networks; the old one ends after the overlap.",
        tags=["People"],
        request=shapes.ROTATE,
        responses={201: shapes.ISSUED, **shapes.PROBLEMS},
    )
    def post(self, request: Request, token_id: UUID) -> Response:
        try:
            said = shapes.read(request._request, shapes.RotateBody)
            issued = services.rotate(
                by=shapes.person_of(request),
                token_id=token_id,
                days=said.days,
                overlap_days=said.overlap_days,
                seen=said.row_version,
                now=timezone.now(),
            )
        except (Refused, BodyRefused) as error:
            return shapes.answer_to(error)
        return _issued(issued)


class Revocation(PeopleView):
    """The end of a token."""

    @extend_schema(
        operation_id="revoke_token",
        summary="Revoke a token",
        description="At once; every process refuses it within a second.",
        tags=["People"],
        request=shapes.REVOKE,
        responses={204: None, **shapes.PROBLEMS},
    )
    def post(self, request: Request, token_id: UUID) -> Response:
        try:
            said = shapes.read(request._request, shapes.RevokeBody)
            services.revoke(
                by=shapes.person_of(request),
                token_id=token_id,
                reason=said.reason,
                seen=said.row_version,
                now=timezone.now(),
            )
        except (Refused, BodyRefused) as error:
            return shapes.answer_to(error)
        return Response(status=204)


def _sees(user: User, found: read.ServiceRow) -> bool:
    return found.owner_id == user.person_id or rights.sees_all_tokens(user)


def _issued(issued: IssuedToken) -> Response:
    response = Response(
        {"id": str(issued.id), "token": issued.text, "expires_at": issued.expires_at},
        status=201,
    )
    response["Cache-Control"] = "no-store"
    return response


def _service(row: read.ServiceRow) -> dict[str, object]:
    return {
        "id": str(row.id),
        "name": row.name,
        "owner_id": str(row.owner_id),
        "owner_closed": row.owner_closed,
        "source_id": str(row.source_id),
        "source_name": row.source,
        "tokens": row.tokens,
        "last_used": row.last_used,
    }


def _token(row: read.TokenRow) -> dict[str, object]:
    return {
        "id": str(row.id),
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "networks": list(row.networks),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "state": row.state,
        "last_used": row.last_used,
        "rotated_from": row.rotated_from,
        "entry": row.entry,
        "row_version": row.row_version,
    }
