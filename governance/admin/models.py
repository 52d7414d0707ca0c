"""Pages of a model, of one of its versions and of a pool."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance import queries
from governance.admin.base import page, person


@require_safe
def model(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """What a model is, its versions, and where they run."""
    found = _found(queries.model_page, model_id)
    return _page(request, "model", found, found.name)


@require_safe
def model_version(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """A version: its shape and files, its family, how it was made smaller, and where it runs."""
    found = _found(queries.model_version_page, version_id)
    now = timezone.now()
    more = {
        "evaluations": queries.model_evaluations(version_id, now=now),
        "evidence": queries.evidence_about(f"model_version:{version_id}", f"model:{found.model_id}", now=now),
    }
    return _page(request, "model_version", found, f"{found.model} {found.version}", more)


@require_safe
def pool(request: HttpRequest, pool_id: UUID) -> HttpResponse:
    """A pool of cards and what runs on it."""
    found = _found(queries.pool_page, pool_id)
    return _page(request, "gpu_pool", found, found.name)


def _found(read: Callable[[UUID], Any], pk: UUID) -> Any:
    try:
        return read(pk)
    except queries.ModelNotFound as error:
        raise Http404(str(error)) from error


def _page(
    request: HttpRequest, kind: str, found: Any, title: str, more: Mapping[str, object] = MappingProxyType({})
) -> HttpResponse:
    context = {
        **more,
        "title": title,
        "found": found,
        "standing": queries.standing_view(kind, found.id, user=person(request)),
        "blocked": queries.why_not_register(queries.viewer(person(request))),
    }
    return page(request, f"admin/governance/model/{kind}.html", context)
