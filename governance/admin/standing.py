"""The page of a thing's standing: how it came to stand so, and the form that changes it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.own import page_of
from governance.lifecycle import State


@require_http_methods(["GET", "HEAD", "POST"])
def standing(request: HttpRequest, subject_kind: str, subject_id: UUID) -> HttpResponse:
    """The standings of one thing; a POST records another."""
    if request.method != "POST":
        return _page(request, subject_kind, subject_id)
    seen, successor = request.POST.get("seen", ""), request.POST.get("successor_id", "").strip()
    try:
        operations.change_standing(
            by=person(request),
            subject_kind=subject_kind,
            subject_id=subject_id,
            state=request.POST.get("state", ""),
            reason=request.POST.get("reason", ""),
            successor_id=_id(successor) if successor else None,
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1,
            now=timezone.now(),
        )
    except operations.Refused as error:
        return _page(request, subject_kind, subject_id, error)
    messages.success(request, _("The standing is recorded in the ledger."))
    return HttpResponseRedirect(reverse("admin:desk_standing", args=[subject_kind, subject_id]))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise operations.Refused("successor_id", "is not the id of anything.") from error


def _page(request: HttpRequest, kind: str, subject_id: UUID, refused: operations.Refused | None = None) -> HttpResponse:
    try:
        found = queries.standing_view(kind, subject_id, user=person(request))
    except queries.SubjectNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": _("Standing of %(name)s") % {"name": found.name},
        "standing": found,
        "open": any(not offer.blocked for offer in found.offers),
        "refused": str(refused) if refused else "",
        "entered": request.POST if refused else {"state": request.GET.get("state", "")},
        "meanings": _meanings(),
        "successors": queries.same_kind(kind, but=subject_id),
        "back": page_of(kind, subject_id),
    }
    return page(request, "admin/governance/standing/page.html", context, status=400 if refused else 200)


def _meanings() -> list[tuple[str, str]]:
    told = {
        State.ACTIVE: _("May be used. A thing of which nothing is recorded stands so."),
        State.DEPRECATED: _("May still be used; something else is better for what is new."),
        State.SUPERSEDED: _("May still be used; the successor it names takes its place."),
        State.RETIRED: _("May not be asked for any more."),
        State.QUARANTINED: _("May not be asked for until another person has looked at it and lifts the quarantine."),
    }
    return [(queries.standing_mark(state)[1], words) for state, words in told.items()]
