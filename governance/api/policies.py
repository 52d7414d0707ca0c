"""Approval policies over REST: read by everybody, proposed and decided by people alone."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from audit.access.authentication import HasScope
from audit.api.errors import problem
from audit.models import User
from governance import operations, queries
from governance.api.base import PeopleOnly, Registry, page, write
from governance.api.schemas import BY_LOG_IN, PAGING, PROBLEMS, ListedSchema, RegisteredSchema
from governance.api.shapes import POLICY, PolicyDecisionInput, PolicyInput


class ApprovalPolicies(Registry):
    """Versions of approval policies."""

    def get_permissions(self) -> list[BasePermission]:
        return [HasScope() if self.request.method in SAFE_METHODS else PeopleOnly()]

    @extend_schema(
        operation_id="list_approval_policies",
        summary="List approval policies",
        description="All versions in all states; adopted ones apply to new requests.",
        tags=["Approvals"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "approval_policy")

    @extend_schema(
        operation_id="propose_approval_policy",
        auth=BY_LOG_IN,
        summary="Propose an approval policy",
        description=(
            "For compliance officers and operators who have logged in. It applies to nothing before another person"
            " adopts it; open requests keep the policy that was frozen into them."
        ),
        tags=["Approvals"],
        request=PolicyInput,
        examples=POLICY,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, User)  # PeopleOnly

        def propose(fields: dict[str, Any]) -> operations.Recorded:
            content = {key: fields.pop(key) for key in ("stages", "reject_rule", "valid_days")}
            return operations.propose_policy(by=user, content=content, now=timezone.now(), **fields)

        return write(request, PolicyInput, propose)


class ApprovalPolicyDecisions(Registry):
    """Decisions on a proposed policy: by people alone, and never by the one who proposed it."""

    permission_classes = [PeopleOnly]

    @extend_schema(
        operation_id="decide_approval_policy",
        auth=BY_LOG_IN,
        summary="Decide an approval policy",
        description=(
            "For compliance officers, and never for the person who proposed it, who may withdraw it. Adopting retires"
            " the adopted older version of the same name."
        ),
        tags=["Approvals"],
        request=PolicyDecisionInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, policy_id: UUID) -> Response:
        if queries.policy_snapshot(policy_id) is None:
            return problem(404, "There is no such approval policy.", field="policy_id")
        user = request.user
        assert isinstance(user, User)  # PeopleOnly

        def decide(fields: dict[str, Any]) -> operations.Recorded:
            seen, now = fields.pop("row_version"), timezone.now()
            if fields["decision"] == "withdraw":
                return operations.withdraw_policy(policy_id=policy_id, by=user, reason=fields["reason"], now=now)
            return operations.decide_policy(policy_id=policy_id, by=user, seen=seen, now=now, **fields)

        return write(request, PolicyDecisionInput, decide)
