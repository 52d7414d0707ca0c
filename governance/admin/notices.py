"""A person's own notifications, and how they want to be told."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.registering import form_page
from governance.models import NotificationPreference


class PreferenceForm(forms.Form):
    """How one person is told."""

    language = forms.ChoiceField(label=gettext_lazy("Language of mails"), choices=[("en", "English"), ("ja", "日本語")])
    waiting = forms.ChoiceField(label=gettext_lazy("What waits for my decision"))
    outcome = forms.ChoiceField(label=gettext_lazy("What becomes of my requests and deployments"))
    deadline = forms.ChoiceField(label=gettext_lazy("What is due or expires soon"))
    platform = forms.ChoiceField(label=gettext_lazy("What is wrong with the platform"))
    digest = forms.BooleanField(
        label=gettext_lazy("A mail each day with what waits for me"),
        required=False,
        help_text=gettext_lazy("Only when something waits; the oldest first."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for group in ("waiting", "outcome", "deadline", "platform"):
            field = self.fields[group]
            assert isinstance(field, forms.ChoiceField)  # declared above
            field.choices = NotificationPreference.Way.choices


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """What this person was told, newest first."""
    only = request.GET.get("unread") == "1"
    found = queries.notifications(person(request), after=as_uuid(request.GET.get("after", "")), unread=only)
    context = {"title": _("Notifications"), "found": found, "only_unread": only}
    return page(request, "admin/governance/notices/list.html", context)


@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark one as read and go where it leads, or mark all of them."""
    back = reverse("admin:desk_notifications")
    chosen = request.POST.get("id", "")
    one = as_uuid(chosen)
    if chosen and one is None:
        raise Http404
    try:
        operations.mark_read(by=person(request), notification_id=one, now=timezone.now())
    except operations.Refused as error:
        raise Http404(str(error)) from error
    if one is None or request.POST.get("go") != "1":
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(queries.notification_path(person(request), one))


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Choose how to be told."""
    row = queries.preference_of(person(request))
    initial = {name: getattr(row, name) for name in PreferenceForm.base_fields}
    form = PreferenceForm(request.POST or None, initial=initial, label_suffix="")

    def choose(user: User, fields: dict[str, Any]) -> str:
        operations.prefer(by=user, **fields)
        return reverse("admin:desk_notifications")

    texts = {"title": _("How I am told"), "go": _("Save"), "files": False}
    return form_page(request, form, choose, texts, "", done=_("Saved."))


def as_uuid(text: str) -> UUID | None:
    """The id in a parameter; None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
