"""`./quickstart demo --once`: the main job without a terminal, and a summary of it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.browser import PageFailed
from demo.main_job import Done, JobFailed, MainJob
from demo.seed import PIPELINE
from demo.visitor import token_file


class Command(BaseCommand):
    help = "Do the main job of the demo once over HTTP and print a summary; exit code 1 says what failed."

    def handle(self, *args: Any, **options: Any) -> None:
        job = MainJob(
            base=settings.PUBLIC_URL.rstrip("/"),
            token=token_file(PIPELINE).read_text(encoding="ascii").strip(),
            key=settings.LEDGER_VKEY,
            tell=self._tell,
        )
        try:
            job.run()
        except (JobFailed, PageFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The main job is done: every step above is an entry of the ledger.")

    def _tell(self, done: Done) -> None:
        self.stdout.write(f"ok  {done.step:<45} {done.seconds:5.1f} s  {done.what}")
