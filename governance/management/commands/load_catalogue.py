"""`manage.py load_catalogue`: bring the catalogue's accelerators into the registry."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from governance import operations


class Command(BaseCommand):
    help = "Register the accelerators of governance/catalogue/gpus.csv; a second run writes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        done = operations.load_catalogue(now=timezone.now())
        self.stdout.write(f"{done.created} new, {done.changed} changed, {done.unchanged} unchanged.")
