"""`manage.py import_cards`: register the cards of a node from what nvidia-smi printed."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance import operations


class Command(BaseCommand):
    help = (
        "Register the cards and MIG slices of a node from a file with the output of `nvidia-smi -q -x`, or of"
        " `nvidia-smi --query-gpu=name,uuid,serial,index,driver_version,vbios_version --format=csv`. What stands"
        " already is left as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="login", required=True, help="Log-in that registers them.")
        parser.add_argument("--node", required=True, help="Name of the registered node.")
        parser.add_argument("--gpu-model", default="", help="What a card is whose product name is not known here.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = operations.import_cards_from_file(
                login=options["login"],
                node=options["node"],
                file=options["file"],
                gpu_model=options["gpu_model"],
                now=timezone.now(),
            )
        except operations.Refused as error:
            raise CommandError(str(error)) from error
        entries = ", ".join(map(str, made.entries))
        self.stdout.write(f"Registered; entries {entries}." if entries else "Everything stood already.")
