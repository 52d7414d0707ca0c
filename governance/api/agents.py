"""Agents, their versions and what they may call, over REST."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations
from governance.api.agentinputs import AgentInput, AgentVersionInput, EndInput, GrantInput
from governance.api.agentschemas import AGENT, AGENT_VERSION, GRANT, AgentSchema
from governance.api.base import Registry, asked_by, page, write
from governance.api.changes import ANSWERS, CHANGED, AgentChange, changed
from governance.api.schemas import PAGING, PROBLEMS, ListedSchema, RegisteredSchema
from governance.queries.agents import agent_snapshot
from governance.queries.registered import registered_name


class Agents(Registry):
    """Programs that act by a model."""

    @extend_schema(
        operation_id="list_agents",
        summary="List agents",
        description="`autonomy` is what an agent was registered with; the newest version says what counts.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "agent")

    @extend_schema(
        operation_id="register_agent",
        summary="Register an agent",
        description=("A service account registers for its owner, who answers for the agent."),
        tags=["Registry"],
        request=AgentInput,
        examples=AGENT,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_agent(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, AgentInput, act)


class OneAgent(Registry):
    """One agent."""

    @extend_schema(
        operation_id="get_agent",
        summary="Read an agent",
        description="With its newest versions, and the newest grant of each tool with whether it stands.",
        tags=["Registry"],
        responses={200: AgentSchema, **PROBLEMS},
    )
    def get(self, request: Request, agent_id: UUID) -> Response:
        found = agent_snapshot(agent_id, now=timezone.now())
        if found is None:
            return problem(404, "Nothing is registered here.", field="agent_id")
        return Response(found)

    @extend_schema(
        operation_id="change_agent",
        summary="Change an agent",
        description="409 with what stands now when it has changed since it was read.",
        tags=["Registry"],
        request=AgentChange,
        examples=[CHANGED],
        responses=ANSWERS,
    )
    def patch(self, request: Request, agent_id: UUID) -> Response:
        return changed(request, AgentChange, operations.change_agent, agent_id=agent_id)


class AgentVersions(Registry):
    """Versions of agents."""

    @extend_schema(
        operation_id="list_agent_versions",
        summary="List agent versions",
        description="`name` filters by the name of the agent.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "agent_version")


class VersionsOfAgent(Registry):
    """The next version of an agent."""

    @extend_schema(
        operation_id="register_agent_version",
        summary="Register an agent version",
        description=("It is the one that counts from now on. `digest` of the row is the SHA-256 of its `content`."),
        tags=["Registry"],
        request=AgentVersionInput,
        examples=AGENT_VERSION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, agent_id: UUID) -> Response:
        if registered_name("agent", agent_id) is None:
            return problem(404, "Nothing is registered here.", field="agent_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            release = operations.AgentRelease(**fields)
            return operations.register_agent_version(
                by=asked_by(request), agent_id=agent_id, release=release, now=timezone.now()
            )

        return write(request, AgentVersionInput, act)


class ToolGrants(Registry):
    """What agents may call."""

    @extend_schema(
        operation_id="list_tool_grants",
        summary="List tool grants",
        description="`name` filters by the name of the tool. Of one agent and tool the highest `number` counts.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "tool_grant")


class GrantsOfAgent(Registry):
    """Grants to an agent."""

    @extend_schema(
        operation_id="grant_tool",
        summary="Grant a tool",
        description=(
            "An earlier grant of the same tool no longer counts. What cannot be undone needs `requires_human`, unless"
            " the agent only suggests or acts with approval."
        ),
        tags=["Registry"],
        request=GrantInput,
        examples=GRANT,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, agent_id: UUID) -> Response:
        if registered_name("agent", agent_id) is None:
            return problem(404, "Nothing is registered here.", field="agent_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.grant_tool(by=asked_by(request), agent_id=agent_id, now=timezone.now(), **fields)

        return write(request, GrantInput, act)


class Revocations(Registry):
    """Grants that ended before their time."""

    @extend_schema(
        operation_id="list_tool_grant_revocations",
        summary="List ends of grants",
        description="`name` filters by the name of the tool.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "tool_grant_revocation")


class RevocationOfGrant(Registry):
    """The end of a grant."""

    @extend_schema(
        operation_id="revoke_tool_grant",
        summary="Revoke a grant",
        description=("From now on calls become findings. The id is that of the revocation."),
        tags=["Registry"],
        request=EndInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, grant_id: UUID) -> Response:
        if registered_name("tool_grant", grant_id) is None:
            return problem(404, "Nothing is registered here.", field="grant_id")

        def act(fields: dict[str, Any]) -> operations.Recorded:
            return operations.revoke_grant(by=asked_by(request), grant_id=grant_id, now=timezone.now(), **fields)

        return write(request, EndInput, act)
