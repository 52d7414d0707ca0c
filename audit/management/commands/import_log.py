"""`manage.py import_log DIR`: an exported log into an empty database, or the end of a log into a restored copy."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from psycopg import Error as PsycopgError

from audit import transfer


class Command(BaseCommand):
    help = (
        "Rebuild the log from a folder, as the owner (DATABASE_OWNER_URL), in one transaction: it leads to the signed"
        " root or nothing stays. Stop web, worker and signer first. See docs/export-import.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="an export, a published log or a mirror")
        parser.add_argument(
            "--continue",
            action="store_true",
            dest="complete",
            help="the database holds an older copy of this log (a restored backup): add what it lacks",
        )
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that verify the folder (1)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["jobs"] <= 64:
            raise CommandError("--jobs is a number from 1 to 64.")
        try:
            done = transfer.import_log(
                folder=options["folder"],
                complete=options["complete"],
                now=datetime.now(UTC),
                jobs=options["jobs"],
                tell=lambda what, done, size: self.stderr.write(f"{what}: {done} of {size}"),
            )
        except transfer.ImportRefused as error:
            raise CommandError(str(error)) from error
        except (Error, PsycopgError) as error:
            raise CommandError(f"The database refused, so nothing was imported: {str(error).strip()}") from error
        self._say(done)

    def _say(self, done: transfer.Loaded) -> None:
        self.stdout.write(
            f"{done.size} entries lead to the signed root; {done.size - done.before} of them are new, with"
            f" {done.sections} sections, {done.erasures} erasures, {done.checkpoints} checkpoints and"
            f" {done.event_keys or 0} event keys."
        )
        if done.absent:
            self.stderr.write(
                f"{done.absent} sections are not in the folder. An entry log.imported tells which, for ever."
            )
        if done.size > done.before and done.event_keys is None:
            self.stderr.write("No event keys came along: a client that repeats an event gets a second entry.")
        if done.size > done.before and done.event_keys == 0:
            self.stderr.write(
                "event_keys.jsonl holds no key of a new entry: a client that repeats one of them gets a second entry."
            )
        if not done.analyzed:
            self.stderr.write("The import is whole, but ANALYZE failed: run ANALYZE in the database, or it stays slow.")
        if done.changed:
            self.stderr.write(
                f"The tables are as old as the backup: {len(done.changed)} subjects were changed since and are not"
                " rebuilt. Do these changes again:"
            )
        for subject, kind, index in done.changed:
            self.stderr.write(f"  {subject}: {kind}, entry {index}")
        for index, name, entry in done.standing:
            self.stderr.write(
                f"Section {name} of entry {index}, which entry {entry} erased, is back from the backup: erase it again."
            )
