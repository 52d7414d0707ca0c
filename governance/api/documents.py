"""Bills of materials and model cards over REST. Reading one is reading the registry, so it is no entry."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import queries
from governance.api.base import AsItIs, Registry
from governance.api.schemas import PROBLEMS
from governance.formats.mlbom import MEDIA

BOM: Final = {(200, MEDIA): OpenApiTypes.OBJECT, **PROBLEMS}
CARD: Final = {(200, "text/markdown"): OpenApiTypes.STR, **PROBLEMS}
SAME: Final = (
    "CycloneDX 1.6, checked against its strict schema. `serialNumber` and `timestamp` come from the newest ledger entry"
    " it rests on, so the same state gives the same bytes."
)


def _answer(make: Callable[[], queries.Document], field: str) -> Response:
    try:
        found = make()
    except queries.DocumentNotFound as error:
        return problem(404, str(error), field=field)
    answer = AsItIs(found.data.decode(), found.media)
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return answer


class VersionBom(Registry):
    """Of a model version."""

    @extend_schema(
        operation_id="get_version_ml_bom",
        summary="Bill of materials of a model version",
        description=SAME,
        tags=["Documents"],
        responses=BOM,
    )
    def get(self, request: Request, version_id: UUID) -> Response:
        return _answer(lambda: queries.version_bom(version_id), "version_id")


class VersionCard(Registry):
    """Of a model version."""

    @extend_schema(
        operation_id="get_version_model_card",
        summary="Model card of a model version",
        description="README.md with the front matter of Hugging Face; registering from it reads the same claims.",
        tags=["Documents"],
        responses=CARD,
    )
    def get(self, request: Request, version_id: UUID) -> Response:
        return _answer(lambda: queries.version_card(version_id), "version_id")


class AdapterBom(Registry):
    """Of an adapter."""

    @extend_schema(
        operation_id="get_adapter_ml_bom",
        summary="Bill of materials of an adapter",
        description=f"The adapter and its base. {SAME}",
        tags=["Documents"],
        responses=BOM,
    )
    def get(self, request: Request, adapter_id: UUID) -> Response:
        return _answer(lambda: queries.adapter_bom(adapter_id), "adapter_id")


class AdapterCard(Registry):
    """Of an adapter."""

    @extend_schema(
        operation_id="get_adapter_model_card",
        summary="Model card of an adapter",
        description="README.md with the front matter of Hugging Face.",
        tags=["Documents"],
        responses=CARD,
    )
    def get(self, request: Request, adapter_id: UUID) -> Response:
        return _answer(lambda: queries.adapter_card(adapter_id), "adapter_id")


class DeploymentBom(Registry):
    """Of a revision of a deployment."""

    @extend_schema(
        operation_id="get_deployment_ml_bom",
        summary="Bill of materials of a deployment",
        description=f"Model, adapters, engine, image and cards of one revision. {SAME}",
        tags=["Documents"],
        parameters=[
            OpenApiParameter(
                "revision", OpenApiTypes.INT, description="Its number; left out, the approved one, else the newest."
            )
        ],
        responses=BOM,
    )
    def get(self, request: Request, deployment_id: UUID) -> Response:
        asked = request.query_params.get("revision", "")
        if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 9):
            return problem(400, "Must be a whole number.", field="revision")
        number = int(asked) if asked else None
        return _answer(lambda: queries.deployment_bom(deployment_id, number), "deployment_id")
