"""`manage.py add_artefacts`: register the files of a folder by the digest of their whole content."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance import operations


class Command(BaseCommand):
    help = (
        "Register every file below a folder as an artefact of a model version, with the SHA-256 of all of it. Files"
        " that stand already are skipped, so a run that was cut off can be started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="Name of the model.")
        parser.add_argument("release", help="Its version.")
        parser.add_argument("folder", type=Path)
        parser.add_argument("--as", dest="login", required=True, help="Log-in that registers them.")

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(name: str, done: int, size: int) -> None:
            self.stdout.write(f"{name}: {done} of {size} bytes.")

        try:
            done = operations.add_artefacts_from_folder(
                login=options["login"],
                model_name=options["model"],
                version=options["release"],
                folder=options["folder"],
                progress=progress,
                now=timezone.now(),
            )
        except operations.Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.added} registered, {done.skipped} stood already.")
