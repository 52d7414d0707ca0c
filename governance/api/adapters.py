"""Adapters over REST."""

import base64
import binascii
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from governance import operations
from governance.api.base import Registry, asked_by, page, write
from governance.api.fields import Id, Strict, Text
from governance.api.schemas import ID, PAGING, PROBLEMS, REGISTERED, ListedSchema, RegisteredSchema

FILES_LIMIT: Final = 8 * 1024 * 1024
ADAPTER: Final = [
    OpenApiExample(
        "From its file",
        value={
            "name": "claims-tone",
            "version": "2026-11",
            "source": "own training run 41, read 2026-11-24",
            "base_version_id": ID,
            "config": '{"peft_type":"LORA","task_type":"CAUSAL_LM","r":16,"lora_alpha":32,"lora_dropout":0.05,'
            '"base_model_name_or_path":"meta-llama/Llama-3.1-8B","revision":null,'
            '"target_modules":["q_proj","v_proj"]}',
        },
        request_only=True,
    ),
    REGISTERED,
]


class AdapterInput(Strict):
    """A version of an adapter from its own files."""

    name = Text(max_length=200)
    version = Text(max_length=100, help_text="Commit or release; it never changes afterwards.")
    config = Text(help_text="The exact text of adapter_config.json; its SHA-256 is kept.")
    header = Text(required=False, help_text="The first bytes of adapter_model.safetensors, in base64.")
    weights_sha256 = Text(max_length=71, required=False, help_text="SHA-256 of the whole weights file.")
    base_version_id = Id(
        required=False,
        help_text="The registered version it runs on; needed where `config` names no revision that is registered.",
    )
    quantised_base = Text(max_length=40, required=False, help_text="How the base was quantised in training.")
    licence = Text(max_length=200, required=False, help_text="Left out, it is taken from the card.")
    card = Text(required=False, help_text="The exact text of README.md; what its front matter says is recorded.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `source` is an attribute of every DRF field, so it cannot be declared in the class body.
        help_text = "Where the files were read, and when."
        return {**super().get_fields(), "source": Text(max_length=500, help_text=help_text)}

    def validate_header(self, value: str) -> bytes:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise serializers.ValidationError("Must be base64.") from error


class Adapters(Registry):
    """Adapters beside their bases."""

    @extend_schema(
        operation_id="list_adapters",
        summary="List adapters",
        description=(
            "`base_match` says how far the base that an adapter's file names agrees with the registry: `matched`,"
            " `revision_differs` or `unregistered`. `base_id` is the model version it runs on."
        ),
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "adapter")

    @extend_schema(
        operation_id="register_adapter",
        summary="Register an adapter",
        description=(
            "From the exact text of `adapter_config.json` and, when there is one, the header of its safetensors file."
            " The base is named, never copied: an adapter whose file names a registered model and revision is matched"
            " with it, otherwise `base_version_id` says what it runs on."
        ),
        tags=["Registry"],
        request=AdapterInput,
        examples=ADAPTER,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def register(fields: dict[str, Any]) -> operations.Recorded:
            for field in ("config", "card"):
                if field in fields:
                    fields[field] = fields[field].encode()
            return operations.register_adapter(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, AdapterInput, register, limit=FILES_LIMIT)
