"""The published log at /log/: files of PUBLISH_TO, for installations without a web server of their own for them.

Nothing here knows people or the database (but for the checkpoint while nothing is published from a folder), so it is
answered before sessions, languages and their headers: any cache on the way may keep a tile for ever.
"""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, path, resolve
from django.views.decorators.http import require_safe

from audit.api.log import public_checkpoint
from audit.publishing import cache_control, content_type
from audit.tlog.tiles import TileError, parse_tile_path

PREFIX: Final = "/log/"
_FILES: Final = frozenset({"checkpoint", "keys"})
_PLAIN: Final = "text/plain; charset=utf-8"


@require_safe
def log_file(request: HttpRequest, name: str) -> HttpResponse:
    """One published file. Paths that no log has are refused before any folder is looked at."""
    if not isinstance(settings.PUBLISH_TO, Path):
        return public_checkpoint(request) if name == "checkpoint" else _refusal(HTTPStatus.NOT_FOUND)
    try:
        if name not in _FILES:
            parse_tile_path(name)
        content = (settings.PUBLISH_TO / name).read_bytes()
    except (TileError, FileNotFoundError, NotADirectoryError):
        return _refusal(HTTPStatus.NOT_FOUND)
    except OSError:
        return _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponse(content, content_type=content_type(name), headers={"Cache-Control": cache_control(name)})


def _refusal(status: HTTPStatus) -> HttpResponse:
    reason = "The file cannot be read just now." if status >= 500 else "Nothing is published here."
    return HttpResponse(f"{reason}\n", status=status, content_type=_PLAIN, headers={"Cache-Control": "no-cache"})


urlpatterns = [
    path("log/checkpoint", log_file, {"name": "checkpoint"}, name="log-checkpoint"),
    path("log/<path:name>", log_file, name="log-file"),
]


def answer_plainly(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: addresses of the published log are answered here, all others further down."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return _refusal(HTTPStatus.NOT_FOUND)
        answer = match.func(request, *match.args, **match.kwargs)
        assert isinstance(answer, HttpResponseBase)
        return answer

    return middleware
