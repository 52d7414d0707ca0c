"""What a plain Django application would store an event in."""

from django.db import models


class PlainEvent(models.Model):
    """One row an event, no evidence."""

    event_id = models.CharField(max_length=256, unique=True)
    type = models.CharField(max_length=200)
    subject = models.CharField(max_length=256, db_index=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    data = models.JSONField()

    class Meta:
        app_label = "plain"
        db_table = "plain_event"
