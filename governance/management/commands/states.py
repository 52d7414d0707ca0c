"""`manage.py states`: the approval states as a document, made from the table that code follows."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from governance import workflow


class Command(BaseCommand):
    help = "Print docs/states.md; with --write, write it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            (Path(settings.BASE_DIR) / "docs" / "states.md").write_text(workflow.document(), encoding="utf-8")
        else:
            self.stdout.write(workflow.document(), ending="")
