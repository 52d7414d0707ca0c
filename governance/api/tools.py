"""Tools and their versions over REST."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations
from governance.api.agentinputs import ToolChangeInput, ToolInput, ToolVersionInput
from governance.api.agentschemas import TOOL, TOOL_VERSION, ToolSchema
from governance.api.base import Registry, asked_by, page, write
from governance.api.schemas import PAGING, PROBLEMS, ListedSchema, RegisteredSchema
from governance.queries.registered import registered_name
from governance.queries.tools import tool_snapshot


class Tools(Registry):
    """What agents call."""

    @extend_schema(
        operation_id="list_tools",
        summary="List tools",
        description="Tools by the names that calls carry.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "tool")

    @extend_schema(
        operation_id="register_tool",
        summary="Register a tool",
        description=("What it does is said by its versions."),
        tags=["Registry"],
        request=ToolInput,
        examples=TOOL,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_tool(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, ToolInput, act)


class OneTool(Registry):
    """One tool."""

    @extend_schema(
        operation_id="get_tool",
        summary="Read a tool",
        description="With its newest versions.",
        tags=["Registry"],
        responses={200: ToolSchema, **PROBLEMS},
    )
    def get(self, request: Request, tool_id: UUID) -> Response:
        found = tool_snapshot(tool_id)
        if found is None:
            return problem(404, "Nothing is registered here.", field="tool_id")
        return Response(found)


class ToolChanges(Registry):
    """A change of a tool."""

    @extend_schema(
        operation_id="change_tool",
        summary="Change a tool",
        description=("All that may change is sent. `row_version` must be the tool's: 409 when it has changed since."),
        tags=["Registry"],
        request=ToolChangeInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, tool_id: UUID) -> Response:
        if registered_name("tool", tool_id) is None:
            return problem(404, "Nothing is registered here.", field="tool_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            fields["seen"] = fields.pop("row_version")
            return operations.change_tool(by=asked_by(request), tool_id=tool_id, now=timezone.now(), **fields)

        return write(request, ToolChangeInput, act)


class ToolVersions(Registry):
    """Versions of tools."""

    @extend_schema(
        operation_id="list_tool_versions",
        summary="List tool versions",
        description="`name` filters by the name of the tool.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "tool_version")


class VersionsOfTool(Registry):
    """The next version of a tool."""

    @extend_schema(
        operation_id="register_tool_version",
        summary="Register a tool version",
        description=("It is the one that counts from now on, also for grants that name no version."),
        tags=["Registry"],
        request=ToolVersionInput,
        examples=TOOL_VERSION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, tool_id: UUID) -> Response:
        if registered_name("tool", tool_id) is None:
            return problem(404, "Nothing is registered here.", field="tool_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_tool_version(by=asked_by(request), tool_id=tool_id, now=timezone.now(), **fields)

        return write(request, ToolVersionInput, act)
