"""`manage.py rebuild_search`: make the search again from the first entry of the log on."""

from typing import Any

from django.core.management.base import BaseCommand

from governance import operations


class Command(BaseCommand):
    help = "Delete what the search knows and read the whole log again; searches find less meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        done = operations.rebuild_search()
        self.stdout.write(f"{done.entries} entries read, {done.documents} documents written.")
