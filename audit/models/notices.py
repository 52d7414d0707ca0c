"""What was told to people outside, and every attempt to tell it. Insert-only (migration 0008)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Notice(models.Model):
    """One matter that is told once: its words hold no content of the ledger.

    `alarms` names the alarms that it tells of, as audit.formats.alarms does.
    """

    matter = models.TextField(primary_key=True)
    kind = models.TextField()
    title = models.TextField()
    body = models.TextField()
    note = models.TextField()
    alarms = ArrayField(models.TextField(), default=list)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "notice"


class NoticeAttempt(models.Model):
    """A step of one attempt over one channel: `try` is written before, `sent` or `failed` after."""

    id = models.BigAutoField(primary_key=True)
    matter = models.TextField()
    channel = models.TextField()
    number = models.IntegerField()
    step = models.TextField()
    detail = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "notice_attempt"
        constraints = [
            models.UniqueConstraint(fields=["matter", "channel", "number", "step"], name="notice_attempt_once"),
            models.CheckConstraint(name="notice_attempt_step", condition=models.Q(step__in=["try", "sent", "failed"])),
        ]
