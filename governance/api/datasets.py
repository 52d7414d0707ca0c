"""Data sets, their versions and their uses over REST."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations, queries
from governance.api.base import Registry, asked_by, page, write
from governance.api.data_inputs import DatasetChangeInput, DatasetInput, DatasetUseInput, DatasetVersionInput
from governance.api.data_schemas import DATASET, DATASET_USE, DATASET_VERSION, DatasetSchema
from governance.api.schemas import PAGING, PROBLEMS, ListedSchema, RegisteredSchema


class Datasets(Registry):
    """Data by name."""

    @extend_schema(
        operation_id="list_datasets",
        summary="List data sets",
        description="Data by name; what was used is always one of their versions.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "dataset")

    @extend_schema(
        operation_id="register_dataset",
        summary="Register a data set",
        description="A service account registers for its owner. The data are neither read nor kept.",
        tags=["Registry"],
        request=DatasetInput,
        examples=DATASET,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def register(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_dataset(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, DatasetInput, register)


class OneDataset(Registry):
    """One data set."""

    @extend_schema(
        operation_id="get_dataset",
        summary="Read a data set",
        description="With its newest versions and what they were used for.",
        tags=["Registry"],
        responses={200: DatasetSchema, **PROBLEMS},
    )
    def get(self, request: Request, dataset_id: UUID) -> Response:
        found = queries.dataset_snapshot(dataset_id)
        if found is None:
            return problem(404, "There is no such data set.", field="dataset_id")
        return Response(found)

    @extend_schema(
        operation_id="change_dataset",
        summary="Change a data set",
        description="Its type and its intended use; versions never change. 409 when it has changed since it was read.",
        tags=["Registry"],
        request=DatasetChangeInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def patch(self, request: Request, dataset_id: UUID) -> Response:
        if queries.dataset_snapshot(dataset_id) is None:
            return problem(404, "There is no such data set.", field="dataset_id")

        def change(fields: dict[str, Any]) -> operations.Recorded:
            seen = fields.pop("row_version")
            return operations.change_dataset(
                by=asked_by(request), dataset_id=dataset_id, seen=seen, now=timezone.now(), **fields
            )

        return write(request, DatasetChangeInput, change)


class DatasetVersions(Registry):
    """Versions of a data set."""

    @extend_schema(
        operation_id="register_dataset_version",
        summary="Register a version of a data set",
        description="Its fields are those of a Dataset of SPDX 3. It never changes afterwards.",
        tags=["Registry"],
        request=DatasetVersionInput,
        examples=DATASET_VERSION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, dataset_id: UUID) -> Response:
        if queries.dataset_snapshot(dataset_id) is None:
            return problem(404, "There is no such data set.", field="dataset_id")

        def register(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_dataset_version(
                by=asked_by(request), dataset_id=dataset_id, now=timezone.now(), **fields
            )

        return write(request, DatasetVersionInput, register)


class DatasetUses(Registry):
    """What was made or tried with data sets."""

    @extend_schema(
        operation_id="list_dataset_uses",
        summary="List uses of data sets",
        description="`name` filters by the name of the data set.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "dataset_use")

    @extend_schema(
        operation_id="record_dataset_use",
        summary="Record a use of a data set",
        description="A model version or an adapter, and what the data were for.",
        tags=["Registry"],
        request=DatasetUseInput,
        examples=DATASET_USE,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def record(fields: dict[str, Any]) -> operations.Recorded:
            return operations.record_dataset_use(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, DatasetUseInput, record)
