"""Evidence over REST, by its digest: the file stays where it lies."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations, queries
from governance.api.base import Registry, asked_by, page, write
from governance.api.data_inputs import EvidenceInput, RevocationInput
from governance.api.data_schemas import EVIDENCE, EvidenceSchema
from governance.api.schemas import PAGING, PROBLEMS, REGISTERED, ListedSchema, RegisteredSchema


class EvidenceItems(Registry):
    """Evidence about registered things."""

    @extend_schema(
        operation_id="list_evidence",
        summary="List evidence",
        description="`name` filters by the title. Where a piece stands is told by reading it.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "evidence")

    @extend_schema(
        operation_id="record_evidence",
        summary="Record evidence",
        description=(
            "By digest, size and media type: the file is neither sent nor fetched. What it is about must be"
            " registered. Newer evidence of the same kind about the same thing may supersede older."
        ),
        tags=["Registry"],
        request=EvidenceInput,
        examples=EVIDENCE,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def record(fields: dict[str, Any]) -> operations.Recorded:
            return operations.record_evidence(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, EvidenceInput, record)


class OneEvidence(Registry):
    """One piece of evidence."""

    @extend_schema(
        operation_id="get_evidence",
        summary="Read evidence",
        description="`standing` is where it stands now: valid, expires_soon, expired, superseded or revoked.",
        tags=["Registry"],
        responses={200: EvidenceSchema, **PROBLEMS},
    )
    def get(self, request: Request, evidence_id: UUID) -> Response:
        found = queries.evidence_snapshot(evidence_id, now=timezone.now())
        if found is None:
            return problem(404, "There is no such evidence.", field="evidence_id")
        return Response(found)


class EvidenceRevocations(Registry):
    """Revoking evidence."""

    @extend_schema(
        operation_id="revoke_evidence",
        summary="Revoke evidence",
        description="It must not be relied on any more. It stays, and so does what relied on it.",
        tags=["Registry"],
        request=RevocationInput,
        examples=[REGISTERED],
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, evidence_id: UUID) -> Response:
        if queries.evidence_snapshot(evidence_id, now=timezone.now()) is None:
            return problem(404, "There is no such evidence.", field="evidence_id")

        def revoke(fields: dict[str, Any]) -> operations.Recorded:
            return operations.revoke_evidence(
                by=asked_by(request), evidence_id=evidence_id, now=timezone.now(), **fields
            )

        return write(request, RevocationInput, revoke)
