"""Signing out, and sign-ins that were refused: one row each, one entry for each window that had any."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Min

from audit.access.base import append, told
from audit.events import EventType
from audit.models import RefusalWindow, SessionRefusal, User

WINDOW: Final = timedelta(minutes=5)
_LATE: Final = timedelta(minutes=1)
_MOST_NAMED: Final = 100


def record_session_end(*, actor: str, now: datetime) -> None:
    """That somebody signed out."""
    with transaction.atomic(durable=True):
        append(told(EventType.SESSION_ENDED, actor, actor=actor, now=now, after=None))


def note_refusal(*, username: str, now: datetime) -> None:
    """That a sign-in was refused. What was typed is not kept: it may be a password in the wrong field."""
    account = User.objects.filter(username=username[:150]).values_list("person_id", flat=True).first()
    SessionRefusal.objects.create(refused_at=now, person_id=account)


def count_refusals(*, now: datetime) -> int:
    """Tell the refused sign-ins of every window that is over and not told yet; how many windows were."""
    newest = RefusalWindow.objects.aggregate(newest=Max("begins_at"))["newest"]
    rows = SessionRefusal.objects.all()
    begins = rows.filter(refused_at__gte=newest + WINDOW) if newest else rows
    first = begins.aggregate(first=Min("refused_at"))["first"]
    told_windows = 0
    while first is not None:
        start = _begin(first)
        if start + WINDOW + _LATE > now:
            break
        _tell(start, now)
        told_windows += 1
        first = rows.filter(refused_at__gte=start + WINDOW).aggregate(first=Min("refused_at"))["first"]
    return told_windows


def _begin(moment: datetime) -> datetime:
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _tell(start: datetime, now: datetime) -> None:
    with transaction.atomic(durable=True):
        persons = list(
            SessionRefusal.objects.filter(refused_at__gte=start, refused_at__lt=start + WINDOW)
            .order_by("id")
            .values_list("person_id", flat=True)
        )
        RefusalWindow.objects.create(begins_at=start, refused=len(persons))
        most = Counter(f"person:{person}" for person in persons if person).most_common(_MOST_NAMED)
        event = told(
            EventType.SESSIONS_REFUSED,
            "log",
            actor="system:sessions",
            now=now,
            after=None,
            begins_at=start.isoformat(),
            ends_at=(start + WINDOW).isoformat(),
            refused=len(persons),
            of_nobody_known=persons.count(None),
            of_person=dict(most),
        )
        append(event)
