"""`manage.py reconcile`: do the governed tables say what the ledger says?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance import queries


class Command(BaseCommand):
    help = "Compare every governed row with its newest entry; exits 1 when they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        found = queries.reconcile()
        for mismatch in found:
            entry = "no entry" if mismatch.entry_index is None else f"entry {mismatch.entry_index}"
            self.stdout.write(f"{mismatch.subject} ({entry}): {mismatch.detail}")
        if found:
            raise CommandError(f"{len(found)} rows differ from the ledger.")
        self.stdout.write("Tables and ledger agree.")
