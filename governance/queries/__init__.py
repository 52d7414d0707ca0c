"""Every read of the registry and of approvals. Results are frozen dataclasses, never rows that query again."""

from governance.queries.adapters import AdapterNotFound, AdapterPage, adapter_page
from governance.queries.approvals import Approval, approval
from governance.queries.deployments import DeploymentNotFound, DeploymentPage, deployment_page
from governance.queries.desk import HomeCounts, Queue, QueueLine, home, next_waiting, queue, waiting_count
from governance.queries.editing import (
    DifferenceLine,
    EditPage,
    RowNotFound,
    difference,
    edit_page,
    row_snapshot,
)
from governance.queries.lineage import ancestors, descendants
from governance.queries.lists import Listed, listed, request_snapshot
from governance.queries.modelpages import (
    ModelNotFound,
    ModelPage,
    ModelVersionPage,
    PoolPage,
    model_page,
    model_version_page,
    pool_page,
    version_name,
)
from governance.queries.reconciling import Mismatch, reconcile
from governance.queries.related import Newest, newest_entries, related_subjects
from governance.queries.review import RequestNotFound, ReviewPage, review_page
from governance.queries.rights import viewer, why_not_register, why_not_request
from governance.queries.standing import StandingView, SubjectNotFound, same_kind, standing_mark, standing_view
from governance.queries.standinggaps import StandingGap, standing_gaps
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
    "DifferenceLine",
    "EditPage",
    "HomeCounts",
    "Listed",
    "Mismatch",
    "ModelNotFound",
    "ModelPage",
    "ModelVersionPage",
    "Newest",
    "PoolPage",
    "Queue",
    "QueueLine",
    "RequestNotFound",
    "ReviewPage",
    "RowNotFound",
    "StandingGap",
    "StandingView",
    "SubjectNotFound",
    "UseCaseNotFound",
    "UseCasePage",
    "adapter_page",
    "ancestors",
    "approval",
    "classify_page",
    "deployment_page",
    "descendants",
    "difference",
    "edit_page",
    "home",
    "listed",
    "model_page",
    "model_version_page",
    "newest_entries",
    "next_waiting",
    "pool_page",
    "queue",
    "reconcile",
    "related_subjects",
    "request_snapshot",
    "review_page",
    "row_snapshot",
    "same_kind",
    "standing_gaps",
    "standing_mark",
    "standing_view",
    "use_case_page",
    "use_case_snapshot",
    "version_name",
    "viewer",
    "waiting_count",
    "why_not_register",
    "why_not_request",
]
