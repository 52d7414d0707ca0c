"""Pools and their changes over REST, for people alone."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.access import pools
from audit.access.base import Refused
from audit.api import peopleshapes as shapes
from audit.api.body import BodyRefused
from audit.api.errors import problem
from audit.api.events import AnyBody
from audit.queries import people as read


class PeopleView(APIView):
    """An address for people; bodies are read through the front door."""

    permission_classes = [shapes.People]
    parser_classes = [AnyBody]


class Pools(PeopleView):
    """Who belongs to which pool."""

    @extend_schema(
        operation_id="list_pools",
        summary="List pools and members",
        description="Persons by id. `entry` tells when a member joined; a suspended one decides nothing for now.",
        tags=["People"],
        responses={200: shapes.POOLS, **shapes.PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        found = [
            {
                "name": pool.name,
                "decides": pool.decides,
                "members": [
                    {
                        "account": row.account_id,
                        "person_id": str(row.person_id),
                        "active": row.active,
                        "suspended": row.suspended,
                        "entry": row.entry,
                        "mode": row.mode,
                    }
                    for row in pool.members
                ],
            }
            for pool in read.pools()
        ]
        return Response({"pools": found})


class PoolChanges(PeopleView):
    """Changes of pools that wait, and new proposals."""

    @extend_schema(
        operation_id="list_pool_changes",
        summary="List changes of pools that wait",
        description="Oldest first.",
        tags=["People"],
        responses={200: shapes.CHANGES, **shapes.PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        rows = read.open_changes(viewer=shapes.person_of(request))
        return Response({"changes": [_change(row) for row in rows]})

    @extend_schema(
        operation_id="propose_pool_change",
        summary="Propose a change of a pool",
        description=(
            "A pool that decides is changed by two persons. While it has fewer than two, a compliance officer adds"
            " another person at once, and the entry says so. Operators change the other pools alone."
        ),
        tags=["People"],
        request=shapes.PROPOSE,
        responses={201: shapes.CHANGED, **shapes.PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        try:
            said = shapes.read(request._request, shapes.ProposeBody)
            made = pools.propose_change(
                by=shapes.person_of(request),
                account_id=said.account,
                pool=said.pool,
                change_=said.change,
                reason=said.reason,
                now=timezone.now(),
            )
        except (Refused, BodyRefused) as error:
            return shapes.answer_to(error)
        return Response(_changed(made), status=201)


class OnePoolChange(PeopleView):
    """One change of a pool."""

    @extend_schema(
        operation_id="get_pool_change",
        summary="Read a change of a pool",
        description="With its state and whether you may decide it.",
        tags=["People"],
        responses={200: shapes.CHANGE, **shapes.PROBLEMS},
    )
    def get(self, request: Request, change_id: UUID) -> Response:
        try:
            return Response(_change(read.pool_change(change_id, viewer=shapes.person_of(request))))
        except read.NobodyThere as error:
            return problem(404, str(error), field="change_id")


class Decision(PeopleView):
    """The second person's decision."""

    @extend_schema(
        operation_id="decide_pool_change",
        summary="Decide a change of a pool",
        description=(
            "`carry_out` or `refuse` as another person than the proposer and the one it is about; `withdraw` as the"
            " proposer. 409 when the change is not as it was read."
        ),
        tags=["People"],
        request=shapes.DECIDE,
        responses={201: shapes.CHANGED, **shapes.PROBLEMS},
    )
    def post(self, request: Request, change_id: UUID) -> Response:
        by = shapes.person_of(request)
        try:
            said = shapes.read(request._request, shapes.DecideBody)
            if said.decision == "withdraw":
                made = pools.withdraw_change(
                    by=by, change_id=change_id, reason=said.reason, seen=said.row_version, now=timezone.now()
                )
            else:
                made = pools.decide_change(
                    by=by,
                    change_id=change_id,
                    decision=said.decision,
                    reason=said.reason,
                    seen=said.row_version,
                    now=timezone.now(),
                )
        except (Refused, BodyRefused) as error:
            return shapes.answer_to(error)
        return Response(_changed(made), status=201)


def _changed(made: pools.Changed) -> dict[str, object]:
    return {"id": str(made.id), "state": made.state, "entries": list(made.entries)}


def _change(row: read.ChangeRow) -> dict[str, object]:
    return {
        "id": str(row.id),
        "reference": row.reference,
        "pool": row.pool,
        "change": row.change,
        "mode": row.mode,
        "state": row.state,
        "reason": row.reason,
        "account": row.account_id,
        "person_id": str(row.person_id),
        "proposed_at": row.proposed_at,
        "decision_reason": row.decision_reason,
        "decided_at": row.decided_at,
        "row_version": row.row_version,
        "for_me": row.for_me,
    }
