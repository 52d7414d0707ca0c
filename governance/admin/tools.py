"""Pages of tools."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import User
from governance import operations
from governance.admin.agentforms import ToolChangeForm, ToolForm, ToolVersionForm
from governance.admin.agents import blocked, named
from governance.admin.base import page
from governance.admin.registering import FORM, form_page
from governance.queries.tools import ToolNotFound, tool_page, tool_snapshot


@require_safe
def tool(request: HttpRequest, tool_id: UUID) -> HttpResponse:
    """What a tool does, and which agents may call it."""
    try:
        found = tool_page(tool_id, now=timezone.now())
    except ToolNotFound as error:
        raise Http404(str(error)) from error
    context = {"title": found.name, "tool": found, "blocked": blocked(request)}
    return page(request, "admin/governance/agent/tool.html", context)


@FORM
def tool_new(request: HttpRequest) -> HttpResponse:
    """Register a tool; its first version comes next."""
    form = ToolForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        made = operations.register_tool(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_tool", args=[made.id])

    texts = {"title": _("Register a tool"), "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, blocked(request))


@FORM
def tool_change(request: HttpRequest, tool_id: UUID) -> HttpResponse:
    """Change where a tool is reached and who answers for it."""
    found = tool_snapshot(tool_id)
    if found is None:
        raise Http404(_("Nothing is registered here."))
    initial = {**found, "owner": found["owner_id"]}
    form = ToolChangeForm(request.POST or None, initial=initial, label_suffix="")

    def save(user: User, fields: dict[str, Any]) -> str:
        fields["owner_id"], fields["seen"] = fields.pop("owner").pk, fields.pop("row_version")
        operations.change_tool(by=user, tool_id=tool_id, now=timezone.now(), **fields)
        return reverse("admin:desk_tool", args=[tool_id])

    texts = {"title": _("Change %(name)s") % {"name": found["name"]}, "go": _("Save"), "files": False}
    return form_page(request, form, save, texts, blocked(request))


@FORM
def tool_version_new(request: HttpRequest, tool_id: UUID) -> HttpResponse:
    """Register the next version of a tool."""
    name = named("tool", tool_id)
    form = ToolVersionForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        operations.register_tool_version(by=user, tool_id=tool_id, now=timezone.now(), **fields)
        return reverse("admin:desk_tool", args=[tool_id])

    texts = {"title": _("Next version of %(name)s") % {"name": name}, "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, blocked(request))
