"""`manage.py selfcheck`: hash the log again now, and say what contradicts it."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import selfcheck


class Command(BaseCommand):
    help = "Hash the log again and compare it with checkpoints, tiles and the registry. Exit code 1 on findings."

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            result = selfcheck.run(now=datetime.now(UTC))
            self.stdout.write(
                f"{result.start + result.entries} of {result.size} entries, {result.milliseconds} ms for this part"
            )
            if result.findings or result.pass_finished:
                break
        for found in result.findings:
            self.stderr.write(f"{found.kind}: {found.detail}")
        if result.findings:
            raise CommandError(f"{len(result.findings)} findings; the signer freezes. See docs/runbook.md.")
        self.stdout.write("Everything agrees.")
