"""Pages of adapters: registering one from its files, and looking at one."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.forms import AdapterForm
from governance.admin.registering import FORM, form_page


@FORM
def adapter_new(request: HttpRequest) -> HttpResponse:
    """Register a version of an adapter from its files."""
    form = AdapterForm(request.POST or None, request.FILES or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        base = fields.pop("base")
        fields["base_version_id"] = base.pk if base else None
        made = operations.register_adapter(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_adapter", args=[made.id])

    texts = {"title": _("Register an adapter"), "go": _("Register"), "files": True}
    return form_page(request, form, register, texts, queries.why_not_register(queries.viewer(person(request))))


@require_safe
def adapter(request: HttpRequest, adapter_id: UUID) -> HttpResponse:
    """What an adapter is, which base it is for, and which deployments name it."""
    try:
        found = queries.adapter_page(adapter_id)
    except queries.AdapterNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": f"{found.name} {found.version}",
        "adapter": found,
        "standing": queries.standing_view("adapter", found.id, user=person(request)),
    }
    return page(request, "admin/governance/adapter.html", context)
