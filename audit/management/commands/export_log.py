"""`manage.py export_log DIR`: the log in a folder that anybody can check and another installation can import."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from psycopg import Error as PsycopgError

from audit import transfer


class Command(BaseCommand):
    help = "Write the log, as far as it is signed, into a new folder. See docs/export-import.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="new, empty, or of an interrupted export")
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--sections", choices=("all", "none"), default="all", help="content of the entries (default: all of it)"
        )
        which.add_argument(
            "--section-of", type=int, nargs="+", metavar="INDEX", help="content of these entries and of no others"
        )
        parser.add_argument(
            "--without-event-keys",
            action="store_true",
            help="leave out what makes repeats known after an import: for a folder that is given to others",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = options["section_of"]
        try:
            done = transfer.export_log(
                folder=options["folder"],
                sections=frozenset(chosen) if chosen else options["sections"] == "all",
                event_keys=not options["without_event_keys"],
                tell=lambda what, done, size: self.stderr.write(f"{what}: {done} of {size}"),
            )
        except transfer.ExportRefused as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['folder']} cannot be written: {error}.") from error
        except (Error, PsycopgError) as error:
            raise CommandError(f"The database does not answer: {str(error).strip()}") from error
        self.stdout.write(
            f"{done.size} entries, {done.sections} sections, {done.erased} erasures, {done.checkpoints} checkpoints and"
            f" {done.event_keys} event keys are in {options['folder']}."
        )
        if done.unsigned:
            self.stderr.write(
                f"{done.unsigned} newer entries wait for a signature and are not in it. To move a log, stop all that"
                " writes, let the signer finish, then export."
            )
