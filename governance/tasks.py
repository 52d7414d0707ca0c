"""Background work of governance; each task is one call."""

from contextlib import suppress
from uuid import UUID

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from governance import operations


@shared_task(name="governance.tasks.follow_log")
def follow_log() -> None:
    """Read on in the log and raise what it shows."""
    operations.follow_log(now=timezone.now())


@shared_task(name="governance.tasks.sweep")
def sweep() -> None:
    """Record what is past its time: approvals, open requests and conditions."""
    operations.sweep(now=timezone.now())


@shared_task(name="governance.tasks.run_import")
def run_import(job_id: str) -> None:
    """Fetch and register what an import asks for."""
    operations.run_import(job_id=UUID(job_id), now=timezone.now())


def start_import(job_id: UUID) -> bool:
    """Tell a worker about an import; when the broker is away (False), `advance_imports` finds it later."""
    with suppress(OperationalError):
        run_import.delay(str(job_id))
        return True
    return False


@shared_task(name="governance.tasks.advance_imports")
def advance_imports() -> None:
    """Go on with every import that a lost message, a restart or a dead worker left."""
    operations.advance_imports(now=timezone.now(), hand_over=start_import)


@shared_task(name="governance.tasks.index_log")
def index_log() -> None:
    """Read on in the log for the search."""
    operations.index_log()
