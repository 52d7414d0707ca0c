"""Pages of data sets: registering one with its versions, what uses them, and looking at one."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.data_forms import DatasetChangeForm, DatasetForm, DatasetUseForm, DatasetVersionForm
from governance.admin.registering import FORM, form_page
from governance.models import DatasetVersion


@FORM
def dataset_new(request: HttpRequest) -> HttpResponse:
    """Register a data set; its first version comes next."""
    form = DatasetForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        made = operations.register_dataset(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_dataset", args=[made.id])

    return _form(request, form, register, _("Register a data set"))


@require_safe
def dataset(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """What the data are, how each version came about, and what was made or tried with it."""
    found = _page(dataset_id)
    about = [f"dataset:{found.id}", *(f"dataset_version:{version.id}" for version in found.versions)]
    evidence = queries.evidence_about(*about, now=timezone.now())
    context = {"title": found.name, "dataset": found, "evidence": evidence, "blocked": _blocked(request)}
    return page(request, "admin/governance/data/dataset.html", context)


@FORM
def dataset_change(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Correct what a data set is said to be. The address names the version of the row that was read."""
    found = _page(dataset_id)
    seen = request.GET.get("seen", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 10):
        return HttpResponseRedirect(f"{request.path}?seen={found.row_version}")
    initial = {"dataset_type": found.dataset_type, "intended_use": found.intended_use}
    form = DatasetChangeForm(request.POST or None, initial=initial, label_suffix="")

    def change(user: User, fields: dict[str, Any]) -> str:
        operations.change_dataset(by=user, dataset_id=dataset_id, seen=int(seen), now=timezone.now(), **fields)
        return reverse("admin:desk_dataset", args=[dataset_id])

    return _form(request, form, change, _("Change %(name)s") % {"name": found.name}, _("Change"))


@FORM
def dataset_version_new(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Register a version of a data set."""
    found = _page(dataset_id)
    form = DatasetVersionForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        operations.register_dataset_version(by=user, dataset_id=dataset_id, now=timezone.now(), **fields)
        return reverse("admin:desk_dataset", args=[dataset_id])

    return _form(request, form, register, _("Register a version of %(name)s") % {"name": found.name})


@FORM
def dataset_use_new(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Record what was made or tried with a version of a data set."""
    found = _page(dataset_id)
    form = DatasetUseForm(request.POST or None, label_suffix="")
    chosen = form.fields["dataset_version"]
    assert isinstance(chosen, forms.ModelChoiceField)  # the form declares it
    chosen.queryset = DatasetVersion.objects.filter(dataset_id=dataset_id).order_by("-registered_at", "pk")

    def record(user: User, fields: dict[str, Any]) -> str:
        for name in ("dataset_version", "model_version", "adapter"):
            row = fields.pop(name)
            fields[f"{name}_id"] = row.pk if row else None
        operations.record_dataset_use(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_dataset", args=[dataset_id])

    return _form(request, form, record, _("Record a use of %(name)s") % {"name": found.name}, _("Record"))


def _page(dataset_id: UUID) -> queries.DatasetPage:
    try:
        return queries.dataset_page(dataset_id)
    except queries.DatasetNotFound as error:
        raise Http404(str(error)) from error


def _form(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[User, dict[str, Any]], str],
    title: str,
    go: str | None = None,
) -> HttpResponse:
    texts = {"title": title, "go": go or _("Register"), "files": False}
    return form_page(request, form, act, texts, _blocked(request))


def _blocked(request: HttpRequest) -> str:
    return queries.why_not_register(queries.viewer(person(request)))
