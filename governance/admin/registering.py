"""Our own add pages: one form, one operation, and refusals beside the field they are about."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.forms import DeploymentForm, GpuPoolForm, ModelVersionForm, UseCaseForm

FORM = require_http_methods(["GET", "HEAD", "POST"])


@FORM
def model_new(request: HttpRequest) -> HttpResponse:
    """Register a model version from its files."""
    form = ModelVersionForm(request.POST or None, request.FILES or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        made = operations.register_from_files(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_model_version", args=[made.id])

    texts = {"title": _("Register a model version"), "go": _("Register"), "files": True}
    return form_page(request, form, register, texts, queries.why_not_register(queries.viewer(person(request))))


@FORM
def pool_new(request: HttpRequest) -> HttpResponse:
    """Register a pool of accelerators."""
    form = GpuPoolForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        name, node = fields.pop("gpu_model").name, fields.pop("gpu_node")
        fields["gpu_node_id"] = node.pk if node else None
        operations.register_gpu_pool(by=user, gpu_model=name, now=timezone.now(), **fields)
        return reverse("admin:governance_gpupool_changelist")

    texts = {"title": _("Register a GPU pool"), "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, queries.why_not_register(queries.viewer(person(request))))


@FORM
def use_case_new(request: HttpRequest) -> HttpResponse:
    """Register a use of AI; its classification comes next."""
    form = UseCaseForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        made = operations.register_use_case(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_use_case", args=[made.id])

    texts = {"title": _("Register a use case"), "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, queries.why_not_register(queries.viewer(person(request))))


@FORM
def request_new(request: HttpRequest) -> HttpResponse:
    """Ask for a deployment, or for a change of one."""
    form = DeploymentForm(request.POST or None, label_suffix="")
    again_of = _uuid(request.GET.get("again_of", ""))

    def ask(user: User, fields: dict[str, Any]) -> str:
        fields["model_version_id"] = fields.pop("model_version").pk
        fields["gpu_pool_id"] = fields.pop("gpu_pool").pk
        fields["adapters"] = tuple(row.pk for row in fields["adapters"])
        fields["relied_on"] = tuple(row.pk for row in fields["relied_on"])
        use_case = fields.pop("use_case")
        fields["use_case_id"] = use_case.pk if use_case else None
        fields["again_of"] = again_of
        made = operations.request_deployment(by=user, ask=operations.DeploymentAsk(**fields), now=timezone.now())
        return reverse("admin:desk_review", args=[made.id])

    texts = {"title": _("Request a deployment"), "go": _("Submit for review"), "files": False}
    return form_page(request, form, ask, texts, queries.why_not_request(queries.viewer(person(request))))


def form_page(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[User, dict[str, Any]], str],
    texts: dict[str, Any],
    blocked: str,
    *,
    done: str | None = None,
) -> HttpResponse:
    """The page of a form: a POST acts and goes to the address that `act` gives; a refusal stands at its field.

    `done` is what the next page says, an empty text for nothing; None says that the ledger holds it.
    """
    if request.method == "POST" and form.is_valid():
        try:
            address = act(person(request), dict(form.cleaned_data))
        except operations.Refused as error:
            form.add_error(error.field if error.field in form.fields else None, _reason(error, form))
        else:
            if done != "":
                messages.success(request, done or _("Recorded in the ledger."))
            return HttpResponseRedirect(address)
    context = {**texts, "form": form, "blocked": blocked}
    return page(request, "admin/governance/form.html", context, status=400 if form.errors else 200)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _reason(error: operations.Refused, form: forms.Form) -> str:
    return error.reason if error.field in form.fields else str(error)
