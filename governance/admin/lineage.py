"""Pages that say more about a model version: a file of it, what it was made from, how it was made smaller."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import User
from governance import operations, queries
from governance.admin.base import person
from governance.admin.lineageforms import ArtefactForm, QuantisationForm, RelationForm
from governance.admin.registering import FORM, form_page


@FORM
def artefact_new(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Register a file of a version."""

    def register(user: User, fields: dict[str, Any]) -> None:
        operations.add_artefact(
            by=user, file=operations.File(**fields), model_version_id=version_id, now=timezone.now()
        )

    return _page(request, version_id, ArtefactForm, register, _("Add a file"))


@FORM
def relation_new(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Declare what a version was made from."""

    def declare(user: User, fields: dict[str, Any]) -> None:
        parent = fields.pop("parent")
        operations.declare_relation(
            by=user, child_id=version_id, parent_id=parent.pk if parent else None, now=timezone.now(), **fields
        )

    return _page(request, version_id, RelationForm, declare, _("Declare what it was made from"))


@FORM
def quantisation_new(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Declare how a version was quantised."""

    def declare(user: User, fields: dict[str, Any]) -> None:
        source = fields.pop("source_version")
        operations.declare_quantisation(
            by=user,
            model_version_id=version_id,
            source_version_id=source.pk if source else None,
            now=timezone.now(),
            **fields,
        )

    return _page(request, version_id, QuantisationForm, declare, _("Declare a quantisation"))


def _page(
    request: HttpRequest,
    version_id: UUID,
    make: type[forms.Form],
    act: Callable[[User, dict[str, Any]], None],
    title: str,
) -> HttpResponse:
    name = queries.version_name(version_id)
    if not name:
        raise Http404("There is no such model version.")

    def acted(user: User, fields: dict[str, Any]) -> str:
        act(user, fields)
        return reverse("admin:desk_model_version", args=[version_id])

    form = make(request.POST or None, label_suffix="")
    texts = {"title": f"{name}: {title}", "go": _("Record"), "files": False}
    return form_page(request, form, acted, texts, queries.why_not_register(queries.viewer(person(request))))
