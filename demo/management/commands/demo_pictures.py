"""`manage.py demo_pictures`: take the README's pictures from the running demo."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.pictures import PictureFailed, take


class Command(BaseCommand):
    help = "Take the README's pictures from a running demo (with Playwright, a development requirement)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="address of the demo (default: %(default)s)")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "docs" / "pictures")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for path in take(base=options["url"].rstrip("/"), folder=options["folder"]):
                self.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes")
        except PictureFailed as error:
            raise CommandError(str(error)) from error
