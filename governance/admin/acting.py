"""What people do on the page of a request beside deciding: withdraw, revoke, confirm a condition, ask again."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from governance import operations, queries
from governance.admin.base import page, person

CONDITIONS: Final = 3
"""Conditions that the form takes at once; REST takes more."""


def review_of(request: HttpRequest, request_id: UUID, refused: operations.Refused | None = None) -> HttpResponse:
    """The page of a request; with the refusal of what was tried, and what was entered."""
    try:
        found = queries.review_page(request_id, user=person(request), now=timezone.now())
    except queries.RequestNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": f"{found.ref}: {found.title}",
        "review": found,
        "refused": refused,
        "entered": request.POST if refused else {},
        "condition_fields": [(f"condition_{place}", f"due_{place}") for place in range(1, CONDITIONS + 1)],
    }
    return page(request, "desk/review.html", context, status=200 if refused is None else 400)


def asked_conditions(request: HttpRequest) -> list[operations.ConditionAsk]:
    """The conditions of the form that have a text, due at the end of their day.

    Raises:
        Refused: one without a day.
    """
    found = []
    for place in range(1, CONDITIONS + 1):
        words = request.POST.get(f"condition_{place}", "").strip()
        if not words:
            continue
        found.append(
            operations.ConditionAsk(
                text=words,
                due_at=_end_of(request.POST.get(f"due_{place}", "")),
                on_breach="notify" if request.POST.get(f"breach_{place}") == "notify" else "block",
            )
        )
    return found


def _end_of(day: str) -> datetime:
    try:
        found = parse_date(day)
    except ValueError:
        found = None
    if found is None:
        raise operations.Refused("conditions", _("need the day on which they are due."))
    return datetime(found.year, found.month, found.day, 23, 59, 59, tzinfo=timezone.get_current_timezone())


@require_POST
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take back one's own request."""
    return _act(
        request,
        request_id,
        lambda: operations.withdraw(
            request_id=request_id, by=person(request), reason=request.POST.get("reason", ""), now=timezone.now()
        ),
        _("The request is withdrawn."),
    )


@require_POST
def revoke(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """End an approval that stands."""
    return _act(
        request,
        request_id,
        lambda: operations.revoke(
            request_id=request_id, by=person(request), reason=request.POST.get("reason", ""), now=timezone.now()
        ),
        _("The approval is revoked."),
    )


@require_POST
def again(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Ask for the same configuration again; the answer is the page of the new request."""
    try:
        made = operations.request_again(
            request_id=request_id,
            by=person(request),
            justification=request.POST.get("justification", ""),
            now=timezone.now(),
        )
    except operations.Refused as error:
        return review_of(request, request_id, refused=error)
    messages.success(request, _("The request is submitted."))
    return HttpResponseRedirect(reverse("admin:desk_review", args=[made.id]))


@require_POST
def meet(request: HttpRequest, request_id: UUID, number: int) -> HttpResponse:
    """Confirm that a condition is met."""
    seen = request.POST.get("row_version", "")
    return _act(
        request,
        request_id,
        lambda: operations.meet_condition(
            request_id=request_id,
            number=number,
            by=person(request),
            evidence=request.POST.get("evidence", ""),
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
            now=timezone.now(),
        ),
        _("Recorded in the ledger."),
    )


def _act(request: HttpRequest, request_id: UUID, act: Callable[[], operations.Recorded], done: str) -> HttpResponse:
    try:
        act()
    except operations.Refused as error:
        return review_of(request, request_id, refused=error)
    messages.success(request, done)
    return HttpResponseRedirect(reverse("admin:desk_review", args=[request_id]))
