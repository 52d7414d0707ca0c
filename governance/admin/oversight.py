"""Pages of oversight: who oversees what, and where nobody does."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import User
from governance import operations
from governance.admin.agentforms import ReasonForm
from governance.admin.agents import blocked
from governance.admin.base import page
from governance.admin.hardwareforms import OversightForm
from governance.admin.registering import FORM, form_page
from governance.queries.oversight import one_assignment, oversight_page


@require_safe
def oversight(request: HttpRequest) -> HttpResponse:
    """All assignments, newest first, and the gaps before them."""
    found = oversight_page(timezone.now().date())
    context = {"title": _("Human oversight"), "oversight": found, "blocked": blocked(request)}
    return page(request, "admin/governance/oversight.html", context)


@FORM
def oversight_new(request: HttpRequest) -> HttpResponse:
    """Assign a person to a use case; `use_case` in the address chooses it."""
    initial = {"use_case": request.GET.get("use_case", "")[:36], "valid_from": timezone.now().date()}
    form = OversightForm(request.POST or None, initial=initial, label_suffix="")

    def assign(user: User, fields: dict[str, Any]) -> str:
        use_case = fields.pop("use_case")
        fields["use_case_id"], fields["person_id"] = use_case.pk, fields.pop("person").pk
        operations.assign_oversight(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_use_case", args=[use_case.pk])

    texts = {"title": _("Assign oversight"), "go": _("Assign"), "files": False}
    return form_page(request, form, assign, texts, blocked(request))


@FORM
def oversight_end(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """End an assignment before its time."""
    found = one_assignment(assignment_id, timezone.now().date())
    if found is None:
        raise Http404(_("Nothing is registered here."))
    form = ReasonForm(request.POST or None, label_suffix="")

    def end(user: User, fields: dict[str, Any]) -> str:
        operations.end_oversight(by=user, assignment_id=assignment_id, now=timezone.now(), **fields)
        return reverse("admin:desk_use_case", args=[found.use_case_id])

    title = _("%(person)s no longer oversees %(name)s") % {"person": found.person, "name": found.use_case}
    return form_page(request, form, end, {"title": title, "go": _("Record"), "files": False}, blocked(request))
