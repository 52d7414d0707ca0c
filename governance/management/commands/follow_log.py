"""`manage.py follow_log`: read on in the log once, as the background task does."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from governance import operations


class Command(BaseCommand):
    help = "Read the next entries of the log and raise findings."

    def handle(self, *args: Any, **options: Any) -> None:
        done = operations.follow_log(now=timezone.now())
        self.stdout.write(f"{done.entries} entries read, {done.findings} findings raised.")
