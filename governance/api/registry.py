"""Models, versions, accelerators and pools over REST."""

import base64
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from governance import operations
from governance.api.base import Registry, asked_by, page, write
from governance.api.inputs import GpuPoolInput, ModelVersionInput
from governance.api.schemas import PAGING, POOL, PROBLEMS, VERSION, ListedSchema, RegisteredSchema

FILES_LIMIT = 24 * 1024 * 1024


class Models(Registry):
    """Models by name."""

    @extend_schema(
        operation_id="list_models",
        summary="List models",
        description="Models by name; what runs is always one of their versions.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "model")


class ModelVersions(Registry):
    """Immutable versions with their architecture facts."""

    @extend_schema(
        operation_id="list_model_versions",
        summary="List model versions",
        description="`name` filters by the name of the model.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "model_version")

    @extend_schema(
        operation_id="register_model_version",
        summary="Register a model version",
        description=(
            "From the exact text of `config.json` and, when there is one, of `model.safetensors.index.json` or the"
            " first bytes of the only `.safetensors` file; from the first bytes of a GGUF file; or by a name of the"
            " catalogue. A `README.md` may come with the files. The model itself is registered when it is new."
        ),
        tags=["Registry"],
        request=ModelVersionInput,
        examples=VERSION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def register(fields: dict[str, Any]) -> operations.Recorded:
            now = timezone.now()
            if "catalogue" in fields:
                return operations.register_from_catalogue(
                    by=asked_by(request), name=fields["catalogue"], version=fields["version"], now=now
                )
            for field in ("config", "index", "card"):
                if field in fields:
                    fields[field] = fields[field].encode()
            for field in ("gguf", "header"):
                if field in fields:
                    fields[field] = _decoded(field, fields[field])
            return operations.register_from_files(by=asked_by(request), now=now, **fields)

        return write(request, ModelVersionInput, register, limit=FILES_LIMIT)


def _decoded(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise operations.Refused(field, "is not base64.") from error


class GpuModels(Registry):
    """Accelerators as the catalogue knows them."""

    @extend_schema(
        operation_id="list_gpu_models",
        summary="List GPU models",
        description="`memory_bytes` is what software sees; `memory_basis` says how that is known.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "gpu_model")


class GpuPools(Registry):
    """Cards of one kind in one place."""

    @extend_schema(
        operation_id="list_gpu_pools",
        summary="List GPU pools",
        description="Cards of one kind in one place.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "gpu_pool")

    @extend_schema(
        operation_id="register_gpu_pool",
        summary="Register a GPU pool",
        description="The GPU model must be registered; an operator loads the catalogue.",
        tags=["Registry"],
        request=GpuPoolInput,
        examples=POOL,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def register(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_gpu_pool(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, GpuPoolInput, register)
