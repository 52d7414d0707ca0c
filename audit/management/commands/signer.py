"""`manage.py signer`: sign the log until told to stop."""

import signal
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from audit import signer

_STOPPING: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
ANOTHER_SIGNER: Final = 3
REFUSED: Final = 4


def _wait_for_signal() -> Callable[[float], bool]:
    """A pause that a stop signal ends. The signals are held back, so none can cut through a signature."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    return lambda seconds: signal.sigtimedwait(_STOPPING, seconds) is not None


class Command(BaseCommand):
    help = (
        "Sign the log until SIGTERM. Exit codes: 3 when another signer works on this log, 4 when key or "
        "state do not belong to it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--init", action="store_true", help="make the key of a new log, print LEDGER_VKEY and end")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, origin = settings.SIGNER_STATE_DIR, settings.LEDGER_ORIGIN
        try:
            if options["init"]:
                self.stdout.write(signer.create(folder=folder, origin=origin))
            else:
                signer.run(folder=folder, origin=origin, vkey=settings.LEDGER_VKEY, wait=_wait_for_signal())
        except (signer.StateInUse, signer.LeaseHeld) as error:
            raise CommandError(str(error), returncode=ANOTHER_SIGNER) from error
        except (signer.KeyRefused, signer.StateLost, signer.StateUnreadable) as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        except DatabaseError as error:
            raise CommandError(str(error)) from error
