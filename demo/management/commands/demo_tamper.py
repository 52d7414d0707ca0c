"""`./quickstart tamper`: change stored evidence as a database superuser, and say what to watch."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from demo.tamper import TamperRefused, What, tamper


class Command(BaseCommand):
    help = "Change a stored approval as a database superuser: its content, its leaf, or the registry's row."

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--section", action="store_const", dest="what", const="section", help="its content (default)"
        )
        choice.add_argument("--leaf", action="store_const", dest="what", const="leaf", help="the leaf that is hashed")
        choice.add_argument("--row", action="store_const", dest="what", const="row", help="the row of the registry")

    def handle(self, *args: Any, **options: Any) -> None:
        what: What = options["what"] or "section"
        try:
            done = tamper(what)
        except TamperRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.detail}\n"
            f"Watch the home page: within seconds it is red and names entry {done.entry_index}; the signer is frozen.\n"
            "./quickstart reset starts clean with a new log."
        )
