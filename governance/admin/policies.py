"""Approval policies on the desk: what applies to which requests, and the two persons who decide a new version."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from audit.models import User
from governance import operations
from governance.admin.base import page, person
from governance.admin.registering import FORM, form_page
from governance.queries.policies import (
    PolicyNotFound,
    newest_content,
    policy_list,
    policy_page,
    why_not_propose,
)

MAX_JSON = 20_000


class Json(forms.CharField):
    """A JSON object in a text area."""

    widget = forms.Textarea(attrs={"rows": 12, "class": "code", "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        written = super().to_python(value)
        try:
            found = json.loads(written) if written else None
        except ValueError as error:
            raise forms.ValidationError(_("Is no JSON: %(reason)s") % {"reason": error}) from error
        if not isinstance(found, dict):
            raise forms.ValidationError(_("Must be a JSON object."))
        return found


class PolicyForm(forms.Form):
    """What `operations.propose_policy` asks for."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    weight = forms.IntegerField(
        label=gettext_lazy("Weight"), min_value=0, max_value=1_000_000,
        help_text=gettext_lazy("Of the policies that apply to a request, the heaviest is taken."),
    )  # fmt: skip
    applies_when = Json(
        label=gettext_lazy("Applies when"), max_length=MAX_JSON,
        help_text=gettext_lazy(
            'Attributes with the values they must have, for example {"tier": ["high"]}; {} applies to all.'
        ),
    )  # fmt: skip
    content = Json(
        label=gettext_lazy("Stages, rule of rejection and validity"), max_length=MAX_JSON,
        help_text=gettext_lazy("JSON with stages, reject_rule and valid_days by tier."),
    )  # fmt: skip
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """Every version, those in force and proposed first."""
    context = {
        "title": _("Approval policies"),
        "policies": policy_list(),
        "blocked": why_not_propose(person(request)),
    }
    return page(request, "admin/governance/policy/list.html", context)


@FORM
def policy_new(request: HttpRequest) -> HttpResponse:
    """Propose a version; begun from the newest one of the name in the address."""
    name = request.GET.get("name", "")[:60]
    begun = newest_content(name)
    initial = {
        "name": name,
        "weight": begun.weight,
        "applies_when": begun.applies_when,
        "content": begun.content,
    }
    form = PolicyForm(request.POST or None, initial=initial, label_suffix="")

    def propose(user: User, fields: dict[str, Any]) -> str:
        made = operations.propose_policy(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_policy", args=[made.id])

    texts = {"title": _("Propose an approval policy"), "go": _("Propose"), "files": False}
    return form_page(request, form, propose, texts, why_not_propose(person(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """One version; a POST adopts, refuses or takes it back."""
    refused: operations.Refused | None = None
    if request.method == "POST":
        try:
            _decide(request, policy_id)
        except operations.Refused as error:
            refused = error
        else:
            messages.success(request, _("Recorded in the ledger."))
            return HttpResponseRedirect(reverse("admin:desk_policy", args=[policy_id]))
    try:
        found = policy_page(policy_id, user=person(request))
    except PolicyNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": f"{found.name} {found.version}",
        "policy": found,
        "refused": refused,
        "entered": request.POST if refused else {},
    }
    return page(request, "admin/governance/policy/page.html", context, status=400 if refused else 200)


def _decide(request: HttpRequest, policy_id: UUID) -> None:
    reason, by, now = request.POST.get("reason", ""), person(request), timezone.now()
    if request.POST.get("decision") == "withdraw":
        operations.withdraw_policy(policy_id=policy_id, by=by, reason=reason, now=now)
        return
    seen = request.POST.get("seen", "")
    operations.decide_policy(
        policy_id=policy_id,
        by=by,
        decision=request.POST.get("decision", ""),
        reason=reason,
        seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
        now=now,
    )
