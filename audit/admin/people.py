"""People, pools and log-ins as pages: who decides, since when, and who changed it. No GET changes anything."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audit import queries
from audit.access import logins, pools, rights
from audit.access.base import MIN_REASON, Refused
from audit.admin.pages import page
from audit.admin.peopleforms import DecideChangeForm, LogInActForm, NewLogInForm, ProposeForm
from audit.models import PoolChange, User
from audit.queries import people as read

FORM = require_http_methods(["GET", "HEAD", "POST"])
ACTS: Final = {"confirm": logins.confirm_log_in, "close": logins.close_log_in, "reopen": logins.reopen_log_in}


@require_safe
def people(http: HttpRequest) -> HttpResponse:
    """Who is in which pool since when, and the changes that wait."""
    user = signed_in(http)
    waiting = read.open_changes(viewer=user)
    context = {
        "title": _("People and pools"),
        "pools": read.pools(),
        "mine": [row for row in waiting if row.for_me],
        "others": [row for row in waiting if not row.for_me],
        "closed": read.closed_changes(),
        "propose_blocked": rights.why_not_propose_any(user),
        "new_blocked": rights.why_not_operate(user),
        "own": user.person_id,
    }
    return page(http, "admin/people/list.html", context)


@FORM
def pool_change_new(http: HttpRequest) -> HttpResponse:
    """Propose that a log-in joins a pool or leaves it."""
    user = signed_in(http)
    first = {name: http.GET.get(name, "") for name in ("account", "pool", "change")}
    form = ProposeForm(http.POST or None, log_ins=read.log_in_choices(), initial=first, label_suffix="")
    if http.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = pools.propose_change(
                by=user,
                account_id=said["account"],
                pool=said["pool"],
                change_=said["change"],
                reason=said["reason"],
                now=timezone.now(),
            )
        except Refused as error:
            put(form, error)
        else:
            done = made.state == PoolChange.State.CARRIED_OUT
            words = _("The pool is changed.") if done else _("Proposed; another person decides it.")
            messages.success(http, words)
            return HttpResponseRedirect(reverse("admin:pool_change", args=[made.id]))
    context = {
        "title": _("Change a pool"),
        "form": form,
        "go": _("Propose"),
        "blocked": rights.why_not_propose_any(user),
    }
    return page(http, "admin/people/form.html", context, status=400 if form.errors else 200)


@FORM
def pool_change(http: HttpRequest, change_id: UUID) -> HttpResponse:
    """One change: who, which pool, why; a POST decides it or takes it back."""
    user = signed_in(http)
    try:
        found = read.pool_change(change_id, viewer=user)
    except read.NobodyThere as error:
        raise Http404(str(error)) from error
    form = DecideChangeForm(http.POST or None, initial={"seen": found.row_version}, label_suffix="")
    if http.method == "POST" and form.is_valid():
        try:
            _decide(user, change_id, form.cleaned_data)
        except Refused as error:
            put(form, error)
        else:
            messages.success(http, _("Recorded."))
            return HttpResponseRedirect(reverse("admin:pool_change", args=[change_id]))
    row = PoolChange.objects.get(pk=change_id)
    context = {
        "title": _("Change %(reference)s") % {"reference": found.reference},
        "change": found,
        "mode": PoolChange.Mode(found.mode).label,
        "history": queries.history(f"pool_change:{change_id}"),
        "form": form,
        "min_reason": MIN_REASON,
        "blocked": rights.why_not_decide_change(user, row),
        "withdraw_blocked": rights.why_not_withdraw_change(user, row),
    }
    return page(http, "admin/people/change.html", context, status=400 if form.errors else 200)


@require_safe
def person(http: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person: pools, log-ins, service accounts, decisions."""
    user = signed_in(http)
    try:
        found = read.person_page(person_id)
    except read.NobodyThere as error:
        raise Http404(str(error)) from error
    context = {
        "title": found.name,
        "person": found,
        "unseen": rights.why_not_see_log_ins(user, person_id),
        "history": queries.history(f"person:{person_id}", limit=20),
    }
    return page(http, "admin/people/person.html", context)


@FORM
def log_in(http: HttpRequest, account_id: int) -> HttpResponse:
    """One log-in: its state, and what an operator or another person of its pools does with it."""
    user = signed_in(http)
    account, found = _log_in(account_id)
    unseen = rights.why_not_see_log_ins(user, account.person_id)
    if unseen and rights.why_no_confirmer(user, account, found.suspended_by):
        raise PermissionDenied(unseen)
    form = LogInActForm(http.POST or None, initial={"seen": found.row_version}, label_suffix="")
    if http.method == "POST" and form.is_valid():
        try:
            made = _act(user, account_id, form.cleaned_data)
        except Refused as error:
            put(form, error)
        else:
            if made is not None:
                return shown_once(http, "admin/people/password.html", {"made": made, "title": _("New password")})
            messages.success(http, _("Recorded."))
            return HttpResponseRedirect(reverse("admin:log_in", args=[account_id]))
        account, found = _log_in(account_id)
    context = {
        "title": _("Log-in %(name)s") % {"name": found.username},
        "log_in": found,
        "owner": account.person,
        "history": queries.history(f"log_in:{account_id}", limit=20),
        "form": form,
        "min_reason": MIN_REASON,
        "operate_blocked": rights.why_not_operate_on(user, account),
        "confirm_blocked": rights.why_not_confirm(user, account, found.suspended_by),
    }
    return page(http, "admin/people/login.html", context, status=400 if form.errors else 200)


@FORM
def log_in_new(http: HttpRequest) -> HttpResponse:
    """Register a log-in for a person who is new here."""
    user = signed_in(http)
    form = NewLogInForm(http.POST or None, label_suffix="")
    if http.method == "POST" and form.is_valid():
        try:
            made = logins.add_log_in(by=user, now=timezone.now(), **form.cleaned_data)
        except Refused as error:
            put(form, error)
        else:
            return shown_once(http, "admin/people/password.html", {"made": made, "title": _("First password")})
    context = {
        "title": _("Register a person"),
        "form": form,
        "go": _("Register"),
        "blocked": rights.why_not_operate(user),
    }
    return page(http, "admin/people/form.html", context, status=400 if form.errors else 200)


def signed_in(http: HttpRequest) -> User:
    """The log-in behind a page."""
    user = http.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def put(form: Form, error: Refused) -> None:
    """Show a refusal beside its field, or above all where the form has none of that name."""
    form.add_error(error.field if error.field in form.fields else None, error.reason)


def shown_once(http: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page with a secret that nobody keeps: not the browser's history either."""
    answer = page(http, template, context)
    answer["Cache-Control"] = "no-store"
    return answer


def _decide(user: User, change_id: UUID, said: dict[str, Any]) -> None:
    rest = {"by": user, "change_id": change_id, "reason": said["reason"], "seen": said["seen"], "now": timezone.now()}
    if said["decision"] == "withdraw":
        pools.withdraw_change(**rest)
    else:
        pools.decide_change(decision=said["decision"], **rest)


def _act(user: User, account_id: int, said: dict[str, Any]) -> logins.FirstPassword | None:
    rest = {
        "by": user,
        "account_id": account_id,
        "reason": said["reason"],
        "seen": said["seen"],
        "now": timezone.now(),
    }
    if said["act"] == "reset":
        return logins.reset_password(**rest)
    ACTS[said["act"]](**rest)
    return None


def _log_in(account_id: int) -> tuple[User, read.LogIn]:
    try:
        return read.log_in(account_id)
    except read.NobodyThere as error:
        raise Http404(str(error)) from error
