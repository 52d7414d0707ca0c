"""A way past Django's handler for the one request that comes thousands of times a second: an event with a good token.

Signals, middleware and routing cost such a request more than the event. Whatever is not plainly a well-formed POST of a
known sender goes Django's way, before its body is read, and both ways answer with the same bytes and headers.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django.utils.log import log_response

from audit.api.events import answer_plainly

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]

PATH: Final = "/api/v1/events"


class ShortWay:
    """The site, with the short way in front of it."""

    def __init__(self, site: Application) -> None:
        """`site` answers everything else."""
        self._site = site
        # Whatever fails is told and logged as Django does it.
        handled: Any = convert_exception_to_response(cast("Any", _answer))
        self._answer: Callable[[HttpRequest], HttpResponse | None] = handled
        security, frames = SecurityMiddleware(_unused), XFrameOptionsMiddleware(_unused)
        self._headers = (security.process_response, frames.process_response)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        if environ.get("PATH_INFO") != PATH or environ["REQUEST_METHOD"] != "POST" or not _is_plain(environ):
            return self._site(environ, start)
        request = WSGIRequest(environ)
        try:
            response = self._answer(request)
        finally:
            close_old_connections()
        if response is None:
            return self._site(environ, start)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, PATH, response=response, request=request)
        for finish in self._headers:
            response = finish(request, response)
        start(
            f"{response.status_code} {response.reason_phrase}",
            [*response.items(), ("Content-Length", str(len(response.content)))],
        )
        return [response.content]


def _answer(request: HttpRequest) -> HttpResponse | None:
    """None leaves the request, whose body nobody has touched, to the site."""
    try:
        request.get_host()
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return None
    except DisallowedHost:
        return None
    close_old_connections()
    translation.activate(settings.LANGUAGE_CODE)  # the thread still speaks that of its last visitor
    return answer_plainly(request)


def _is_plain(environ: dict[str, Any]) -> bool:
    scheme: str = environ.get("HTTP_AUTHORIZATION", "")[:7]
    return scheme.lower() == "bearer " and not environ.get("QUERY_STRING") and not environ.get("SCRIPT_NAME")


def _unused(request: HttpRequest) -> HttpResponse:
    raise AssertionError("only the headers of this middleware are used")
