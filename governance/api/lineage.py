"""Files, lineage and quantisations of model versions over REST."""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations, queries
from governance.api.base import Registry, asked_by, page, write
from governance.api.fields import Choice, Id, Strict, Text, Whole
from governance.api.schemas import DIGEST, ID, PAGING, PROBLEMS, REGISTERED, ListedSchema, RegisteredSchema
from governance.models import ModelArtefact, ModelRelation, Quantisation
from governance.operations.artefacts import MAX_BYTES
from governance.operations.quantisations import MAX_GROUP

ARTEFACT: Final = [
    OpenApiExample(
        "Weights",
        value={
            "model_version_id": ID,
            "kind": "weights",
            "format": "safetensors",
            "name": "model-00001-of-00002.safetensors",
            "sha256": DIGEST,
            "size_bytes": 4976698672,
        },
        request_only=True,
    ),
    REGISTERED,
]
RELATION: Final = [
    OpenApiExample("A fine-tune", value={"child_id": ID, "parent_id": ID, "relation": "finetune"}, request_only=True),
    REGISTERED,
]
QUANTISATION: Final = [
    OpenApiExample(
        "AWQ",
        value={"model_version_id": ID, "scheme": "awq", "bits": "4", "group_size": 128, "tool": "AutoAWQ 0.2.9"},
        request_only=True,
    ),
    REGISTERED,
]


class ArtefactInput(Strict):
    """A file by the digest of all of it."""

    model_version_id = Id(required=False)
    adapter_id = Id(required=False, help_text="Instead of model_version_id.")
    kind = Choice(choices=ModelArtefact.Kind.values)
    name = Text(max_length=500, help_text="Its path inside the model's folder.")
    sha256 = Text(max_length=71, help_text="Of the whole file; a digest of its header alone is none.")
    size_bytes = Whole(min_value=0, max_value=MAX_BYTES, required=False)
    format = Choice(choices=ModelArtefact.Format.values, help_text="A PyTorch pickle runs code when it is loaded.")
    address = Text(max_length=500, required=False, help_text="Where it lies.")


class RelationInput(Strict):
    """What a version was made from."""

    child_id = Id(help_text="The version.")
    parent_id = Id(required=False, help_text="The registered version it was made from.")
    parent_name = Text(max_length=300, required=False, help_text="What is not registered, as it was declared.")
    parent_revision = Text(max_length=100, required=False)
    relation = Choice(choices=ModelRelation.Relation.values)


class QuantisationInput(Strict):
    """How weights were made smaller."""

    model_version_id = Id(help_text="The quantised version.")
    scheme = Choice(choices=Quantisation.Scheme.values)
    detail = Text(max_length=60, required=False, help_text="Such as Q4_K_M.")
    bits = Text(max_length=20, required=False, help_text="Bits of a weight, as a decimal.")
    group_size = Whole(min_value=1, max_value=MAX_GROUP, required=False, allow_null=True)
    calibration = Text(max_length=300, required=False, help_text="What it was calibrated with.")
    kv_cache_dtype = Text(max_length=40, required=False)
    source_version_id = Id(required=False, help_text="What it was quantised from.")
    tool = Text(max_length=200, required=False)


class FamilySchema(serializers.Serializer[dict[str, object]]):
    """The relations above and below a version, nearest first."""

    ancestors = serializers.ListField(child=serializers.DictField())
    descendants = serializers.ListField(child=serializers.DictField())


class Artefacts(Registry):
    """Files of model versions and adapters."""

    @extend_schema(
        operation_id="list_artefacts",
        summary="List artefacts",
        description="Files by the SHA-256 of their whole content. `name` filters by path.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "model_artefact")

    @extend_schema(
        operation_id="add_artefact",
        summary="Register an artefact",
        description=(
            "A file of a model version or of an adapter. What a version holds is fixed: a path that stands is refused,"
            " with the same digest or another."
        ),
        tags=["Registry"],
        request=ArtefactInput,
        examples=ARTEFACT,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def add(fields: dict[str, Any]) -> operations.Recorded:
            which = {name: fields.pop(name, None) for name in ("model_version_id", "adapter_id")}
            file = operations.File(**fields)
            return operations.add_artefact(by=asked_by(request), file=file, now=timezone.now(), **which)

        return write(request, ArtefactInput, add)


class Relations(Registry):
    """What versions were made from."""

    @extend_schema(
        operation_id="list_model_relations",
        summary="List relations of models",
        description=(
            "In the words of Hugging Face. `parent_id` is null while what is named is not registered. `name` filters"
            " by the name as it was declared."
        ),
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "model_relation")

    @extend_schema(
        operation_id="declare_relation",
        summary="Declare what a version was made from",
        description="A circle is refused.",
        tags=["Registry"],
        request=RelationInput,
        examples=RELATION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def declare(fields: dict[str, Any]) -> operations.Recorded:
            return operations.declare_relation(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, RelationInput, declare)


class Quantisations(Registry):
    """How versions were quantised."""

    @extend_schema(
        operation_id="list_quantisations",
        summary="List quantisations",
        description="`name` filters by the name of the model.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "quantisation")

    @extend_schema(
        operation_id="declare_quantisation",
        summary="Declare a quantisation",
        description="What a GGUF header or a config.json says of it is declared when the version is registered.",
        tags=["Registry"],
        request=QuantisationInput,
        examples=QUANTISATION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def declare(fields: dict[str, Any]) -> operations.Recorded:
            return operations.declare_quantisation(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, QuantisationInput, declare)


class Families(Registry):
    """The family of one version."""

    @extend_schema(
        operation_id="get_family",
        summary="Read the family of a model version",
        description="At most 200 relations on either side, within twelve steps.",
        tags=["Registry"],
        responses={200: FamilySchema, **PROBLEMS},
    )
    def get(self, request: Request, version_id: UUID) -> Response:
        if not queries.version_name(version_id):
            return problem(404, "There is no such model version.", field="version_id")
        above, below = queries.ancestors(version_id), queries.descendants(version_id)
        return Response({"ancestors": [asdict(item) for item in above], "descendants": [asdict(i) for i in below]})
