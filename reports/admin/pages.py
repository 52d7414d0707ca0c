"""The pages of reports: each makes one call and shows what it returns. No GET changes anything."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.admin.exporting import export_page
from audit.exports import Listing
from audit.models import User
from reports import operations, queries, tasks
from reports.models import Report

PAGE = 25
REPORT_COLUMNS = (
    "id", "title", "deployment", "tree_size", "language", "classification", "requested_by", "requested_at", "state",
    "failure", "finished_at", "revision1_sha256", "sha256", "size",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def report_list(request: HttpRequest) -> HttpResponse:
    """Reports newest first, by state; a POST asks for one."""
    user = _reader(request)
    if request.method == "POST":
        return _ask(request, user)
    state = request.GET.get("state", "")[:20]
    found = queries.reports(before=_moment(request.GET.get("before", "")), state=state, limit=PAGE + 1)
    context = {
        "title": _("Reports"),
        "reports": found[:PAGE],
        "older": found[PAGE - 1].requested_at.isoformat() if len(found) > PAGE else "",
        "state": state,
        "states": Report.State.choices,
        "deployments": queries.deployments(),
        "chosen": request.GET.get("deployment", "")[:50],
    }
    return _page(request, "admin/reports/list.html", context)


@require_POST
def reports_export(request: HttpRequest) -> HttpResponseBase:
    """The reports of a state as a file, newest first."""
    _reader(request)
    state = request.GET.get("state", "")[:20]

    def listing() -> Listing:
        return Listing("report", REPORT_COLUMNS, queries.all_reports(state=state), {"state": state})

    return export_page(request, listing, reverse("admin:reports"))


@require_safe
def report_detail(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """One report: how far it is, its hashes, its entries, and the download."""
    _reader(request)
    try:
        found = queries.report_page(report_id)
    except queries.ReportNotFound as error:
        raise Http404(str(error)) from error
    return _page(request, "admin/reports/detail.html", {"title": found.report.title, "page": found})


@require_POST
def report_download(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Record the download, then lead to the short-lived address of the file."""
    try:
        address = operations.download(report_id=report_id, person=_reader(request), now=timezone.now())
    except queries.ReportNotFound as error:
        raise Http404(str(error)) from error
    except operations.DownloadRefused as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:report", args=[report_id]))
    return HttpResponseRedirect(address)


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    try:
        report_id = operations.request_report(
            deployment_id=_id(request.POST.get("deployment", "")), requester=user, now=timezone.now()
        )
    except (operations.Refused, operations.NoCheckpoint, operations.UnknownDeployment) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:reports"))
    tasks.start(report_id)
    messages.success(request, _("The report is asked for; it is ready in a few seconds."))
    return HttpResponseRedirect(reverse("admin:report", args=[report_id]))


def _reader(request: HttpRequest) -> User:
    """The log-in, which must be one that may read reports."""
    user = request.user
    if not isinstance(user, User) or queries.why_not_read(user):
        raise PermissionDenied
    return user


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404(_("There is no such deployment.")) from error


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
