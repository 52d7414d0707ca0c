"""Giving a report up: it says why, and so does an entry. Errors that may pass are given a few attempts first."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from audit import ledger
from audit.events import EventType
from reports.models import Report
from reports.operations import files
from reports.operations.requests import event

ACTOR: Final = "system:reports"
MAX_ATTEMPTS: Final = 3


def fail(report: Report, reason: str, *, now: datetime) -> None:
    """Fail `report` unless somebody else has moved it on since it was read. Entry: `report.failed`."""
    said = {"report": report.subject, "tree_size": report.tree_size, "reason": reason[:1000]}
    with transaction.atomic(durable=True):
        mine = Report.objects.filter(pk=report.pk, state=report.state, attempt=report.attempt)
        if not mine.update(
            state=Report.State.FAILED, failure=reason[:1000], finished_at=now, row_version=F("row_version") + 1
        ):
            return
        ledger.append(events=[event(EventType.REPORT_FAILED, report, said, actor=ACTOR, now=now)])
    files.discard_revision1(report.id)


def gave_up(error: Exception | None = None) -> str:
    """The reason of a report that failed at every attempt; without an error its workers died."""
    told = error.strerror if isinstance(error, OSError) else error  # no path of this machine goes into the ledger
    words = f"{type(error).__name__}: {told}" if error else _("its worker was stopped each time")
    return _("It was tried %(attempts)s times. The last time: %(words)s") % {"attempts": MAX_ATTEMPTS, "words": words}
