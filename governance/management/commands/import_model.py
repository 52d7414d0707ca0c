"""`manage.py import_model`: register a model version or an adapter from the folder its files lie in."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance import operations, queries
from governance.operations.adapterfolder import is_adapter


class Command(BaseCommand):
    help = (
        "Register a model version from a folder with config.json and safetensors, or with a GGUF file, or an adapter"
        " from one with adapter_config.json, and the README.md beside them. Of weights only the headers are read, so no"
        " digest of a whole model is made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="Folder of the files; or give --url.")
        parser.add_argument("--url", default="", help="Address of the repository, instead of a folder.")
        parser.add_argument("--as", dest="login", required=True, help="Log-in that registers it.")
        parser.add_argument("--name", required=True, help="Name of the model or adapter.")
        parser.add_argument("--release", required=True, help="Commit or release; it never changes afterwards.")
        parser.add_argument("--source", default="", help="Of a folder: where the files were read, and when.")
        parser.add_argument("--gguf", default="", help="Name of the GGUF file, where the folder holds several.")
        parser.add_argument("--hf-id", default="", help="Hugging Face id, such as Qwen/Qwen3-8B.")
        parser.add_argument("--developer", default="")
        parser.add_argument("--licence", default="", help="Left out, it is taken from the files.")
        parser.add_argument("--base", type=UUID, help="Of an adapter: id of the model version that it runs on.")
        parser.add_argument(
            "--quantised-base", default="", help="Of an adapter: how its base was quantised in training."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["url"]) == (options["folder"] is not None):
            raise CommandError("Give either a folder or --url.")
        try:
            if options["url"]:
                return self._address(options)
            made = self._adapter(options) if is_adapter(options["folder"]) else self._model(options)
        except operations.Refused as error:
            raise CommandError(str(error)) from error
        entries = ", ".join(map(str, made.entries))
        self.stdout.write(f"Registered as {made.id}; entries {entries}.")
        return None

    def _address(self, options: dict[str, Any]) -> None:
        ask = operations.ImportAsk(
            address=options["url"],
            name=options["name"],
            version=options["release"],
            gguf=options["gguf"],
            hf_id=options["hf_id"],
            developer=options["developer"],
            licence=options["licence"],
            base_version_id=options["base"],
        )
        job = operations.request_import(by=operations.login_named(options["login"]), ask=ask, now=timezone.now())
        operations.run_import(job_id=job.id, now=timezone.now())
        found = queries.import_view(job.id)
        if found.state != "done":
            raise CommandError(found.failure or f"The import is {found.state}.")
        self.stdout.write(f"Registered as {found.result}.")

    def _model(self, options: dict[str, Any]) -> operations.Recorded:
        return operations.register_from_folder(
            login=options["login"],
            folder=options["folder"],
            gguf=options["gguf"],
            model_name=options["name"],
            version=options["release"],
            hf_id=options["hf_id"],
            developer=options["developer"],
            licence=options["licence"],
            source=options["source"],
            progress=self._progress,
            now=timezone.now(),
        )

    def _adapter(self, options: dict[str, Any]) -> operations.Recorded:
        return operations.register_adapter_from_folder(
            login=options["login"],
            folder=options["folder"],
            name=options["name"],
            version=options["release"],
            licence=options["licence"],
            base_version_id=options["base"],
            quantised_base=options["quantised_base"],
            source=options["source"],
            progress=self._progress,
            now=timezone.now(),
        )

    def _progress(self, name: str, read: int, size: int) -> None:
        self.stdout.write(f"{name}: reading {read} of {size} bytes.")
