"""The reviewer's desk: the queue, the page of one request with its decision, the page of a deployment."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audit.admin.pages import is_auditor
from governance import operations, queries
from governance.admin.acting import asked_conditions, review_of
from governance.admin.base import page, person
from governance.models import ApprovalRequest
from governance.queries.desk import Wanted, pools

FILTERS = ("kind", "deployment", "requester", "pool", "tier")
LONGEST = 100


@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """Requests in one state; open ones that wait for this person first, oldest first."""
    wanted = {name: request.GET.get(name, "").strip()[:LONGEST] for name in FILTERS}
    found = queries.queue(
        person(request),
        state=request.GET.get("state", "open")[:20],
        after=request.GET.get("after", "")[:40],
        wanted=Wanted(**wanted),
    )
    states = ((str(value), label) for value, label in ApprovalRequest.State.choices)
    context = {
        "title": _("Requests"),
        "queue": found,
        "states": list(states),
        "kinds": ApprovalRequest.Kind.choices,
        "pools": pools(),
        "tiers": _tiers(),
        "wanted": wanted,
        "filtered": any(wanted.values()),
        "query": urlencode({name: value for name, value in wanted.items() if value}),
        "may_ask": not _why_not_ask(request),
    }
    return page(request, "admin/governance/requests.html", context)


def _tiers() -> list[tuple[str, str]]:
    """The tiers a request may have, where requests have one."""
    field = next((field for field in ApprovalRequest._meta.fields if field.name == "tier"), None)
    return [(str(value), str(label)) for value, label in field.flatchoices] if field else []


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request with everything needed to decide it; a POST decides."""
    if request.method != "POST":
        return review_of(request, request_id)
    try:
        operations.decide(
            request_id=request_id,
            decider=person(request),
            decision=request.POST.get("decision", ""),
            reason=request.POST.get("reason", ""),
            digest_seen=request.POST.get("digest_seen", ""),
            conditions=asked_conditions(request),
            now=timezone.now(),
        )
    except operations.Refused as error:
        return review_of(request, request_id, refused=error)
    messages.success(request, _("Your decision is recorded in the ledger."))
    following = queries.next_waiting(person(request))
    if following is None:
        return HttpResponseRedirect(reverse("admin:desk_requests"))
    return HttpResponseRedirect(reverse("admin:desk_review", args=[following]))


@require_safe
def deployment(request: HttpRequest, deployment_id: UUID) -> HttpResponse:
    """What is approved against what runs."""
    try:
        found = queries.deployment_page(deployment_id, sees_everything=is_auditor(request))
    except queries.DeploymentNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": found.name,
        "deployment": found,
        "standing": queries.standing_view("deployment", found.id, user=person(request)),
        "blocked": queries.why_not_register(queries.viewer(person(request))),
    }
    return page(request, "admin/governance/deployment.html", context)


def _why_not_ask(request: HttpRequest) -> str:
    return queries.why_not_request(queries.viewer(person(request)))
