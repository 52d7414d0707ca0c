"""The Celery application of the beat process alone: a schedule and a broker, no Django and no database.

    celery -A config.clock beat

It knows tasks by name only, so it starts in a fraction of the worker's time and needs no database role.
"""

from celery import Celery

app = Celery("assay-clock", fixups=[])
app.config_from_object("config.settings", namespace="CELERY")
