"""The one model that every peer audits, with the fields of an event."""

import os
from importlib import import_module

from django.db import models


class Record(models.Model):
    """What is kept of an event."""

    event_id = models.CharField(max_length=256, unique=True)
    type = models.CharField(max_length=200)
    subject = models.CharField(max_length=256, db_index=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    data = models.JSONField()

    class Meta:
        app_label = "peers"


def _audit(peer: str) -> None:
    """Have the peer keep a trail of the model. The packages are in the peers' own environment only."""
    if peer == "django-auditlog":
        import_module("auditlog.registry").auditlog.register(Record)
    elif peer == "django-simple-history":
        import_module("simple_history").register(Record)
    elif peer == "django-pghistory":
        import_module("pghistory").track()(Record)


_audit(os.environ["PEER"])
