"""The addresses of the start-here page: one call each."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from audit.models import User
from demo import pages
from demo.personas import NotADemo, become
from demo.visitor import visitor


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """The start-here page."""
    found = visitor()
    page = pages.start(
        now=datetime.now(UTC), base=settings.PUBLIC_URL.rstrip("/"), token=found.token, source=found.source
    )
    context = {**admin.site.each_context(request), "title": _("Start here"), "start": page}
    return TemplateResponse(request, "demo/start.html", context)


@require_safe
@never_cache
def status(request: HttpRequest) -> JsonResponse:
    """What the page polls."""

    def render(template: str, context: dict[str, Any]) -> str:
        return render_to_string(template, context, request=request)

    return JsonResponse(pages.status_json(now=datetime.now(UTC), source=visitor().source, render=render))


@require_POST
def persona(request: HttpRequest) -> HttpResponse:
    """Become a persona and go where the button said."""
    try:
        become(request, request.POST.get("username", ""), now=datetime.now(UTC))
    except NotADemo as error:
        raise PermissionDenied(str(error)) from error
    except User.DoesNotExist as error:
        raise Http404(_("There is no such persona in this demo.")) from error
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(wanted if safe else reverse("admin:index"))


urlpatterns = [
    path("", start, name="start"),
    path("start/status", status, name="start-status"),
    path("start/persona", persona, name="start-persona"),
]
