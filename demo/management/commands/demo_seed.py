"""`manage.py demo_seed`: fill the demo organisation; what stands already is left as it is."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from demo.seed import seed


class Command(BaseCommand):
    help = "Fill the demo organisation (DEMO only). Run again, it makes only what is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        seeded = seed(now=datetime.now(UTC))
        self.stdout.write(f"{seeded.running.name} runs, {seeded.waiting.name} waits for a reviewer.")
