"""`manage.py states`: approval states and standings as documents, made from the tables that code follows."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from governance import lifecycle, workflow


class Command(BaseCommand):
    help = "Print docs/states.md and docs/lifecycle.md; with --write, write them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        for name, made in (("states.md", workflow.document()), ("lifecycle.md", lifecycle.document())):
            if options["write"]:
                (Path(settings.BASE_DIR) / "docs" / name).write_text(made, encoding="utf-8")
            else:
                self.stdout.write(made, ending="")
