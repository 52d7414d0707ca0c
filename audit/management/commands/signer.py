"""`manage.py signer`: sign the log until told to stop; change its keys; lead it out of a freeze or a lost state."""

import os
import pwd
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from psycopg import Error as DriverError

from audit import signer
from audit.checks import LedgerUnprotected, require_protection_at_start
from audit.management.stopsignal import wait_for_signal
from audit.tlog.note import MAX_NOTE_BYTES

ANOTHER_SIGNER: Final = 3
REFUSED: Final = 4
_SECONDS_BETWEEN_REPORTS: Final = 2.0


def _alarm_ids(text: str) -> int | range:
    """One alarm id, or two with a hyphen for all between them."""
    first, _hyphen, last = text.partition("-")
    if not (first.isascii() and first.isdigit() and (last or first).isascii() and (last or first).isdigit()):
        raise ArgumentTypeError(f"{text!r} is no alarm id, nor a range of ids like 5-12")
    found = range(int(first), int(last or first) + 1)
    if not 0 < len(found) <= 100_000:
        raise ArgumentTypeError(f"{text!r} is no range of at most 100000 alarm ids")
    return found if last else found.start


def _operator() -> str:
    """Who asks, as the system knows the user; a container's user may have no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


class Command(BaseCommand):
    help = (
        "Sign the log until SIGTERM. Every option works on a signer that is stopped, and ends. Exit codes: 3 when "
        "another signer works on this log, 4 when key or state do not belong to it, or what was asked for is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--init", action="store_true", help="make the key of a new log, print LEDGER_VKEY and end")
        what.add_argument("--rotate", action="store_true", help="let a new key begin beside the old one")
        what.add_argument("--retire", action="store_true", help="let the older of two keys end, and destroy its file")
        what.add_argument("--thaw", action="store_true", help="hash the whole log again; if all is well, unfreeze")
        what.add_argument(
            "--recover", type=Path, metavar="CHECKPOINT", help="make a lost state again from a checkpoint kept outside"
        )
        parser.add_argument("--reason", default="", help="with --thaw: why this is right; it becomes an entry")
        parser.add_argument(
            "--acknowledge",
            nargs="+",
            type=_alarm_ids,
            default=[],
            metavar="ALARM",
            help="with --thaw: ids of the alarms that were looked at, also as ranges (5-12)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._do(options)
        except (signer.StateInUse, signer.LeaseHeld) as error:
            raise CommandError(str(error), returncode=ANOTHER_SIGNER) from error
        except signer.NotAcknowledged as error:
            for alarm in error.alarms:
                where = "" if alarm.entry_index is None else f" entry {alarm.entry_index}"
                self.stderr.write(f"alarm {alarm.id} ({alarm.kind}){where}: {alarm.detail}")
            raise CommandError(str(error), returncode=REFUSED) from error
        except (
            LedgerUnprotected,
            signer.KeyRefused,
            signer.RotationRefused,
            signer.StateExposed,
            signer.StateLost,
            signer.StateUnreadable,
            signer.ThawRefused,
        ) as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        except (DatabaseError, DriverError) as error:
            raise CommandError(str(error)) from error

    def _do(self, options: dict[str, Any]) -> None:
        folder, origin, vkey = settings.SIGNER_STATE_DIR, settings.LEDGER_ORIGIN, settings.LEDGER_VKEY
        if options["init"]:
            self.stdout.write(signer.create(folder=folder, origin=origin))
        elif options["rotate"]:
            self.stdout.write(signer.rotate(folder=folder, origin=origin, vkey=vkey).to_text())
        elif options["retire"]:
            self.stdout.write(signer.retire(folder=folder, origin=origin, vkey=vkey).to_text())
        elif options["thaw"]:
            hashed = signer.thaw(
                folder=folder,
                origin=origin,
                vkey=vkey,
                reason=options["reason"],
                operator=_operator(),
                acknowledge=options["acknowledge"],
                tell=self._progress(),
            )
            self.stdout.write(f"{hashed} entries hash to what was signed. The signer may be started.")
        elif options["recover"]:
            found = signer.recover(
                folder=folder, origin=origin, vkey=vkey, note=_text(options["recover"]), tell=self._progress()
            )
            self.stdout.write(
                f"The state is made again at {found.size} entries; {found.checkpoints} stored checkpoints agree. "
                f"The kept checkpoint shows that the first {found.kept} are the old ones. "
                + ("It is still frozen: manage.py signer --thaw" if found.frozen else "The signer may be started.")
            )
        else:
            require_protection_at_start("signer")
            signer.run(folder=folder, origin=origin, vkey=vkey, wait=wait_for_signal())

    def _progress(self) -> Callable[[int, int], None]:
        told_at = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= _SECONDS_BETWEEN_REPORTS:
                told_at = time.monotonic()
                self.stderr.write(f"{done} of {total} entries hashed")

        return tell


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as a checkpoint: {error}") from error
