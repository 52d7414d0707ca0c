"""Pages of imports from addresses: asking for one, and looking how far it is."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from audit.models import User
from governance import operations, queries, tasks
from governance.admin.base import page, person
from governance.admin.forms import VersionField
from governance.admin.registering import FORM, form_page
from governance.models import ModelVersion


class ImportForm(forms.Form):
    """A repository of a model or of an adapter."""

    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=400,
        help_text=gettext_lazy("Of the repository, such as https://huggingface.co/Qwen/Qwen3-8B; only allowed ones."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=100,
        help_text=gettext_lazy("The commit or release; it never changes afterwards."),
    )
    gguf = forms.CharField(
        label=gettext_lazy("GGUF file"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Its name, where a GGUF file shall be read instead of config.json."),
    )
    hf_id = forms.CharField(label=gettext_lazy("Hugging Face id"), max_length=200, required=False)
    developer = forms.CharField(label=gettext_lazy("Developer"), max_length=200, required=False)
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=200, required=False)
    base = VersionField(
        label=gettext_lazy("Base"),
        required=False,
        queryset=ModelVersion.objects.select_related("model").order_by("model__name", "version"),
        help_text=gettext_lazy("Needed where adapter_config.json names no revision that is registered."),
    )


@FORM
def import_new(request: HttpRequest) -> HttpResponse:
    """Ask for an import; a worker does it."""
    form = ImportForm(request.POST or None, label_suffix="")

    def ask(user: User, fields: dict[str, Any]) -> str:
        base = fields.pop("base")
        wanted = operations.ImportAsk(**fields, base_version_id=base.pk if base else None)
        made = operations.request_import(by=user, ask=wanted, now=timezone.now())
        tasks.start_import(made.id)
        return reverse("admin:desk_import", args=[made.id])

    blocked = queries.why_not_register(queries.viewer(person(request))) or queries.why_not_import()
    texts = {"title": _("Import from an address"), "go": _("Fetch and register"), "files": False}
    return form_page(request, form, ask, texts, blocked)


@require_safe
def import_page(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """How far an import is, and what came of it."""
    try:
        found = queries.import_view(import_id)
    except queries.ImportNotFound as error:
        raise Http404(str(error)) from error
    kind, _colon, made = found.result.partition(":")
    name = {"adapter": "admin:desk_adapter", "model_version": "admin:desk_model_version"}.get(kind)
    context = {
        "title": f"{found.name} {found.version}",
        "job": found,
        "made": reverse(name, args=[made]) if name else "",
        "history": queries.import_history(import_id),
        "blocked": queries.why_not_register(queries.viewer(person(request))),
    }
    return page(request, "admin/governance/import.html", context)


@require_POST
def import_cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Stop an import."""
    try:
        operations.cancel_import(job_id=import_id, by=person(request), now=timezone.now())
    except operations.Refused as error:
        messages.error(request, error.reason)
    else:
        messages.success(request, _("The import is cancelled."))
    return HttpResponseRedirect(reverse("admin:desk_import", args=[import_id]))
