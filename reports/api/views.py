"""Reports over REST: ask, list, look, download. Each handler makes one call."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.access.tokens import Credential
from audit.api.body import BodyRefused, parse_json, read_body
from audit.api.errors import problem
from audit.api.events import AnyBody
from audit.api.schemas import ProblemSchema
from audit.models import User
from reports import operations, queries, tasks
from reports.api.schemas import DownloadSchema, ReportListSchema, ReportRequestSchema, ReportSchema

_PROBLEMS = {(status, "application/json"): ProblemSchema for status in (400, 401, 403, 404, 409)}
_ID = OpenApiParameter("report_id", OpenApiTypes.UUID, OpenApiParameter.PATH)
MAX_BODY = 4096


class ReportsBase(APIView):
    """For people in the reading groups, and for tokens with `reports:read`."""

    permission_classes = [IsAuthenticated]
    parser_classes = [AnyBody]
    scope: ClassVar[str] = "reports:read"

    def by(self, request: Request) -> queries.By:
        """Who asks. Raises operations.Refused for those who may not."""
        who = request.auth if isinstance(request.auth, Credential) else request.user
        if not isinstance(who, Credential | User):
            raise operations.Refused("Reports need a log-in or a token.")
        if reason := queries.why_not_read(who):
            raise operations.Refused(reason)
        return who

    def handle_exception(self, exc: Exception) -> Response:
        """Refusals of the operations in the one shape of all refusals."""
        for kind, status in (
            (operations.Refused, 403),
            (queries.ReportNotFound, 404),
            (operations.UnknownDeployment, 404),
            (operations.NoCheckpoint, 409),
            (operations.DownloadRefused, 409),
        ):
            if isinstance(exc, kind):
                return problem(status, str(exc))
        if isinstance(exc, BodyRefused):
            return problem(exc.status, str(exc), field=exc.field)
        return super().handle_exception(exc)


class Reports(ReportsBase):
    """The list, and the door for a new one."""

    @extend_schema(
        operation_id="list_reports",
        summary="List reports",
        description="Newest first; the 50 newest of a state or deployment.",
        tags=["Reports"],
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, description="queued, rendering, rendered, ready or failed"),
            OpenApiParameter("deployment", OpenApiTypes.STR, description="deployment:<uuid>"),
        ],
        responses={200: ReportListSchema, **_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        self.by(request)
        found = queries.reports(
            state=request.query_params.get("state", "")[:20],
            deployment=request.query_params.get("deployment", "")[:100],
        )
        return Response({"reports": [_shown(row) for row in found]})

    @extend_schema(
        operation_id="request_report",
        summary="Ask for a report",
        description="The transparency report of a deployment at the newest signed checkpoint. Made in the background:"
        " read it until its state is `ready`.",
        tags=["Reports"],
        request=ReportRequestSchema,
        examples=[
            OpenApiExample("A report", value={"deployment": "0b0f6c1e-62a7-4f0c-9d0f-3f3c2f3f9a10"}, request_only=True)
        ],
        responses={202: ReportSchema, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        report_id = operations.request_report(
            deployment_id=_deployment(parse_json(read_body(request._request, limit=MAX_BODY))),
            requester=self.by(request),
            now=datetime.now(UTC),
        )
        tasks.start(report_id)
        return Response(_shown(queries.report(report_id)), status=202)


class ReportView(ReportsBase):
    """One report."""

    @extend_schema(
        operation_id="get_report",
        summary="Read one report's state",
        tags=["Reports"],
        parameters=[_ID],
        responses={200: ReportSchema, **_PROBLEMS},
    )
    def get(self, request: Request, report_id: UUID) -> Response:
        self.by(request)
        return Response(_shown(queries.report(report_id)))


class DownloadView(ReportsBase):
    """The download, which is an entry."""

    @extend_schema(
        operation_id="download_report",
        summary="Download a report",
        description="Records who downloads, then answers with an address that gives the PDF for a minute.",
        tags=["Reports"],
        parameters=[_ID],
        request=None,
        responses={201: DownloadSchema, **_PROBLEMS},
    )
    def post(self, request: Request, report_id: UUID) -> Response:
        address = operations.download(report_id=report_id, person=self.by(request), now=datetime.now(UTC))
        return Response({"url": request.build_absolute_uri(address)}, status=201)


def _deployment(content: Any) -> UUID:
    if not isinstance(content, dict) or set(content) != {"deployment"}:
        raise BodyRefused('Send one object: {"deployment": its id}.')
    named = content["deployment"]
    try:
        return UUID(str(named).removeprefix("deployment:"))
    except ValueError as error:
        raise BodyRefused("is not the id of a deployment.", field="deployment") from error


def _shown(row: queries.ReportRow) -> Mapping[str, object]:
    return {
        "id": str(row.id),
        "title": row.title,
        "deployment": row.deployment,
        "tree_size": row.tree_size,
        "language": row.language,
        "classification": row.classification,
        "requested_by": row.requested_by,
        "requested_at": row.requested_at,
        "state": row.state,
        "failure": row.failure,
        "finished_at": row.finished_at,
        "revision1_sha256": row.revision1_sha256,
        "sha256": row.sha256,
        "size": row.size,
    }
