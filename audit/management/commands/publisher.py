"""`manage.py publisher`: publish the log as static files until told to stop."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from audit import publishing
from audit.management.stopsignal import wait_for_signal
from audit.tlog.keys import KeyTextError, VerifierKey

ANOTHER_PUBLISHER: Final = 3


def _store() -> publishing.Store:
    place = settings.PUBLISH_TO
    if place is None:
        raise CommandError("Publishing is off: set PUBLISH_TO to a folder or to s3://bucket/prefix.")
    try:
        if isinstance(place, Path):
            return publishing.FolderStore(place)
        return publishing.S3Store(place.bucket, place.prefix, endpoint_url=settings.S3_ENDPOINT_URL)
    except publishing.StoreError as error:
        raise CommandError(str(error)) from error


class Command(BaseCommand):
    help = (
        "Publish tiles, entry bundles, keys and checkpoint to PUBLISH_TO until SIGTERM. Exit code 3: another publisher "
        "works for this place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anew", action="store_true", help="first compare every published file with the log, and write lost ones"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            vkey = VerifierKey.parse(settings.LEDGER_VKEY)
        except KeyTextError as error:
            raise CommandError(f"LEDGER_VKEY is no verifier key: {error}") from error
        store = _store()
        status = settings.DATA_DIR / publishing.FILE
        wait = wait_for_signal()
        try:
            publishing.run(store, vkey, period=settings.PUBLISH_PERIOD, status=status, wait=wait, anew=options["anew"])
        except publishing.PublisherRuns as error:
            raise CommandError(str(error), returncode=ANOTHER_PUBLISHER) from error
        except (DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
