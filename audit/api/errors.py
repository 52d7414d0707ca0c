"""One shape for every refusal: status, field, reason."""

import logging
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from audit.ledger import STORAGE_FAILED

_log = logging.getLogger("audit.api")


def problem(status: int, reason: str, *, field: str = "", **more: object) -> Response:
    """A refusal: what was wrong, where, and a sentence the sender can act on."""
    response = Response({"status": status, "field": field, "reason": reason, **more}, status=status)
    if status in {429, 503}:
        response["Retry-After"] = "1"
    return response


def plain_problem(status: int, reason: str, *, field: str = "", **more: object) -> HttpResponse:
    """`problem` where no renderer of DRF's comes after."""
    content = msgspec.json.encode({"status": status, "field": field, "reason": reason, **more})
    response = HttpResponse(content, content_type="application/json", status=status)
    if status in {429, 503}:
        response["Retry-After"] = "1"
    return response


def database_away(error: Exception) -> str:
    """What a sender is told while the database does not answer; the operator finds the reason in the log."""
    _log.error("the database does not serve a request: %s", str(error).strip())
    return "The database does not answer at the moment. Send the same request again later."


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: DRF's own errors in our shape, 503 while the database does not answer; anything else
    stays a server error.
    """
    if isinstance(error, STORAGE_FAILED):
        set_rollback()
        return problem(503, database_away(error))
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing at this address.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    field, reason = _first(error.detail)
    response = problem(error.status_code, reason, field=field)
    for header, value in (
        ("WWW-Authenticate", getattr(error, "auth_header", None)),
        ("Retry-After", getattr(error, "wait", None)),
    ):
        if value is not None:
            response[header] = str(value)
    return response


def _first(detail: Any, path: str = "") -> tuple[str, str]:
    """The first field that a (possibly nested) DRF detail complains about, and its sentence."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            inner = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
            return _first(value, inner)
    if isinstance(detail, list):
        for position, value in enumerate(detail):
            if value:
                nested = isinstance(value, dict)
                return _first(value, f"{path}[{position}]" if nested else path)
    return path, str(detail)
