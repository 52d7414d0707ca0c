"""`manage.py import_model`: register a model version from the folder its files lie in."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance import operations


class Command(BaseCommand):
    help = (
        "Register a model version from a folder with config.json and safetensors, or with a GGUF file, and the"
        " README.md beside them. Of weights only the headers are read, so no digest of a whole model is made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--as", dest="login", required=True, help="Log-in that registers it.")
        parser.add_argument("--name", required=True, help="Name of the model.")
        parser.add_argument("--release", required=True, help="Commit or release; it never changes afterwards.")
        parser.add_argument("--source", required=True, help="Where the files were read, and when.")
        parser.add_argument("--gguf", default="", help="Name of the GGUF file, where the folder holds several.")
        parser.add_argument("--hf-id", default="", help="Hugging Face id, such as Qwen/Qwen3-8B.")
        parser.add_argument("--developer", default="")
        parser.add_argument("--licence", default="", help="Left out, it is taken from the files.")

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(name: str, read: int, size: int) -> None:
            self.stdout.write(f"{name}: reading {read} of {size} bytes.")

        try:
            made = operations.register_from_folder(
                login=options["login"],
                folder=options["folder"],
                gguf=options["gguf"],
                model_name=options["name"],
                version=options["release"],
                hf_id=options["hf_id"],
                developer=options["developer"],
                licence=options["licence"],
                source=options["source"],
                progress=progress,
                now=timezone.now(),
            )
        except operations.Refused as error:
            raise CommandError(str(error)) from error
        entries = ", ".join(map(str, made.entries))
        self.stdout.write(f"Registered as {made.id}; entries {entries}.")
