"""Revision 2: once a signed checkpoint covers the entry of revision 1, its proof is attached to the file."""

import logging
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from audit import queries
from audit.events import EventType
from audit.tlog.pdf import attach_receipt
from reports.models import Report
from reports.operations import files
from reports.operations.failing import MAX_ATTEMPTS, fail, gave_up

logger = logging.getLogger(__name__)

LOST: Final = "The file of revision 1 is missing or is not the one that was recorded. Ask for the report again."


def finish_report(*, report_id: UUID, now: datetime) -> bool:
    """Attach the receipt to a rendered report; True when nothing is left to do, by this call or before.

    False means: not rendered yet, no checkpoint covers its entry yet, or it went wrong; call again. A finished
    report gets no entry: the file is decided by revision 1 and a receipt that anybody can ask the log for.
    Entry: `report.failed`, when the file is lost or at the third attempt that went wrong.
    """
    report = Report.objects.filter(pk=report_id).first()
    if report is None or report.state != Report.State.RENDERED:
        return report is None or report.state in (Report.State.READY, Report.State.FAILED)
    try:
        return _finish(report, now)
    except Exception as error:
        logger.exception("The receipt of report %s could not be attached.", report.id)
        return _went_wrong(report, error, now)


def _finish(report: Report, now: datetime) -> bool:
    entries = queries.entries(type_=EventType.REPORT_RENDERED, subject=report.subject, source="app", limit=1)
    checkpoint = queries.checkpoint_covering(entries[0].index) if entries else None
    if checkpoint is None:
        return False
    older = () if checkpoint.size == report.tree_size else (report.tree_size,)
    receipt = queries.bundle([entries[0].index], size=checkpoint.size, consistent_with=older)
    path = files.revision1_path(report.id, report.attempt)
    revision1 = path.read_bytes() if path.is_file() else b""
    if sha256(revision1).hexdigest() != report.revision1_sha256:
        fail(report, LOST, now=now)
        return True
    _keep(report, attach_receipt(revision1, receipt), now)
    files.discard_revision1(report.id)
    return True


def _keep(report: Report, data: bytes, now: datetime) -> None:
    """The file and its hash are written under one lock: of two that finish a report, the first one's stay."""
    with transaction.atomic(durable=True):
        waiting = Report.objects.filter(pk=report.pk, state=Report.State.RENDERED)
        if waiting.select_for_update().first() is None:
            return
        files.write(files.report_path(report.id), data)
        waiting.update(
            state=Report.State.READY,
            sha256=sha256(data).hexdigest(),
            size=len(data),
            finished_at=now,
            row_version=F("row_version") + 1,
        )


def _went_wrong(report: Report, error: Exception, now: datetime) -> bool:
    if report.receipt_attempt + 1 >= MAX_ATTEMPTS:
        fail(report, gave_up(error), now=now)
        return True
    with transaction.atomic(durable=True):
        waiting = Report.objects.filter(pk=report.pk, state=Report.State.RENDERED)
        waiting.update(receipt_attempt=F("receipt_attempt") + 1, row_version=F("row_version") + 1)
    return False
