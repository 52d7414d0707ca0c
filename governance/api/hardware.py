"""Machines, cards, slices and the cards of pools over REST."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations
from governance.api.agentschemas import CARDS, NODE, SLICES, NodeSchema
from governance.api.base import Registry, asked_by, page, write
from governance.api.hardwareinputs import (
    CardsInput,
    DeviceInput,
    NodeChangeInput,
    NodeInput,
    PoolDeviceInput,
    SlicesInput,
)
from governance.api.schemas import PAGING, PROBLEMS, ListedSchema, RegisteredSchema
from governance.queries.nodes import node_snapshot
from governance.queries.registered import registered_name

REPORT_LIMIT = 8 * 1024 * 1024


class GpuNodes(Registry):
    """Machines with accelerators."""

    @extend_schema(
        operation_id="list_gpu_nodes",
        summary="List GPU nodes",
        description="Machines by name.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "gpu_node")

    @extend_schema(
        operation_id="register_gpu_node",
        summary="Register a GPU node",
        description=("The one who registers answers for it."),
        tags=["Registry"],
        request=NodeInput,
        examples=NODE,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_gpu_node(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, NodeInput, act)


class OneGpuNode(Registry):
    """One machine."""

    @extend_schema(
        operation_id="get_gpu_node",
        summary="Read a GPU node",
        description="With its cards, each with the pool it is in and the slices that stand.",
        tags=["Registry"],
        responses={200: NodeSchema, **PROBLEMS},
    )
    def get(self, request: Request, node_id: UUID) -> Response:
        found = node_snapshot(node_id)
        if found is None:
            return problem(404, "Nothing is registered here.", field="node_id")
        return Response(found)


class GpuNodeChanges(Registry):
    """A change of a machine."""

    @extend_schema(
        operation_id="change_gpu_node",
        summary="Change a GPU node",
        description=("All that may change is sent. `row_version` must be the node's: 409 when it has changed since."),
        tags=["Registry"],
        request=NodeChangeInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, node_id: UUID) -> Response:
        if registered_name("gpu_node", node_id) is None:
            return problem(404, "Nothing is registered here.", field="node_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            fields["seen"] = fields.pop("row_version")
            return operations.change_gpu_node(by=asked_by(request), node_id=node_id, now=timezone.now(), **fields)

        return write(request, NodeChangeInput, act)


class GpuDevices(Registry):
    """Cards."""

    @extend_schema(
        operation_id="list_gpu_devices",
        summary="List cards",
        description="`name` filters by the name of the node.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "gpu_device")


class DevicesOfNode(Registry):
    """Cards of a machine."""

    @extend_schema(
        operation_id="register_gpu_device",
        summary="Register a card",
        description=("One card by hand; `import_cards` takes what the driver says."),
        tags=["Registry"],
        request=DeviceInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, node_id: UUID) -> Response:
        if registered_name("gpu_node", node_id) is None:
            return problem(404, "Nothing is registered here.", field="node_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_gpu_device(by=asked_by(request), node_id=node_id, now=timezone.now(), **fields)

        return write(request, DeviceInput, act)


class CardsOfNode(Registry):
    """What nvidia-smi says of a machine."""

    @extend_schema(
        operation_id="import_cards",
        summary="Register cards from nvidia-smi",
        description=(
            "Registers the cards and MIG slices that do not stand yet; `entries` is empty when all of them do."
        ),
        tags=["Registry"],
        request=CardsInput,
        examples=CARDS,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, node_id: UUID) -> Response:
        if registered_name("gpu_node", node_id) is None:
            return problem(404, "Nothing is registered here.", field="node_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            fields["report"] = fields["report"].encode()
            return operations.import_cards(by=asked_by(request), node_id=node_id, now=timezone.now(), **fields)

        return write(request, CardsInput, act, limit=REPORT_LIMIT)


class MigSlices(Registry):
    """Parts of cards."""

    @extend_schema(
        operation_id="list_mig_slices",
        summary="List MIG slices",
        description="`name` filters by the name of the node. Of one card the slices of the highest `layout` stand.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "mig_slice")


class SlicesOfDevice(Registry):
    """How a card is divided."""

    @extend_schema(
        operation_id="register_mig_slices",
        summary="Register MIG slices",
        description=("All slices of the card; an earlier division no longer counts. The id is the card's."),
        tags=["Registry"],
        request=SlicesInput,
        examples=SLICES,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, device_id: UUID) -> Response:
        if registered_name("gpu_device", device_id) is None:
            return problem(404, "Nothing is registered here.", field="device_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            slices = [operations.SliceFacts(**item) for item in fields["slices"]]
            return operations.register_mig_slices(
                by=asked_by(request), device_id=device_id, slices=slices, now=timezone.now()
            )

        return write(request, SlicesInput, act)


class PoolDevices(Registry):
    """Cards that joined and left pools."""

    @extend_schema(
        operation_id="list_pool_devices",
        summary="List cards of pools",
        description="`name` filters by the name of the pool. Of one pool and card the highest `number` counts.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "pool_device")


class DevicesOfPool(Registry):
    """Cards of a pool."""

    @extend_schema(
        operation_id="record_pool_device",
        summary="Put a card into a pool, or take it out",
        description=("A card is in one pool at a time, and of the pool's GPU model."),
        tags=["Registry"],
        request=PoolDeviceInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, pool_id: UUID) -> Response:
        if registered_name("gpu_pool", pool_id) is None:
            return problem(404, "Nothing is registered here.", field="pool_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.record_pool_device(by=asked_by(request), pool_id=pool_id, now=timezone.now(), **fields)

        return write(request, PoolDeviceInput, act)
