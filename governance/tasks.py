"""Background work of governance; each task is one call."""

from secrets import SystemRandom

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
