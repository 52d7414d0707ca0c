"""Making revision 1: claim the report, do the slow work outside any transaction, enter its hash in the ledger."""

import logging
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import F

from audit import ledger
from audit.events import EventType
from audit.queries import NotCovered, TooManyEntries
from audit.tlog.pdf import DATASET, FACTS
from reports.collect import CollectError, Material, material
from reports.models import Report
from reports.operations import files
from reports.operations.failing import ACTOR, MAX_ATTEMPTS, fail, gave_up
from reports.operations.requests import event
from reports.queries import ABANDONED_AFTER
from reports.render.make import made_from, renderer
from reports.render.pdf import RenderError

logger = logging.getLogger(__name__)


def render_report(*, report_id: UUID, now: datetime) -> bool:
    """Make revision 1 of a queued report; True when this call did it. Entry: `report.rendered` or `report.failed`.

    Safe to call again at any time: a report that is not waiting, or that another worker has, is left alone. What
    goes wrong stays with this report: a refusal fails it at once, anything else at the third attempt.
    """
    report = _claim(report_id, now)
    if report is None:
        return False
    if report.attempt > MAX_ATTEMPTS:
        fail(report, gave_up(), now=now)
        return False
    try:
        return _make(report, now)
    except (CollectError, NotCovered, TooManyEntries, RenderError) as error:
        fail(report, str(error), now=now)
    except Exception as error:
        logger.exception("Report %s could not be rendered, attempt %s.", report.id, report.attempt)
        _put_back(report, error, now)
    return False


def _make(report: Report, now: datetime) -> bool:
    found = material(report, renderer())
    data = made_from(found.report, found.dataset, found.facts)
    path = files.revision1_path(report.id, report.attempt)
    files.write(path, data)
    if _record(report, found, data, now):
        return True
    path.unlink(missing_ok=True)
    return False


def _put_back(report: Report, error: Exception, now: datetime) -> None:
    if report.attempt >= MAX_ATTEMPTS:
        fail(report, gave_up(error), now=now)
        return
    with transaction.atomic(durable=True):
        mine = Report.objects.filter(pk=report.pk, state=Report.State.RENDERING, attempt=report.attempt)
        mine.update(state=Report.State.QUEUED, row_version=F("row_version") + 1)


def _claim(report_id: UUID, now: datetime) -> Report | None:
    with transaction.atomic(durable=True):
        report = Report.objects.select_for_update(skip_locked=True).filter(pk=report_id).first()
        if report is None:
            return None
        abandoned = (
            report.state == Report.State.RENDERING
            and report.started_at is not None
            and report.started_at < now - ABANDONED_AFTER
        )
        if report.state != Report.State.QUEUED and not abandoned:
            return None
        report.state, report.started_at, report.attempt = Report.State.RENDERING, now, report.attempt + 1
        report.row_version += 1
        report.save(update_fields=["state", "started_at", "attempt", "row_version"])
    return report


def _record(report: Report, found: Material, data: bytes, now: datetime) -> bool:
    revision1, dataset = sha256(data).hexdigest(), sha256(found.dataset).hexdigest()
    said = {
        "report": report.subject,
        "kind": str(report.kind),
        "deployment": report.deployment,
        "sha256": revision1,
        "size": len(data),
        "dataset_sha256": dataset,
        "facts_sha256": sha256(found.facts).hexdigest(),
        "tree_size": report.tree_size,
        "classification": report.classification,
        "language": report.language,
        "files": [DATASET, FACTS],
        "renderer": dict(found.report.renderer.versions),
    }
    with transaction.atomic(durable=True):
        mine = Report.objects.filter(pk=report.pk, state=Report.State.RENDERING, attempt=report.attempt)
        if not mine.update(
            state=Report.State.RENDERED,
            revision1_sha256=revision1,
            dataset_sha256=dataset,
            row_version=F("row_version") + 1,
        ):
            return False
        ledger.append(events=[event(EventType.REPORT_RENDERED, report, said, actor=ACTOR, now=now)])
    return True
