"""Use cases, their classification and the tree it follows, over REST."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.errors import problem
from governance import operations, queries
from governance.api.base import Registry, asked_by, page, write
from governance.api.changes import ANSWERS, CHANGED, UseCaseChange, changed
from governance.api.inputs import ClassificationInput, UseCaseInput
from governance.api.schemas import (
    CLASSIFICATION,
    PAGING,
    PROBLEMS,
    USE_CASE,
    ListedSchema,
    RegisteredSchema,
    TreeSchema,
    UseCaseSchema,
)
from governance.classification import Answer, newest


class UseCases(Registry):
    """What AI is used for."""

    @extend_schema(
        operation_id="list_use_cases",
        summary="List use cases",
        description="`tier` is that of the newest classification; `unclassified` means that there is no answer yet.",
        tags=["Registry"],
        parameters=PAGING,
        responses={200: ListedSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return page(request, "use_case")

    @extend_schema(
        operation_id="register_use_case",
        summary="Register a use case",
        description="It is unclassified until a classification is recorded. A service account registers for its owner.",
        tags=["Registry"],
        request=UseCaseInput,
        examples=USE_CASE,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        def register(fields: dict[str, Any]) -> operations.Recorded:
            return operations.register_use_case(by=asked_by(request), now=timezone.now(), **fields)

        return write(request, UseCaseInput, register)


class OneUseCase(Registry):
    """One use case."""

    @extend_schema(
        operation_id="get_use_case",
        summary="Read a use case",
        description="With its newest classifications: the path of answers, the version and digest of the tree.",
        tags=["Registry"],
        responses={200: UseCaseSchema, **PROBLEMS},
    )
    def get(self, request: Request, use_case_id: UUID) -> Response:
        found = queries.use_case_snapshot(use_case_id)
        if found is None:
            return problem(404, "There is no such use case.", field="use_case_id")
        return Response(found)

    @extend_schema(
        operation_id="change_use_case",
        summary="Change a use case",
        description="Never its classification, which is recorded anew. 409 with what stands now when it has changed.",
        tags=["Registry"],
        request=UseCaseChange,
        examples=[CHANGED],
        responses=ANSWERS,
    )
    def patch(self, request: Request, use_case_id: UUID) -> Response:
        return changed(request, UseCaseChange, operations.change_use_case, use_case_id=use_case_id)


class Classifications(Registry):
    """Classifications of a use case."""

    @extend_schema(
        operation_id="classify_use_case",
        summary="Classify a use case",
        description=(
            "Every question that the tree asks, each with its answer and the reason; an answer off the path is"
            " refused, and so is a walk that does not end. `row_version` must be the use case's: 409 when it has"
            " changed since. A working aid, not legal advice."
        ),
        tags=["Registry"],
        request=ClassificationInput,
        examples=CLASSIFICATION,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def post(self, request: Request, use_case_id: UUID) -> Response:
        if queries.use_case_snapshot(use_case_id) is None:
            return problem(404, "There is no such use case.", field="use_case_id")

        def classify(fields: dict[str, Any]) -> operations.Recorded:
            return operations.classify_use_case(
                by=asked_by(request),
                use_case_id=use_case_id,
                tree_version=fields["tree_version"],
                answers=[Answer(**answer) for answer in fields["answers"]],
                seen=fields["row_version"],
                now=timezone.now(),
            )

        return write(request, ClassificationInput, classify)


class ClassificationTree(Registry):
    """The decision tree that new classifications follow."""

    @extend_schema(
        operation_id="get_classification_tree",
        summary="Read the decision tree",
        description="Questions, computed rules and results of the newest version. Every question takes `unsure` too.",
        tags=["Registry"],
        responses={200: TreeSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return Response(newest().facts())
