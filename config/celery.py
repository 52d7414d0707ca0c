"""The Celery application: `celery -A config.celery worker`."""

import os

from celery import Celery, bootsteps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class RefuseUnprotected(bootsteps.Step):
    """A worker does not start on a database that no longer refuses changes of the ledger."""

    def create(self, parent: object) -> None:
        """Once, in the worker's main process, before there is a pool.

        Raises:
            audit.checks.LedgerUnprotected: with everything that is wrong.
        """
        from audit.checks import require_protection_at_start  # needs the loaded applications

        require_protection_at_start()


app = Celery("assay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(RefuseUnprotected)
