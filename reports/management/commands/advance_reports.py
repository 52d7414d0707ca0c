"""`manage.py advance_reports`: go on with unfinished reports without a worker."""

from datetime import UTC, datetime

from django.core.management.base import BaseCommand

from reports import operations


class Command(BaseCommand):
    help = "Render what is queued and attach the receipts that can be had, in this process."

    def handle(self, *args: object, **options: object) -> None:
        done = operations.advance(now=datetime.now(UTC))
        self.stdout.write(f"rendered {done.rendered}, settled {done.settled}, waiting for a checkpoint {done.waiting}")
