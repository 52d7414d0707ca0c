"""`manage.py verify_log`: check the whole log now, writing nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import selfcheck


class Command(BaseCommand):
    help = "Hash the whole log again and compare it, without writing anything. Exit code 1 when something is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            size, findings = selfcheck.verify()
        except selfcheck.ComparisonFailed as error:
            raise CommandError(str(error)) from error
        for found in findings:
            self.stderr.write(f"{found.kind}: {found.detail}")
        if findings:
            raise CommandError(f"{size} entries checked, {len(findings)} contradictions.")
        self.stdout.write(f"{size} entries checked. Everything agrees.")
