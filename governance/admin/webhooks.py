"""Webhooks, for operators: register, change, new secret, test, deliveries, and what was given up."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.notices import as_uuid
from governance.admin.registering import form_page
from governance.queries.matters import SENDABLE, kind_word


class WebhookForm(forms.Form):
    """An address and what it is told of."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy("https, unless the operator allows a private network. It is shown to operators alone."),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Told of"), widget=forms.SelectMultiple(attrs={"size": len(SENDABLE)})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kinds"]
        assert isinstance(field, forms.MultipleChoiceField)  # declared above
        field.choices = [(kind, f"{kind_word(kind)} ({kind})") for kind in SENDABLE]


class WebhookChangeForm(WebhookForm):
    """The same of one that stands, which may be switched off."""

    active = forms.BooleanField(label=gettext_lazy("Active"), required=False)
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    """All webhooks, and what was given up."""
    blocked = _blocked(request)
    dead, following = (
        ((), None) if blocked else queries.deliveries(state="dead", after=as_uuid(request.GET.get("after", "")))
    )
    context = {
        "title": _("Webhooks"),
        "webhooks": () if blocked else queries.webhooks(),
        "deliveries": dead,
        "next": following,
        "blocked": blocked,
    }
    return page(request, "admin/governance/notices/webhooks.html", context, status=403 if blocked else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Register a webhook; its secret is on the page that answers, once."""
    form = WebhookForm(request.POST or None, label_suffix="")
    texts = {"title": _("Register a webhook"), "go": _("Register"), "files": False}
    made: list[operations.SecretSet] = []

    def register(user: User, fields: dict[str, Any]) -> str:
        made.append(operations.register_webhook(by=user, now=timezone.now(), **fields))
        return ""

    answer = form_page(request, form, register, texts, _blocked(request), done="")
    return _secret(request, made[0]) if made else answer


@require_safe
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """One webhook with its deliveries."""
    blocked = _blocked(request)
    if blocked:
        refused = {"title": _("Webhooks"), "webhooks": (), "deliveries": (), "blocked": blocked}
        return page(request, "admin/governance/notices/webhooks.html", refused, status=403)
    found = _found(webhook_id)
    rows, following = queries.deliveries(webhook_id=webhook_id, after=as_uuid(request.GET.get("after", "")))
    context: dict[str, Any] = {"title": found.name, "webhook": found, "deliveries": rows, "next": following}
    return page(request, "admin/governance/notices/webhook.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_change(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Change a webhook, or switch it off and on."""
    blocked = _blocked(request)
    initial: dict[str, object] = {}
    if not blocked:
        found = _found(webhook_id)
        initial = {
            "name": found.name,
            "url": found.url,
            "kinds": [kind for kind, _word in found.kinds],
            "active": found.active,
            "seen": found.row_version,
        }
    form = WebhookChangeForm(request.POST or None, initial=initial, label_suffix="")

    def change(user: User, fields: dict[str, Any]) -> str:
        operations.change_webhook(by=user, webhook_id=webhook_id, now=timezone.now(), **fields)
        return reverse("admin:desk_webhook", args=[webhook_id])

    texts = {"title": _("Change the webhook"), "go": _("Save"), "files": False}
    return form_page(request, form, change, texts, blocked)


@require_POST
def webhook_rotate(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Make a new secret and show it, once."""
    seen = request.POST.get("row_version", "")
    number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
    try:
        made = operations.rotate_webhook_secret(
            by=person(request), webhook_id=webhook_id, seen=number, now=timezone.now()
        )
    except operations.Refused as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:desk_webhook", args=[webhook_id]))
    return _secret(request, made)


@require_POST
def webhook_test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Queue a test delivery."""
    return _queue(
        request,
        lambda: operations.queue_test(by=person(request), webhook_id=webhook_id, now=timezone.now()),
        reverse("admin:desk_webhook", args=[webhook_id]),
    )


@require_POST
def delivery_again(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Queue once more what was given up."""
    return _queue(
        request,
        lambda: operations.send_again(by=person(request), delivery_id=delivery_id, now=timezone.now()),
        reverse("admin:desk_webhooks"),
    )


def _queue(request: HttpRequest, act: Callable[[], UUID], back: str) -> HttpResponse:
    try:
        act()
    except operations.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It is sent within a minute."))
    return HttpResponseRedirect(back)


def _secret(request: HttpRequest, made: operations.SecretSet) -> HttpResponse:
    context = {
        "title": _("The secret of the webhook"),
        "secret": made.secret,
        "webhook": queries.webhook(made.recorded.id),
        "entry": made.recorded.entries[0],
    }
    answer = page(request, "admin/governance/notices/secret.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _found(webhook_id: UUID) -> queries.WebhookLine:
    try:
        return queries.webhook(webhook_id)
    except queries.WebhookNotFound as error:
        raise Http404(str(error)) from error


def _blocked(request: HttpRequest) -> str:
    return queries.why_not_run_webhooks(queries.viewer(person(request)))
