"""Background work of governance; each task is one call."""

from celery import shared_task
from django.utils import timezone

from governance import operations


@shared_task(name="governance.tasks.follow_log")
def follow_log() -> None:
    """Read on in the log and raise what it shows."""
    operations.follow_log(now=timezone.now())


@shared_task(name="governance.tasks.index_log")
def index_log() -> None:
    """Read on in the log for the search."""
    operations.index_log()
