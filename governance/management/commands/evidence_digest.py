"""`manage.py evidence_digest`: what the address for evidence wants to know of a file."""

import hashlib
import json
import mimetypes
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = (
        "Print SHA-256, size and media type of a file as JSON, for the body of POST /api/v1/evidence. The file is read"
        " and goes nowhere."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        found = {"sha256": digest, "size_bytes": size, "media_type": media, "address": path.name}
        self.stdout.write(json.dumps(found, indent=2))
