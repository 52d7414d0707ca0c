"""What no address of ours takes, refused before any of them looks."""

from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """400 for a NUL in path or query: PostgreSQL cannot hold one, so every filter would fail on it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        asked = f"{request.path}?{request.META.get('QUERY_STRING', '')}"
        if "\x00" not in unquote(asked):
            return get_response(request)
        reason = _("The address holds the character U+0000.")
        if request.path.startswith("/api/"):
            return JsonResponse({"status": 400, "field": "", "reason": reason}, status=400)
        return render(request, "400.html", status=400)

    return middleware
