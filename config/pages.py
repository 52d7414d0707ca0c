"""Pages of the whole site that belong to no app: API reference, health, errors, language."""

import sys

from django.conf import settings
from django.contrib import admin
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.i18n import set_language

from config.apidocs import document_json, reference
from config.health import healthz


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The reference of the REST interface, rendered here: the policy of these pages allows no foreign script."""
    found = reference(settings.PUBLIC_URL.rstrip("/"))
    context = {"reference": found, "title": _("API reference"), "public_url": settings.PUBLIC_URL}
    return render(request, "apidocs/reference.html", {**admin.site.each_context(request), **context})


@require_safe
def api_schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document as a file."""
    headers = {"Content-Disposition": 'attachment; filename="assay-openapi.json"'}
    return HttpResponse(document_json(), content_type="application/json", headers=headers)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when it was the database that did not answer; JSON under /api/."""
    away = isinstance(sys.exception(), OperationalError)
    status = 503 if away else 500
    headers = {"Retry-After": "5"} if away else {}
    if request.path.startswith("/api/"):
        words = _("The database does not answer; nothing was recorded. Send this again later.")
        detail = words if away else _("This failed on our side; nothing was recorded. Trying again is safe.")
        problem = {"status": status, "field": "", "reason": detail}
        return JsonResponse(problem, status=status, headers=headers)
    page = loader.render_to_string(f"{status}.html")
    return HttpResponse(page, status=status, headers=headers)


urlpatterns = [
    path("api/docs", api_docs, name="api-docs"),
    path("api/schema.json", api_schema, name="api-schema"),
    path("healthz", healthz, name="healthz"),
    path("i18n/setlang/", set_language, name="set_language"),
]
