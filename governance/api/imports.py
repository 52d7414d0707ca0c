"""Imports from addresses over REST: ask, look, cancel."""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations, queries, tasks
from governance.api.base import Registry, asked_by, refused, write
from governance.api.fields import Id, Strict, Text
from governance.api.schemas import ID, PROBLEMS, REGISTERED, RegisteredSchema

ASK: Final = [
    OpenApiExample(
        "From the Hub",
        value={"address": "https://huggingface.co/Qwen/Qwen3-8B", "name": "Qwen3 8B", "version": "main"},
        request_only=True,
    ),
    REGISTERED,
]


class ImportInput(Strict):
    """A repository of a model or of an adapter, and as what it shall be registered."""

    address = Text(max_length=400, help_text="Of the repository; must begin with a prefix that an operator allowed.")
    name = Text(max_length=200, help_text="Of the model or adapter.")
    version = Text(max_length=100, help_text="Commit or release; it never changes afterwards.")
    gguf = Text(max_length=200, required=False, help_text="Name of a GGUF file to read instead of config.json.")
    hf_id = Text(max_length=200, required=False)
    developer = Text(max_length=200, required=False)
    licence = Text(max_length=200, required=False, help_text="Left out, it is taken from the files.")
    base_version_id = Id(required=False, help_text="Of an adapter: the registered version that it runs on.")


class ImportSchema(serializers.Serializer[dict[str, object]]):
    """How far an import is."""

    id = serializers.UUIDField()
    address = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    gguf = serializers.CharField()
    state = serializers.CharField(help_text="queued, running, done, failed or cancelled.")
    progress = serializers.CharField(help_text="The file that is being fetched, or was last.")
    failure = serializers.CharField(help_text="Why it failed; empty unless it did.")
    result = serializers.CharField(help_text="`model_version:<uuid>` or `adapter:<uuid>` once it is done.")
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportListSchema(serializers.Serializer[dict[str, object]]):
    """The newest imports."""

    imports = ImportSchema(many=True)


class Imports(Registry):
    """Imports from addresses."""

    @extend_schema(
        operation_id="list_imports",
        summary="List imports",
        description="The 50 newest.",
        tags=["Registry"],
        responses={200: ImportListSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return Response({"imports": [_shown(found) for found in queries.imports()]})

    @extend_schema(
        operation_id="request_import",
        summary="Import from an address",
        description=(
            "A worker fetches config.json, the safetensors index or header, or the header of a GGUF file, or"
            " adapter_config.json, and README.md; of weights only the header. Read the import until it has ended."
        ),
        tags=["Registry"],
        request=ImportInput,
        examples=ASK,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def ask(fields: dict[str, Any]) -> operations.Recorded:
            made = operations.request_import(
                by=asked_by(request), ask=operations.ImportAsk(**fields), now=timezone.now()
            )
            tasks.start_import(made.id)
            return made

        return write(request, ImportInput, ask)


class OneImport(Registry):
    """One import."""

    @extend_schema(
        operation_id="get_import",
        summary="Read how far an import is",
        description="`result` names what was registered.",
        tags=["Registry"],
        examples=[
            OpenApiExample(
                "Done", value={"id": ID, "state": "done", "result": f"model_version:{ID}"}, response_only=True
            )
        ],
        responses={200: ImportSchema, **PROBLEMS},
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        try:
            return Response(_shown(queries.import_view(import_id)))
        except queries.ImportNotFound as error:
            return problem(404, str(error), field="import_id")


class CancelImport(Registry):
    """Stopping an import."""

    @extend_schema(
        operation_id="cancel_import",
        summary="Cancel an import",
        description="One that has ended cannot be cancelled.",
        tags=["Registry"],
        request=None,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        try:
            queries.import_view(import_id)
            made = operations.cancel_import(job_id=import_id, by=asked_by(request), now=timezone.now())
        except queries.ImportNotFound as error:
            return problem(404, str(error), field="import_id")
        except operations.Refused as error:
            return refused(error)
        return Response({"id": str(made.id), "entries": list(made.entries)}, status=201)


def _shown(found: queries.ImportView) -> dict[str, object]:
    return {key: value for key, value in asdict(found).items() if key not in {"mark", "word"}}
