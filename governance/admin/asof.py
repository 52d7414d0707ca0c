"""Any governed object, and any list of them, as it stood at a tree size; and one search over everything."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.admin.labels import kind_label
from audit.admin.pages import number
from governance import queries
from governance.admin.base import page
from governance.admin.own import page_of
from governance.queries.reconciling import TABLES

MOST_OF_ONE = 100


@require_safe
def registry_object(request: HttpRequest, kind: str, subject_id: UUID) -> HttpResponse:
    """One object at a tree size: `at`, or `step` from `base` on as the slider counts."""
    step, base = number(request.GET.get("step", "")), number(request.GET.get("base", ""))
    try:
        if step is not None and base is not None and kind in TABLES:
            size = queries.step_size(kind, subject_id, base=base, step=step)
            address = reverse("admin:desk_registry_object", args=[kind, subject_id])
            return HttpResponseRedirect(f"{address}?at={size}" if size else address)
        asked = number(request.GET.get("at", ""))
        found = queries.object_page(kind, subject_id, at=asked, before=number(request.GET.get("before", "")))
    except queries.NoSuchObject as error:
        raise Http404(str(error)) from error
    context = {
        "title": found.name,
        "object": found,
        "kind_word": kind_label(kind),
        "beyond": asked is not None and asked > found.head,
        "own_page": page_of(kind, subject_id),
        "query": "" if found.now else f"?at={found.at}",
    }
    return page(request, "admin/governance/asof/object.html", context)


@require_safe
def registry_list(request: HttpRequest, kind: str) -> HttpResponse:
    """The objects of a kind at a tree size, newest first."""
    name = request.GET.get("name", "").strip()[:200]
    asked = number(request.GET.get("at", ""))
    try:
        found = queries.objects_at(kind, at=asked, before=number(request.GET.get("before", "")), name=name)
    except queries.NoSuchKind as error:
        raise Http404(str(error)) from error
    context = {
        "title": capfirst(str(TABLES[kind]._meta.verbose_name_plural)),
        "list": found,
        "name": name,
        "beyond": asked is not None and asked > found.head,
        "kinds": [(word, capfirst(str(table._meta.verbose_name_plural))) for word, table in TABLES.items()],
        "query": "" if found.now else f"?at={found.at}",
    }
    return page(request, "admin/governance/asof/list.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What a question finds, by kind; `kind` shows more of one."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in TABLES else ""
    shown: dict[str, Any] = {"limit": MOST_OF_ONE} if kind else {}
    found = queries.search(request.GET.get("q", ""), kind=kind, **shown)
    context = {
        "title": _("Search"),
        "found": found,
        "kind": kind,
        "groups": [
            (capfirst(str(TABLES[group.kind]._meta.verbose_name_plural)), group, [(_address(h), h) for h in group.hits])
            for group in found.groups
        ],
        "kinds": [(word, capfirst(str(table._meta.verbose_name_plural))) for word, table in TABLES.items()],
    }
    return page(request, "admin/governance/asof/search.html", context)


def _address(hit: queries.Hit) -> str:
    """Where a found object is shown: on its own page when it has one, else as the ledger tells it."""
    return page_of(hit.kind, hit.id) or reverse("admin:desk_registry_object", args=[hit.kind, hit.id])
