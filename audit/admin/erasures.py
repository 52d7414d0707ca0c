"""Erasures and legal holds as pages: who asked for what, the decision, the holds. No GET changes anything."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import erasure, queries
from audit.admin.erasureforms import DecideForm, EraseForm, HoldForm, ReleaseForm
from audit.admin.labels import event_label
from audit.admin.pages import number, page
from audit.models import User
from audit.queries.erasures import (
    Erasable,
    ErasureNotFound,
    RequestRow,
    decided_requests,
    erasable,
    hold,
    holds,
    request,
    waiting_requests,
    words_of,
)
from audit.queries.roles import AUDITORS, DATA_PROTECTION, roles_of

FORM = require_http_methods(["GET", "HEAD", "POST"])
PAGE: Final = 25
BASES: Final = dict(erasure.LegalBasis.choices)


@require_safe
def erasure_list(http: HttpRequest) -> HttpResponse:
    """Requests that wait, decided ones newest first (`before` leads to older ones), and the holds that stand."""
    user = member(http)
    decided = decided_requests(before=_moment(http.GET.get("before", "")), limit=PAGE + 1)
    context = {
        "title": _("Erasures"),
        "waiting": [(row, BASES.get(row.legal_basis, row.legal_basis)) for row in waiting_requests()],
        "decided": [(row, BASES.get(row.legal_basis, row.legal_basis)) for row in decided[:PAGE]],
        "older": decided[PAGE - 1].requested_at.isoformat() if len(decided) > PAGE else "",
        "holds": holds(active_only=True),
        "ask_blocked": erasure.why_not_ask(user),
    }
    return page(http, "admin/erasures/list.html", context)


@FORM
def erasure_new(http: HttpRequest) -> HttpResponse:
    """Ask for the erasure of a section of entry `?entry=`; without it, ask which entry."""
    user = member(http)
    index = number(http.GET.get("entry", ""))
    sections = erasable(index, now=timezone.now()) if index is not None else ()
    kept = [(item.name, item.name) for item in sections if item.kept and item.floor_ends is not None]
    form = EraseForm(
        http.POST or None, sections=kept, initial={"section": http.GET.get("section", "")}, label_suffix=""
    )
    if http.method == "POST" and index is not None and form.is_valid():
        try:
            made = erasure.request_erasure(entry_index=index, by=user, now=timezone.now(), **form.cleaned_data)
        except erasure.Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.reason)
        else:
            messages.success(http, _("The erasure is asked for; somebody of Data protection decides it."))
            return HttpResponseRedirect(reverse("admin:erasure", args=[made]))
    context = {
        "title": _("Erase a section"),
        "entry": queries.entry(index) if sections and index is not None else None,
        "asked_entry": http.GET.get("entry", "")[:20],
        "sections": sections,
        "form": form,
        "can_go": bool(kept) and not any(item.holds for item in sections),
        "blocked": erasure.why_not_ask(user),
    }
    return page(http, "admin/erasures/new.html", context, status=400 if form.errors else 200)


@FORM
def erasure_detail(http: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: what would go, its floor and holds, who asked and why, and the decision; a POST decides."""
    user = member(http)
    asked = _request(request_id)
    form = DecideForm(http.POST or None, label_suffix="")
    if http.method == "POST" and form.is_valid():
        try:
            done = erasure.decide_erasure(request_id=asked.id, by=user, now=timezone.now(), **form.cleaned_data)
        except erasure.Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.reason)
        else:
            words = _("Erased; entry %(entry)s tells it.") if done.erased else _("Rejected; entry %(entry)s tells it.")
            messages.success(http, words % {"entry": done.entry})
            return HttpResponseRedirect(reverse("admin:erasure", args=[asked.id]))
    target = next((item for item in erasable(asked.entry_index, now=timezone.now()) if item.name == asked.name), None)
    context = {
        "title": _("Erasure of %(section)s in entry %(entry)s") % {"section": asked.name, "entry": asked.entry_index},
        "asked": asked,
        "basis": BASES.get(asked.legal_basis, asked.legal_basis),
        "target": target,
        "type": event_label(target.type) if target else "",
        "history": queries.history(f"erasure:{asked.id}"),
        "words": words_of(f"erasure:{asked.id}").items() if _reads_reasons(user, asked) else None,
        "form": form,
        "min_reason": erasure.MIN_REASON,
        "approve_blocked": _why_not_approve(user, asked, target),
        "reject_blocked": erasure.why_not_reject(user, requested_by=asked.requested_by),
        "own": user.person_id == asked.requested_by,
    }
    return page(http, "admin/erasures/detail.html", context, status=400 if form.errors else 200)


@FORM
def hold_list(http: HttpRequest) -> HttpResponse:
    """All holds, newest first; a POST places one."""
    user = member(http)
    form = HoldForm(http.POST or None, label_suffix="")
    if http.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            erasure.place_hold(
                reference=fields.pop("reference"), scope=erasure.Scope(**fields), by=user, now=timezone.now()
            )
        except erasure.Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.reason)
        else:
            messages.success(http, _("The legal hold stands, and is an entry of the ledger."))
            return HttpResponseRedirect(reverse("admin:holds"))
    context = {"title": _("Legal holds"), "holds": holds(), "form": form, "blocked": erasure.why_not_hold(user)}
    return page(http, "admin/erasures/holds.html", context, status=400 if form.errors else 200)


@require_safe
def hold_detail(http: HttpRequest, hold_id: UUID) -> HttpResponse:
    """One hold and what ended it."""
    return _hold(http, hold_id, ReleaseForm(label_suffix=""))


@require_POST
def hold_release(http: HttpRequest, hold_id: UUID) -> HttpResponse:
    """End a hold."""
    user = member(http)
    form = ReleaseForm(http.POST, label_suffix="")
    if form.is_valid():
        try:
            erasure.release_hold(hold_id=hold_id, by=user, now=timezone.now(), **form.cleaned_data)
        except ErasureNotFound as error:
            raise Http404(str(error)) from error
        except erasure.Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.reason)
        else:
            messages.success(http, _("The legal hold is released."))
            return HttpResponseRedirect(reverse("admin:hold", args=[hold_id]))
    return _hold(http, hold_id, form)


def _hold(http: HttpRequest, hold_id: UUID, form: ReleaseForm) -> HttpResponse:
    user = member(http)
    try:
        found = hold(hold_id)
    except ErasureNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": _("Legal hold %(reference)s") % {"reference": found.reference},
        "hold": found,
        "history": queries.history(f"hold:{found.id}"),
        "words": words_of(f"hold:{found.id}").items() if _reads_reasons(user) else None,
        "form": form,
        "blocked": erasure.why_not_release(user, placed_by=found.placed_by),
    }
    return page(http, "admin/erasures/hold.html", context, status=400 if form.errors else 200)


def _why_not_approve(user: User, asked: RequestRow, target: Erasable | None) -> str:
    if target is None:
        return _("This section does not stand in the log.")
    if target.holds:
        return _("A legal hold is on this entry: release it first.")
    return erasure.why_not_decide(user, requested_by=asked.requested_by, before_floor=target.before_floor)


def _reads_reasons(user: User, asked: RequestRow | None = None) -> bool:
    own = asked is not None and user.person_id == asked.requested_by
    return own or bool(roles_of(user.pk) & {AUDITORS, DATA_PROTECTION})


def _request(request_id: UUID) -> RequestRow:
    try:
        return request(request_id)
    except ErasureNotFound as error:
        raise Http404(str(error)) from error


def member(http: HttpRequest) -> User:
    """The log-in, which must belong to a pool that has to do with erasures."""
    user = http.user
    if not isinstance(user, User) or erasure.why_not_ask(user):
        raise PermissionDenied(_("Erasures are for auditors, operators and data protection."))
    return user


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
