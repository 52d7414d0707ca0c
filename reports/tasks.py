"""Background work of reports. Messages carry ids; PostgreSQL is the queue of record, so any of them may be lost."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from celery import Task, shared_task
from kombu.exceptions import OperationalError

from reports import operations

RETRY_SECONDS = 1
MAX_RETRIES = 60


@shared_task
def render_report(report_id: str) -> None:
    """Make revision 1 of a queued report, then wait for its receipt."""
    if operations.render_report(report_id=UUID(report_id), now=datetime.now(UTC)):
        finish_report.delay(report_id)


@shared_task(bind=True, max_retries=MAX_RETRIES)
def finish_report(self: "Task[[str], None]", report_id: str) -> None:
    """Attach the receipt as soon as a checkpoint covers the report's entry."""
    if not operations.finish_report(report_id=UUID(report_id), now=datetime.now(UTC)):
        raise self.retry(countdown=RETRY_SECONDS)


def start(report_id: UUID) -> bool:
    """Tell a worker about a report; when the broker is away (False), `advance` finds it later."""
    with suppress(OperationalError):
        render_report.delay(str(report_id))
        return True
    return False


@shared_task
def advance() -> None:
    """Go on with every unfinished report: what a lost message, a restart or a dead worker left."""
    operations.advance(now=datetime.now(UTC), hand_over=start)
