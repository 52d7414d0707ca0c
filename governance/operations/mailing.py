"""Notifications and the daily digest by mail: refs, sentences and links, in each person's language.

As with webhooks an attempt is claimed first and sent without a lock; who was told much within the hour gets the rest
in the digest. Without a mail server or an address people are told in the app alone.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Person
from audit.notices.outgoing import NotDelivered, hand_in
from governance.models import ApprovalRequest, Cursor, Notification, NotificationDigest, NotificationPreference
from governance.queries.matters import address_of, sentence
from governance.queries.notified import preferences_of, waiting_work

MOST_ATTEMPTS: Final = 8
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=2)
LEASE: Final = timedelta(minutes=5)
AT_ONCE: Final = 20
AN_HOUR: Final = timedelta(hours=1)
MOST_AN_HOUR: Final = 10
"""Mails to one person within an hour; the rest comes in the digest."""
MOST_REQUESTS: Final = 1000
MOST_LINES: Final = 100
DAYS: Final = "notification-digests"
"""The cursor that says for which day digests were made."""
_Mail = Notification.Mail


def send_mails(*, now: datetime, clock: Callable[[], datetime]) -> int:
    """Send what is due at once, then digests that are due; how many mails were taken.

    Args:
        clock: the time while sending.
    """
    if not settings.MAIL_SERVER_SET:
        return 0
    _make_digests(now)
    sent = 0
    for row in _claim(now):
        sent += _send_notification(row, clock)
    for digest in _claim_digests(now):
        sent += _send_digest(digest, clock)
    return sent


# --- At once ----------------------------------------------------------------------------------------------


def _claim(now: datetime) -> list[Notification]:
    """Attempts that are made now. One claim at a time (the cursor's lock), so that the hourly limit holds."""
    with transaction.atomic(durable=True):
        Cursor.objects.get_or_create(name=DAYS, defaults={"next_index": 0})
        Cursor.objects.select_for_update().get(name=DAYS)
        rows = list(
            Notification.objects.select_related("person")
            .filter(mail=_Mail.AT_ONCE, mail_next_at__lte=now)
            .order_by("mail_next_at", "pk")[:AT_ONCE]
        )
        told = _told_lately({row.person_id for row in rows}, now)
        claimed = []
        for row in rows:
            if not row.person.email:
                row.mail, row.mail_next_at = _Mail.NONE.value, None
            elif row.mail_attempts == 0 and told.get(row.person_id, 0) >= MOST_AN_HOUR:
                row.mail, row.mail_next_at = _Mail.DIGEST.value, None
            else:
                told[row.person_id] = told.get(row.person_id, 0) + (row.mail_attempts == 0)
                row.mail_attempts += 1
                row.mail_next_at = now + LEASE
                claimed.append(row)
        Notification.objects.bulk_update(rows, ["mail", "mail_attempts", "mail_next_at"])
    return claimed


def _told_lately(people: set[UUID], now: datetime) -> dict[UUID, int]:
    """How many mails each person got within the hour, those on their way included."""
    lately = Q(mail=_Mail.SENT, mail_attempts__gt=0, mailed_at__gt=now - AN_HOUR)
    on_its_way = Q(mail=_Mail.AT_ONCE, mail_attempts__gt=0)
    rows = Notification.objects.filter(lately | on_its_way, person_id__in=people)
    return dict(rows.values_list("person_id").annotate(n=Count("pk")))


def _send_notification(row: Notification, clock: Callable[[], datetime]) -> bool:
    (preference,) = preferences_of([row.person_id]).values()
    with translation.override(preference.language):
        words = sentence(row.kind, row.params)
        lines = [(words, address_of(row.kind, row.subject, row.params))]
        mail = _mail(row.person, words, [("", lines)], f"notification:{row.pk}", preference)
    taken = _taken(mail)
    now, mine = clock(), Notification.objects.filter(pk=row.pk, mail=_Mail.AT_ONCE, mail_attempts=row.mail_attempts)
    if taken:
        mine.update(mail=_Mail.SENT, mailed_at=now, mail_next_at=None)
    elif row.mail_attempts >= MOST_ATTEMPTS:
        mine.update(mail=_Mail.DEAD, mail_next_at=None)
    else:
        mine.update(mail_next_at=now + _pause(row.mail_attempts))
    return taken


# --- The digest -------------------------------------------------------------------------------------------


def _make_digests(now: datetime) -> None:
    """Once a day, from the set hour on, a digest for each person with an address for whom something waits."""
    if now.hour < settings.DIGEST_HOUR:
        return
    with transaction.atomic(durable=True):
        Cursor.objects.get_or_create(name=DAYS, defaults={"next_index": 0})
        cursor = Cursor.objects.select_for_update().get(name=DAYS)
        day = now.date()
        if cursor.next_index > day.toordinal():
            return
        work = waiting_work(limit=MOST_REQUESTS)
        held = set(Notification.objects.filter(mail=_Mail.DIGEST).values_list("person_id", flat=True).distinct())
        people = set(Person.objects.filter(pk__in=held | set(work)).exclude(email="").values_list("pk", flat=True))
        wants = {person for person, preference in preferences_of(people).items() if preference.digest}
        NotificationDigest.objects.bulk_create(
            [
                NotificationDigest(person_id=person, day=day, requests=work.get(person, [])[:MOST_LINES], next_at=now)
                for person in sorted(people)
                if person in held or (person in wants and work.get(person))
            ],
            ignore_conflicts=True,
        )
        Cursor.objects.filter(pk=cursor.pk).update(next_index=day.toordinal() + 1)


def _claim_digests(now: datetime) -> list[NotificationDigest]:
    with transaction.atomic(durable=True):
        rows = list(
            NotificationDigest.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("person")
            .filter(state=NotificationDigest.State.WAITING, next_at__lte=now)
            .order_by("next_at", "pk")[:AT_ONCE]
        )
        for row in rows:
            row.attempts += 1
            row.next_at = now + LEASE
        NotificationDigest.objects.bulk_update(rows, ["attempts", "next_at"])
    return rows


def _send_digest(digest: NotificationDigest, clock: Callable[[], datetime]) -> bool:
    (preference,) = preferences_of([digest.person_id]).values()
    held = list(
        Notification.objects.filter(person_id=digest.person_id, mail=_Mail.DIGEST).order_by("created_at", "pk")[
            :MOST_LINES
        ]
    )
    with translation.override(preference.language):
        mail = _mail_of_digest(digest, held, preference)
    taken = mail is None or _taken(mail)
    now, mine = clock(), NotificationDigest.objects.filter(pk=digest.pk, state=NotificationDigest.State.WAITING)
    with transaction.atomic(durable=True):
        if taken:
            mine.update(state=NotificationDigest.State.SENT, sent_at=now)
            Notification.objects.filter(pk__in=[row.pk for row in held], mail=_Mail.DIGEST).update(
                mail=_Mail.SENT, mailed_at=now
            )
        elif digest.attempts >= MOST_ATTEMPTS:
            mine.update(state=NotificationDigest.State.DEAD)
        else:
            mine.filter(attempts=digest.attempts).update(next_at=now + _pause(digest.attempts))
    return taken and mail is not None


def _mail_of_digest(
    digest: NotificationDigest, held: list[Notification], preference: NotificationPreference
) -> EmailMultiAlternatives | None:
    """The digest as it stands now: what was decided since it was made no longer waits. None when nothing is left."""
    rows = ApprovalRequest.objects.filter(pk__in=digest.requests if preference.digest else [], state="open")
    waiting = [
        (
            _("%(ref)s waits since %(day)s.") % {"ref": row.ref, "day": f"{row.submitted_at:%Y-%m-%d}"},
            address_of("request.submitted", f"request:{row.pk}", "{}"),
        )
        for row in rows.order_by("submitted_at", "number")
    ]
    others = [(sentence(row.kind, row.params), address_of(row.kind, row.subject, row.params)) for row in held]
    if not waiting and not others:
        return None
    if waiting:
        title = ngettext("One request waits for you", "%(n)s requests wait for you", len(waiting)) % {"n": len(waiting)}
    else:
        title = _("What happened since yesterday")
    parts = [(_("Waits for your decision, oldest first"), waiting), (_("What else happened"), others)]
    return _mail(digest.person, title, parts, f"digest:{digest.pk}", preference)


# --- One mail ---------------------------------------------------------------------------------------------


def _mail(
    person: Person,
    title: str,
    parts: list[tuple[str, list[tuple[str, str]]]],
    identity: str,
    preference: NotificationPreference,
) -> EmailMultiAlternatives:
    """A mail of sentences and links; the same id in every attempt, so that a second copy can be recognised."""
    choose = settings.PUBLIC_URL.rstrip("/") + reverse("admin:desk_notification_preferences")
    context = {
        "title": title,
        "parts": [part for part in parts if part[1]],
        "choose": choose,
        "origin": settings.LEDGER_ORIGIN,
        "language": preference.language,
    }
    digest = hashlib.sha256(f"{settings.LEDGER_ORIGIN} {identity}".encode()).hexdigest()[:32]
    sender = settings.NOTIFY_MAIL_FROM
    mail = EmailMultiAlternatives(
        subject=title,
        body=render_to_string("mail/notice.txt", context),
        from_email=sender,
        to=[person.email],
        headers={
            "Message-ID": f"<{digest}@{sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{choose}>",
        },
    )
    mail.attach_alternative(render_to_string("mail/notice.html", context), "text/html")
    return mail


def _taken(mail: EmailMultiAlternatives) -> bool:
    try:
        hand_in(mail)
    except NotDelivered:
        return False
    return True


def _pause(attempts: int) -> timedelta:
    return min(FIRST_PAUSE * (1 << (attempts - 1)), LONGEST_PAUSE)
