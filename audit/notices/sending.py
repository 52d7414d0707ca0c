"""Telling it: every matter over every channel once, with growing pauses while a channel does not take it.

An attempt is written before it is made, so two workers never make the same one. A worker that is killed in between
leaves an attempt without an end; it is made again, and the message carries the same id.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.models import Notice, NoticeAttempt
from audit.notices.channels import Channel, Folder, Mail, Message, Webhook
from audit.notices.matters import CHECKPOINT, PublisherState, new_matters
from audit.notices.outgoing import NotDelivered
from audit.queries.keys import key_history_text

FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
MOST_ATTEMPTS: Final = 40
"""A day and a half of trying; then the log says that it was given up."""
WITHOUT_END: Final = timedelta(minutes=5)
"""An attempt that has no end after this is dead: longer than a task may run."""
LOOKED_BACK: Final = timedelta(days=7)
_AT_ONCE: Final = 20

_log = logging.getLogger("audit.notices")


def notify(*, now: datetime, clock: Callable[[], datetime], publisher: PublisherState | None = None) -> int:
    """Write down what is new to tell, then tell what is due; how many messages went out.

    Args:
        now: time of the look.
        clock: the time during it, as sending takes a while.
        publisher: what the publisher last said of itself; None where none runs here.
    """
    channels = _channels()
    if not channels:
        return 0
    Notice.objects.bulk_create(new_matters(now=now, publisher=publisher), ignore_conflicts=True)
    sent = 0
    for channel in channels:
        for notice, number in _due(channel, now=now):
            if not _claim(notice, channel, number, now=clock()):
                continue
            if not _attempt(notice, channel, number, clock=clock):
                break  # the channel is down: the others of its messages would fail alike
            sent += 1
    return sent


def _channels() -> list[Channel]:
    # What needs no network comes first: a server that drips its answer keeps the rest waiting.
    found: list[Channel] = []
    if settings.DAILY_CHECKPOINT_TO:
        found.append(Folder(settings.DAILY_CHECKPOINT_TO, key_history_text()))
    if settings.NOTIFY_MAIL_TO:
        found.append(Mail(settings.NOTIFY_MAIL_FROM, tuple(settings.NOTIFY_MAIL_TO)))
    if settings.NOTIFY_WEBHOOK_URL:
        found.append(Webhook(settings.NOTIFY_WEBHOOK_URL, settings.NOTIFY_WEBHOOK_SECRET.encode()))
    return found


def _due(channel: Channel, *, now: datetime) -> list[tuple[Notice, int]]:
    """Notices this channel should try now, oldest first, each with the number of the attempt."""
    notices = Notice.objects.filter(made_at__gt=now - LOOKED_BACK).order_by("made_at", "matter")
    if isinstance(channel, Folder):
        notices = notices.filter(kind=CHECKPOINT)
    wanted = list(notices)
    steps: dict[str, list[NoticeAttempt]] = {}
    for row in NoticeAttempt.objects.filter(channel=channel.name, matter__in=[item.matter for item in wanted]):
        steps.setdefault(row.matter, []).append(row)
    found = []
    for notice in wanted:
        number = _next_attempt(steps.get(notice.matter, []), now=now)
        if number is not None:
            found.append((notice, number))
    return found[:_AT_ONCE]


def _next_attempt(steps: Sequence[NoticeAttempt], *, now: datetime) -> int | None:
    """The number of the attempt that is due; None when it was sent, is under way, waits, or was given up."""
    if not steps:
        return 1
    last = max(steps, key=lambda row: (row.number, row.step != "try"))
    if any(row.step == "sent" for row in steps) or last.number >= MOST_ATTEMPTS:
        return None
    pause = WITHOUT_END if last.step == "try" else min(FIRST_PAUSE * 2 ** (last.number - 1), LONGEST_PAUSE)
    return last.number + 1 if now - last.at >= pause else None


def _claim(notice: Notice, channel: Channel, number: int, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            _write(notice, channel, number, "try", "", now)
    except IntegrityError:
        return False  # another worker makes this attempt
    return True


def _attempt(notice: Notice, channel: Channel, number: int, *, clock: Callable[[], datetime]) -> bool:
    message = Message(
        id=f"{settings.LEDGER_ORIGIN} {notice.matter}",
        kind=notice.kind,
        origin=settings.LEDGER_ORIGIN,
        title=notice.title,
        text=notice.body,
        note=notice.note,
        made_at=notice.made_at,
    )
    try:
        channel.deliver(message, now=clock())
    except NotDelivered as error:
        _write(notice, channel, number, "failed", str(error), clock())
        given_up = "; given up" if number >= MOST_ATTEMPTS else ""
        _log.error("the notice %s was not delivered by %s: %s%s", notice.matter, channel.name, error, given_up)
        return False
    _write(notice, channel, number, "sent", "", clock())
    return True


def _write(notice: Notice, channel: Channel, number: int, step: str, detail: str, at: datetime) -> None:
    NoticeAttempt.objects.create(
        matter=notice.matter, channel=channel.name, number=number, step=step, detail=detail, at=at
    )
