"""Every read of reports for pages, REST and tasks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from audit import queries as audit_queries
from audit.access.tokens import Credential
from audit.events import EventType
from audit.models import User
from audit.queries import EntryRow
from audit.queries.names import names_of
from audit.queries.roles import AUDITORS, OPERATORS, REVIEWERS, roles_of
from reports.models import Report

READERS: Final = (AUDITORS, REVIEWERS, OPERATORS)
MAX_PAGE: Final = 200
MAX_HISTORY: Final = 100
ABANDONED_AFTER: Final = timedelta(minutes=10)
"""A rendering that has not finished by then lost its worker: the longest one is stopped after less than three."""

By = User | Credential
"""Who asks: a log-in, or the credential that a token opened."""


class ReportNotFound(LookupError):
    """There is no such report."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report as pages and REST show it. `requested_by_name` is None when the profile was erased."""

    id: UUID
    title: str
    deployment: str
    tree_size: int
    language: str
    classification: str
    requested_by: str
    requested_by_name: str | None
    requested_at: datetime
    state: str
    state_label: str
    failure: str
    finished_at: datetime | None
    revision1_sha256: str
    sha256: str
    size: int | None

    @property
    def subject(self) -> str:
        return f"report:{self.id}"

    @property
    def ready(self) -> bool:
        return self.state == Report.State.READY


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One report and what the ledger says about it."""

    report: ReportRow
    entries: tuple[EntryRow, ...]


@dataclass(frozen=True, slots=True)
class DeploymentChoice:
    id: str
    name: str


def why_not_read(by: By) -> str:
    """Why this log-in or token may not ask for and download reports; empty when it may."""
    if isinstance(by, Credential):
        return "" if "reports:read" in by.scopes else _("This token lacks the scope reports:read.")
    if not by.is_active:
        return _("Your log-in is closed.")
    if not roles_of(by.pk) & set(READERS):
        return _("Reports are for members of %(groups)s.") % {"groups": ", ".join(READERS)}
    return ""


def reports(
    *, before: datetime | None = None, state: str = "", deployment: str = "", limit: int = 50
) -> list[ReportRow]:
    """Reports newest first, in a constant number of queries; `before` continues a page."""
    found = Report.objects.order_by("-requested_at", "id")
    if before is not None:
        found = found.filter(requested_at__lt=before)
    if state:
        found = found.filter(state=state)
    if deployment:
        found = found.filter(deployment=deployment)
    return _rows(found[: min(limit, MAX_PAGE)])


def all_reports(*, state: str = "") -> Iterator[dict[str, object]]:
    """Every report of a state, or of all, newest first, by column."""
    found = Report.objects.order_by("-requested_at", "id")
    rows = (found.filter(state=state) if state else found).values()
    for row in rows.iterator(chunk_size=MAX_PAGE):
        yield dict(row)


def report(report_id: UUID) -> ReportRow:
    """One report. Raises ReportNotFound."""
    found = _rows(Report.objects.filter(pk=report_id)[:1])
    if not found:
        raise ReportNotFound(_("There is no such report."))
    return found[0]


def report_page(report_id: UUID) -> ReportPage:
    """One report with its entries, newest first. Raises ReportNotFound."""
    found = report(report_id)
    return ReportPage(found, tuple(audit_queries.history(found.subject, limit=MAX_HISTORY)))


def deployments(*, limit: int = MAX_PAGE) -> list[DeploymentChoice]:
    """Deployments the ledger knows, newest first: what a report can be asked for."""
    entries = audit_queries.entries(type_=EventType.DEPLOYMENT_REGISTERED, source="app", limit=limit)
    facts = audit_queries.section_facts([entry.index for entry in entries])
    return [
        DeploymentChoice(entry.subject.removeprefix("deployment:"), _name(facts.get(entry.index, {}), entry.subject))
        for entry in entries
    ]


def _name(facts: Mapping[str, object], otherwise: str) -> str:
    after = facts.get("after")
    name = after.get("name") if isinstance(after, dict) else None
    return name if isinstance(name, str) else otherwise


def to_render(*, now: datetime, limit: int = 20) -> list[UUID]:
    """Reports nobody is making: asked for, or left by a worker that died."""
    lost = Q(state=Report.State.RENDERING, started_at__lt=now - ABANDONED_AFTER)
    found = Report.objects.filter(Q(state=Report.State.QUEUED) | lost).order_by("requested_at", "id")
    return list(found.values_list("id", flat=True)[:limit])


def to_finish(*, limit: int = 100) -> list[UUID]:
    """Reports that wait for their receipt."""
    found = Report.objects.filter(state=Report.State.RENDERED).order_by("requested_at", "id")
    return list(found.values_list("id", flat=True)[:limit])


def _rows(found: Iterable[Report]) -> list[ReportRow]:
    items = list(found)
    names = names_of(item.requested_by for item in items)
    return [
        ReportRow(
            id=item.id,
            title=item.title,
            deployment=item.deployment,
            tree_size=item.tree_size,
            language=item.language,
            classification=item.classification,
            requested_by=item.requested_by,
            requested_by_name=names.get(item.requested_by),
            requested_at=item.requested_at,
            state=item.state,
            state_label=str(item.get_state_display()),
            failure=item.failure,
            finished_at=item.finished_at,
            revision1_sha256=item.revision1_sha256,
            sha256=item.sha256,
            size=item.size,
        )
        for item in items
    ]
