"""Middleware that only pages need: a request that carries a token has no session, language, messages or page.

A pipeline sends thousands of events a second, and each of these would cost it more than the event itself. Subclasses,
so that Django's own checks still find what they look for in MIDDLEWARE.
"""

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin


def carries_token(request: HttpRequest) -> bool:
    """Whether it is sent to the REST interface with a bearer token: then it is judged by that alone."""
    scheme: str = request.META.get("HTTP_AUTHORIZATION", "")[:7]
    return scheme.lower() == "bearer " and request.path_info.startswith("/api/v1/")


class _ForPages(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request) if carries_token(request) else super().__call__(request)
        assert isinstance(answer, HttpResponseBase)  # the site is served by WSGI: nothing is awaited
        return answer


class Sessions(_ForPages, SessionMiddleware):
    """Sessions, for pages."""


class Languages(_ForPages, LocaleMiddleware):
    """The language that the visitor chose, for pages; whatever speaks to the REST interface is answered in one."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if carries_token(request):
            translation.activate(settings.LANGUAGE_CODE)  # the thread still speaks that of its last visitor
        return super().__call__(request)


class People(_ForPages, AuthenticationMiddleware):
    """Who is signed in, for pages."""


class Messages(_ForPages, MessageMiddleware):
    """What the next page shall say, for pages."""


class ContentPolicy(_ForPages, CSPMiddleware):
    """The Content-Security-Policy, for pages."""
