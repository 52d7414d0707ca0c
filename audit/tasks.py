"""Celery's entry points. Each reads the clock and makes one call; messages carry nothing, the database is the queue."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from celery import shared_task
from django.conf import settings

from audit import collectors, notices, publishing, queries, selfcheck, windows
from audit.access import sessions


def _clock() -> Callable[[], datetime]:
    """The database's clock, read once and carried on without it: no query belongs between two fetches."""
    began, read_at = queries.database_now(), monotonic()
    return lambda: began + timedelta(seconds=monotonic() - read_at)


@shared_task
def collect() -> None:
    """Ask the targets that are due."""
    clock = _clock()
    collectors.collect(now=clock(), clock=clock, token=uuid.uuid4())


@shared_task
def seal_windows() -> None:
    """Seal the windows that are due."""
    windows.seal_windows(now=queries.database_now())


@shared_task
def self_check() -> None:
    """Hash the log again and compare."""
    selfcheck.run(now=queries.database_now())


@shared_task
def record_acts() -> None:
    """Let changes of keys and thaws become entries."""
    notices.record_acts()


@shared_task
def notify() -> None:
    """Tell people outside what they must learn without looking."""
    clock = _clock()
    publisher = publishing.read_status(settings.DATA_DIR / publishing.FILE) if settings.PUBLISH_TO else None
    notices.notify(now=clock(), clock=clock, publisher=publisher)


@shared_task
def count_refusals() -> None:
    """Tell the refused sign-ins of the windows that are over."""
    sessions.count_refusals(now=queries.database_now())
