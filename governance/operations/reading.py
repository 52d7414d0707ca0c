"""What a person does with their own notifications: read them, and choose how to be told."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from audit.models import User
from governance.models import Notification, NotificationPreference
from governance.operations.base import Refused, choice

GROUPS: Final = ("waiting", "outcome", "deadline", "platform")
LANGUAGES: Final = ("en", "ja")


def mark_read(*, by: User, notification_id: UUID | None = None, now: datetime) -> int:
    """Mark one of a person's own notifications as read, or all of them; how many were unread.

    Raises:
        Refused: the person has no such notification.
    """
    with transaction.atomic(durable=True):
        rows = Notification.objects.filter(person_id=by.person_id)
        if notification_id is not None:
            rows = rows.filter(pk=notification_id)
            if not rows.exists():
                raise Refused("notification", "does not exist.")
        return rows.filter(read_at__isnull=True).update(read_at=now)


def prefer(*, by: User, language: str, waiting: str, outcome: str, deadline: str, platform: str, digest: bool) -> None:
    """Choose in which language and by which mails a person is told; in the app everything is.

    Raises:
        Refused: a choice that there is not.
    """
    ways = NotificationPreference.Way.values
    chosen = {"waiting": waiting, "outcome": outcome, "deadline": deadline, "platform": platform}
    fields: dict[str, object] = {group: choice(group, chosen[group], ways) for group in GROUPS}
    fields["language"] = choice("language", language, LANGUAGES)
    with transaction.atomic(durable=True):
        NotificationPreference.objects.update_or_create(person_id=by.person_id, defaults={**fields, "digest": digest})
