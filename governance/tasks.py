"""Background work of governance; each task is one call."""

from celery import shared_task
from django.utils import timezone

from governance import operations


@shared_task(name="governance.tasks.follow_log")
def follow_log() -> None:
    """Read on in the log and raise what it shows."""
    operations.follow_log(now=timezone.now())


@shared_task(name="governance.tasks.sweep")
def sweep() -> None:
    """Record what is past its time: approvals, open requests and conditions."""
    operations.sweep(now=timezone.now())
