"""Background work of governance; each task is one call."""

from contextlib import suppress
from secrets import SystemRandom
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


@shared_task(name="governance.tasks.reapprove")
def reapprove() -> None:
    """Raise what spoils approvals that stand, and end those that it blocks."""
    operations.reapprove(now=timezone.now())


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


@shared_task(name="governance.tasks.follow_notices")
def follow_notices() -> None:
    """Read on in the log and tell those whom it concerns."""
    operations.follow_notices(now=timezone.now())


@shared_task(name="governance.tasks.sweep_notices")
def sweep_notices() -> None:
    """Tell what is due or expires soon, and what is wrong."""
    operations.sweep_notices(now=timezone.now())


@shared_task(name="governance.tasks.send_mails")
def send_mails() -> None:
    """Send the mails that are due."""
    operations.send_mails(now=timezone.now(), clock=timezone.now)


@shared_task(name="governance.tasks.deliver_webhooks")
def deliver_webhooks() -> None:
    """Send what is due to webhooks."""
    operations.deliver_webhooks(now=timezone.now(), clock=timezone.now, jitter=SystemRandom().random)
