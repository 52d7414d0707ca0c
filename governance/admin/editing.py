"""The page that changes a row: a stale form is refused with the difference shown, and can be sent again."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _

from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.editforms import (
    AgentChangeForm,
    ChangeForm,
    DeploymentChangeForm,
    ModelChangeForm,
    PoolChangeForm,
    UseCaseChangeForm,
)
from governance.admin.own import page_of
from governance.admin.registering import FORM


class _Edit(NamedTuple):
    form: type[ChangeForm]
    id_name: str
    act: Callable[..., operations.Recorded]


EDITS: Final = MappingProxyType(
    {
        "model": _Edit(ModelChangeForm, "model_id", operations.change_model),
        "gpu_pool": _Edit(PoolChangeForm, "pool_id", operations.change_gpu_pool),
        "use_case": _Edit(UseCaseChangeForm, "use_case_id", operations.change_use_case),
        "deployment": _Edit(DeploymentChangeForm, "deployment_id", operations.change_deployment),
        "agent": _Edit(AgentChangeForm, "agent_id", operations.change_agent),
    }
)
"""Kinds that can be edited."""


@FORM
def edit(request: HttpRequest, subject_kind: str, subject_id: UUID) -> HttpResponse:
    """Change one row; the version that was read travels with the form."""
    if subject_kind not in EDITS:
        raise Http404("Rows of this kind do not change.")
    how = EDITS[subject_kind]
    try:
        found = queries.edit_page(subject_kind, subject_id, [n for n in how.form.base_fields if n != "reason"])
    except queries.RowNotFound as error:
        raise Http404(str(error)) from error
    if request.method != "POST":
        return _page(request, found, how.form(initial=dict(found.values), label_suffix=""), found.seen)
    form = how.form(request.POST, initial=dict(found.values), label_suffix="")
    seen = _number(request.POST.get("seen", ""))
    if not form.is_valid():
        return _page(request, found, form, seen, status=400)
    values = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
    try:
        how.act(
            by=person(request),
            seen=seen,
            values=values,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
            **{how.id_name: subject_id},
        )
    except operations.Stale as error:
        return _stale(request, found, how.form, error, seen=seen, reason=form.cleaned_data["reason"])
    except operations.Refused as error:
        form.add_error(error.field if error.field in form.fields else None, error.reason)
        return _page(request, found, form, seen, status=400)
    messages.success(request, _("Recorded in the ledger."))
    return HttpResponseRedirect(page_of(subject_kind, subject_id))


def _stale(
    request: HttpRequest,
    found: queries.EditPage,
    make: type[ChangeForm],
    error: operations.Stale,
    *,
    seen: int,
    reason: str,
) -> HttpResponse:
    """The form again on the version that stands now: with what was entered where that was changed."""
    told = queries.difference(found.kind, found.id, seen=seen, current=error.current, entered=error.entered)
    form = make(initial={**told.merged, "reason": reason}, label_suffix="")
    version = error.current["row_version"]
    assert isinstance(version, int)  # a snapshot of a row that can be edited
    return _page(request, found, form, version, status=409, lines=told.lines)


def _page(
    request: HttpRequest,
    found: queries.EditPage,
    form: ChangeForm,
    seen: int,
    *,
    status: int = 200,
    lines: tuple[queries.DifferenceLine, ...] = (),
) -> HttpResponse:
    context: dict[str, Any] = {
        "title": _("Change %(name)s") % {"name": found.name},
        "found": found,
        "form": form,
        "seen": seen,
        "lines": lines,
        "blocked": queries.why_not_register(queries.viewer(person(request))),
        "back": page_of(found.kind, found.id),
    }
    return page(request, "admin/governance/edit.html", context, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
