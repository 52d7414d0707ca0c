"""Every read of the registry and of approvals. Results are frozen dataclasses, never rows that query again."""

from governance.queries.adapters import AdapterNotFound, AdapterPage, adapter_page
from governance.queries.approvals import Approval, approval
from governance.queries.asof import NoSuchObject, ObjectPage, object_page, step_size
from governance.queries.asoflist import AsOfList, NoSuchKind, objects_at
from governance.queries.deployments import DeploymentNotFound, DeploymentPage, deployment_page
from governance.queries.desk import HomeCounts, Queue, QueueLine, home, next_waiting, queue, waiting_count
from governance.queries.lists import Listed, listed, request_snapshot
from governance.queries.reconciling import Mismatch, reconcile
from governance.queries.related import Newest, newest_entries, related_subjects
from governance.queries.review import RequestNotFound, ReviewPage, review_page
from governance.queries.rights import viewer, why_not_register, why_not_request
from governance.queries.search import Hit, Results, search
from governance.queries.usecases import (
    ClassifyPage,
    UseCaseNotFound,
    UseCasePage,
    classify_page,
    use_case_page,
    use_case_snapshot,
)

__all__ = [
    "AdapterNotFound",
    "AdapterPage",
    "Approval",
    "AsOfList",
    "ClassifyPage",
    "DeploymentNotFound",
    "DeploymentPage",
    "Hit",
    "HomeCounts",
    "Listed",
    "Mismatch",
    "Newest",
    "NoSuchKind",
    "NoSuchObject",
    "ObjectPage",
    "Queue",
    "QueueLine",
    "RequestNotFound",
    "Results",
    "ReviewPage",
    "UseCaseNotFound",
    "UseCasePage",
    "adapter_page",
    "approval",
    "classify_page",
    "deployment_page",
    "home",
    "listed",
    "newest_entries",
    "next_waiting",
    "object_page",
    "objects_at",
    "queue",
    "reconcile",
    "related_subjects",
    "request_snapshot",
    "review_page",
    "search",
    "step_size",
    "use_case_page",
    "use_case_snapshot",
    "viewer",
    "waiting_count",
    "why_not_register",
    "why_not_request",
]
