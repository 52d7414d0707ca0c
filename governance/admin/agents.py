"""Pages of agents: one on its page, and the forms of versions and grants."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.admin.pages import is_auditor
from audit.models import User
from governance import operations, queries
from governance.admin.agentforms import AgentForm, AgentVersionForm, GrantForm, ReasonForm
from governance.admin.base import page, person
from governance.admin.registering import FORM, form_page
from governance.queries.agents import AgentNotFound, agent_of_grant, agent_page, newest_release
from governance.queries.registered import registered_name


def blocked(request: HttpRequest) -> str:
    """Why the one who is signed in changes nothing here; empty when they may."""
    return queries.why_not_register(queries.viewer(person(request)))


def named(kind: str, row_id: UUID) -> str:
    """What a row is called.

    Raises:
        Http404: there is none.
    """
    found = registered_name(kind, row_id)
    if found is None:
        raise Http404(_("Nothing is registered here."))
    return found


@require_safe
def agent(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """What an agent is, may do and did; `older` and `newer` choose the versions to compare."""
    chosen = {name: _number(request.GET.get(name, "")) for name in ("older", "newer")}
    try:
        found = agent_page(agent_id, now=timezone.now(), sees_everything=is_auditor(request), **chosen)
    except AgentNotFound as error:
        raise Http404(str(error)) from error
    standing = queries.standing_view("agent", agent_id, user=person(request))
    context = {"title": found.name, "agent": found, "standing": standing, "blocked": blocked(request)}
    return page(request, "admin/governance/agent/agent.html", context)


@FORM
def agent_new(request: HttpRequest) -> HttpResponse:
    """Register an agent; its first version comes next."""
    form = AgentForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        fields["deployment_id"] = fields.pop("deployment").pk
        made = operations.register_agent(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_agent", args=[made.id])

    texts = {"title": _("Register an agent"), "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, blocked(request))


@FORM
def version_new(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Register the next version of an agent; the form begins with the newest one."""
    name = named("agent", agent_id)
    newest = newest_release(agent_id)
    form = AgentVersionForm(request.POST or None, initial=newest, label_suffix="").without(agent_id)

    def register(user: User, fields: dict[str, Any]) -> str:
        fields["sponsor_id"] = fields.pop("sponsor").pk
        for field in ("models_allowed", "delegates_to"):
            fields[field] = tuple(row.pk for row in fields[field])
        release = operations.AgentRelease(**fields)
        operations.register_agent_version(by=user, agent_id=agent_id, release=release, now=timezone.now())
        return reverse("admin:desk_agent", args=[agent_id])

    texts = {"title": _("Next version of %(name)s") % {"name": name}, "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, blocked(request))


@FORM
def grant_new(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Grant a tool to an agent."""
    name = named("agent", agent_id)
    form = GrantForm(request.POST or None, label_suffix="").of(agent_id)

    def grant(user: User, fields: dict[str, Any]) -> str:
        for field in ("tool_version", "agent_version"):
            row = fields.pop(field)
            fields[f"{field}_id"] = row.pk if row else None
        operations.grant_tool(by=user, agent_id=agent_id, now=timezone.now(), **fields)
        return reverse("admin:desk_agent", args=[agent_id])

    texts = {"title": _("Grant a tool to %(name)s") % {"name": name}, "go": _("Grant"), "files": False}
    return form_page(request, form, grant, texts, blocked(request))


@FORM
def grant_revoke(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """End a grant before its time."""
    tool = named("tool_grant", grant_id)
    form = ReasonForm(request.POST or None, label_suffix="")

    def revoke(user: User, fields: dict[str, Any]) -> str:
        operations.revoke_grant(by=user, grant_id=grant_id, now=timezone.now(), **fields)
        return reverse("admin:desk_agent", args=[agent_of_grant(grant_id)])

    texts = {"title": _("Revoke the grant of %(tool)s") % {"tool": tool}, "go": _("Revoke"), "files": False}
    return form_page(request, form, revoke, texts, blocked(request))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
