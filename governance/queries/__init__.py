"""Every read of the registry and of approvals. Results are frozen dataclasses, never rows that query again."""

from governance.queries.adapters import AdapterNotFound, AdapterPage, adapter_page
from governance.queries.approvals import Approval, ConditionLine, approval, conditions_of
from governance.queries.asof import NoSuchObject, ObjectPage, object_page, step_size
from governance.queries.asoflist import AsOfList, NoSuchKind, objects_at
from governance.queries.datasets import DatasetNotFound, DatasetPage, dataset_page, dataset_snapshot
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
from governance.queries.editing import (
    DifferenceLine,
    EditPage,
    RowNotFound,
    difference,
    edit_page,
    row_snapshot,
)
from governance.queries.evaluations import (
    EvaluationNotFound,
    EvaluationPage,
    ModelEvaluations,
    evaluation_page,
    evaluation_snapshot,
    model_evaluations,
)
from governance.queries.evidence import (
    EvidenceNotFound,
    EvidencePage,
    EvidenceUse,
    Standing,
    evidence_about,
    evidence_list,
    evidence_page,
    evidence_snapshot,
    evidence_standing,
    evidence_uses,
)
from governance.queries.gaps import Gap, evidence_gaps
from governance.queries.imports import (
    ImportNotFound,
    ImportView,
    import_history,
    import_view,
    imports,
    why_not_import,
)
from governance.queries.lineage import ancestors, descendants
from governance.queries.lists import Listed, listed, request_snapshot, requests_of_state
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
from governance.queries.policies import policy_snapshot
from governance.queries.reconciling import Mismatch, reconcile
from governance.queries.related import Newest, newest_entries, related_subjects
from governance.queries.review import RequestNotFound, ReviewPage, review_page
from governance.queries.rights import viewer, why_not_register, why_not_request
from governance.queries.search import Hit, Results, search
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
    "AsOfList",
    "ClassifyPage",
    "ConditionLine",
    "DatasetNotFound",
    "DatasetPage",
    "DeploymentNotFound",
    "DeploymentPage",
    "DifferenceLine",
    "Document",
    "DocumentNotFound",
    "EditPage",
    "EvaluationNotFound",
    "EvaluationPage",
    "EvidenceNotFound",
    "EvidencePage",
    "EvidenceUse",
    "Gap",
    "Hit",
    "HomeCounts",
    "ImportNotFound",
    "ImportView",
    "Listed",
    "Mismatch",
    "ModelEvaluations",
    "ModelNotFound",
    "ModelPage",
    "ModelVersionPage",
    "Newest",
    "NoSuchKind",
    "NoSuchObject",
    "ObjectPage",
    "PoolPage",
    "Queue",
    "QueueLine",
    "RequestNotFound",
    "Results",
    "ReviewPage",
    "RowNotFound",
    "Standing",
    "StandingGap",
    "StandingView",
    "SubjectNotFound",
    "UseCaseNotFound",
    "UseCasePage",
    "adapter_bom",
    "adapter_card",
    "adapter_page",
    "ancestors",
    "approval",
    "classify_page",
    "conditions_of",
    "dataset_page",
    "dataset_snapshot",
    "deployment_bom",
    "deployment_page",
    "descendants",
    "difference",
    "edit_page",
    "evaluation_page",
    "evaluation_snapshot",
    "evidence_about",
    "evidence_gaps",
    "evidence_list",
    "evidence_page",
    "evidence_snapshot",
    "evidence_standing",
    "evidence_uses",
    "home",
    "import_history",
    "import_view",
    "imports",
    "listed",
    "model_evaluations",
    "model_page",
    "model_version_page",
    "newest_entries",
    "next_waiting",
    "object_page",
    "objects_at",
    "policy_snapshot",
    "pool_page",
    "queue",
    "reconcile",
    "related_subjects",
    "request_snapshot",
    "requests_of_state",
    "review_page",
    "row_snapshot",
    "same_kind",
    "search",
    "standing_gaps",
    "standing_mark",
    "standing_view",
    "step_size",
    "use_case_page",
    "use_case_snapshot",
    "version_bom",
    "version_card",
    "version_name",
    "viewer",
    "waiting_count",
    "why_not_import",
    "why_not_register",
    "why_not_request",
]
