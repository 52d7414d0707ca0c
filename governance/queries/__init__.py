"""Every read of the registry and of approvals. Results are frozen dataclasses, never rows that query again."""

from governance.queries.adapters import AdapterNotFound, AdapterPage, adapter_page
from governance.queries.approvals import Approval, approval
from governance.queries.deployments import DeploymentNotFound, DeploymentPage, deployment_page
from governance.queries.desk import HomeCounts, Queue, QueueLine, home, next_waiting, queue, waiting_count
from governance.queries.documentparts import DocumentNotFound
from governance.queries.documents import (
    Document,
    adapter_bom,
    adapter_card,
    deployment_bom,
    version_bom,
    version_card,
)
from governance.queries.imports import (
    ImportNotFound,
    ImportView,
    import_history,
    import_view,
    imports,
    why_not_import,
)
from governance.queries.lists import Listed, listed, request_snapshot, requests_of_state
from governance.queries.reconciling import Mismatch, reconcile
from governance.queries.related import Newest, newest_entries, related_subjects
from governance.queries.review import RequestNotFound, ReviewPage, review_page
from governance.queries.rights import viewer, why_not_register, why_not_request
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
    "ClassifyPage",
    "DeploymentNotFound",
    "DeploymentPage",
    "Document",
    "DocumentNotFound",
    "HomeCounts",
    "ImportNotFound",
    "ImportView",
    "Listed",
    "Mismatch",
    "Newest",
    "Queue",
    "QueueLine",
    "RequestNotFound",
    "ReviewPage",
    "UseCaseNotFound",
    "UseCasePage",
    "adapter_bom",
    "adapter_card",
    "adapter_page",
    "approval",
    "classify_page",
    "deployment_bom",
    "deployment_page",
    "home",
    "import_history",
    "import_view",
    "imports",
    "listed",
    "newest_entries",
    "next_waiting",
    "queue",
    "reconcile",
    "related_subjects",
    "request_snapshot",
    "requests_of_state",
    "review_page",
    "use_case_page",
    "use_case_snapshot",
    "version_bom",
    "version_card",
    "viewer",
    "waiting_count",
    "why_not_import",
    "why_not_register",
    "why_not_request",
]
