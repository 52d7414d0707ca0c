"""Service accounts and tokens as pages. A token's text is shown once, by the POST that made it."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit import queries
from audit.access import rights, services
from audit.access.base import MIN_REASON, Refused
from audit.admin.pages import page
from audit.admin.people import FORM, put, shown_once, signed_in
from audit.admin.peopleforms import SCOPE_WORDS, IssueForm, NewServiceForm, ReasonForm, RotateForm
from audit.models import User
from audit.queries import people as read_people
from audit.queries import tokens as read


@require_safe
def tokens(http: HttpRequest) -> HttpResponse:
    """Service accounts: all of them for operators and auditors, one's own for everybody else."""
    user = signed_in(http)
    everything = rights.sees_all_tokens(user)
    context = {
        "title": _("Service accounts"),
        "services": read.service_accounts(owner_id=None if everything else user.person_id, now=timezone.now()),
        "everything": everything,
        "blocked": rights.why_not_create_service(user),
    }
    return page(http, "admin/tokens/list.html", context)


@FORM
def service_new(http: HttpRequest) -> HttpResponse:
    """Create a service account."""
    user = signed_in(http)
    form = NewServiceForm(http.POST or None, owners=read_people.owner_choices(), label_suffix="")
    if http.method == "POST" and form.is_valid():
        try:
            made = services.create_service_account(by=user, now=timezone.now(), **form.cleaned_data)
        except Refused as error:
            put(form, error)
        else:
            messages.success(http, _("Created; it has no token yet."))
            return HttpResponseRedirect(reverse("admin:service", args=[made.pk]))
    context = {
        "title": _("New service account"),
        "form": form,
        "go": _("Create"),
        "tokens": True,
        "blocked": rights.why_not_create_service(user),
    }
    return page(http, "admin/people/form.html", context, status=400 if form.errors else 200)


@FORM
def service(http: HttpRequest, service_id: UUID) -> HttpResponse:
    """One service account and its tokens; a POST issues a new one and shows it once."""
    user, now = signed_in(http), timezone.now()
    found, rows = _service(user, service_id, now)
    form = IssueForm(http.POST or None, label_suffix="")
    if http.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            issued = services.issue(
                by=user,
                service_account_id=service_id,
                scopes=said["scopes"],
                days=said["days"],
                networks=said["networks"].splitlines(),
                now=now,
            )
        except Refused as error:
            put(form, error)
        else:
            return shown_once(
                http, "admin/tokens/shown.html", {"title": _("New token"), "issued": issued, "service": found}
            )
    context = {
        "title": found.name,
        "service": found,
        "tokens": rows,
        "form": form,
        "history": queries.history(f"service:{service_id}", limit=10),
        "blocked": rights.why_not_change_tokens(user, found.owner_id),
    }
    return page(http, "admin/tokens/service.html", context, status=400 if form.errors else 200)


@require_safe
def token(http: HttpRequest, token_id: UUID) -> HttpResponse:
    """One token: what it may, from where, until when, and when it was last used."""
    return _token(http, token_id, RotateForm(label_suffix=""), ReasonForm(label_suffix=""))


@require_POST
def token_rotate(http: HttpRequest, token_id: UUID) -> HttpResponse:
    """A new token in the place of this one, shown once; this one ends after the overlap."""
    user = signed_in(http)
    form = RotateForm(http.POST, label_suffix="")
    if form.is_valid():
        try:
            issued = services.rotate(by=user, token_id=token_id, now=timezone.now(), **form.cleaned_data)
        except Refused as error:
            put(form, error)
        else:
            service_row, _row = _found(user, token_id)
            context = {"title": _("New token"), "issued": issued, "service": service_row}
            return shown_once(http, "admin/tokens/shown.html", context)
    return _token(http, token_id, form, ReasonForm(label_suffix=""))


@require_POST
def token_revoke(http: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token at once."""
    user = signed_in(http)
    form = ReasonForm(http.POST, label_suffix="")
    if form.is_valid():
        try:
            services.revoke(by=user, token_id=token_id, now=timezone.now(), **form.cleaned_data)
        except Refused as error:
            put(form, error)
        else:
            messages.success(http, _("The token is revoked."))
            return HttpResponseRedirect(reverse("admin:token", args=[token_id]))
    return _token(http, token_id, RotateForm(label_suffix=""), form)


def _token(http: HttpRequest, token_id: UUID, rotate: RotateForm, revoke: ReasonForm) -> HttpResponse:
    user = signed_in(http)
    service_row, row = _found(user, token_id)
    blocked = rights.why_not_change_tokens(user, service_row.owner_id)
    if row.state in {"expired", "revoked"}:
        blocked = blocked or _("This token has ended already.")
    context = {
        "title": _("Token %(prefix)s") % {"prefix": row.prefix},
        "service": service_row,
        "token": row,
        "scopes": [(scope, SCOPE_WORDS.get(scope, scope)) for scope in row.scopes],
        "history": queries.history(f"token:{token_id}", limit=20),
        "rotate": rotate,
        "revoke": revoke,
        "min_reason": MIN_REASON,
        "blocked": blocked,
    }
    return page(http, "admin/tokens/token.html", context, status=400 if rotate.errors or revoke.errors else 200)


def _service(user: User, service_id: UUID, now: datetime) -> tuple[read.ServiceRow, tuple[read.TokenRow, ...]]:
    try:
        found, rows = read.service_account(service_id, now=now)
    except read.NoSuchToken as error:
        raise Http404(str(error)) from error
    _refuse_stranger(user, found)
    return found, rows


def _found(user: User, token_id: UUID) -> tuple[read.ServiceRow, read.TokenRow]:
    try:
        found, row = read.token(token_id, now=timezone.now())
    except read.NoSuchToken as error:
        raise Http404(str(error)) from error
    _refuse_stranger(user, found)
    return found, row


def _refuse_stranger(user: User, found: read.ServiceRow) -> None:
    if found.owner_id != user.person_id and not rights.sees_all_tokens(user):
        raise PermissionDenied(_("Only the owner, operators and auditors see this service account."))
