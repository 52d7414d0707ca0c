"""Every read of the registry and of approvals. Results are frozen dataclasses, never rows that query again."""

from governance.queries.adapters import AdapterNotFound, AdapterPage, adapter_page
from governance.queries.approvals import Approval, ConditionLine, approval, conditions_of
from governance.queries.datasets import DatasetNotFound, DatasetPage, dataset_page, dataset_snapshot
from governance.queries.deployments import DeploymentNotFound, DeploymentPage, deployment_page
from governance.queries.desk import HomeCounts, Queue, QueueLine, home, next_waiting, queue, waiting_count
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
from governance.queries.lists import Listed, listed, request_snapshot
from governance.queries.notified import (
    notification_path,
    notifications,
    preference_of,
    unread_count,
)
from governance.queries.policies import policy_snapshot
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
from governance.queries.webhooks import (
    WebhookLine,
    WebhookNotFound,
    dead_letters,
    deliveries,
    webhook,
    webhooks,
    why_not_run_webhooks,
)

__all__ = [
    "AdapterNotFound",
    "AdapterPage",
    "Approval",
    "ClassifyPage",
    "ConditionLine",
    "DatasetNotFound",
    "DatasetPage",
    "DeploymentNotFound",
    "DeploymentPage",
    "EvaluationNotFound",
    "EvaluationPage",
    "EvidenceNotFound",
    "EvidencePage",
    "EvidenceUse",
    "Gap",
    "HomeCounts",
    "Listed",
    "Mismatch",
    "ModelEvaluations",
    "Newest",
    "Queue",
    "QueueLine",
    "RequestNotFound",
    "ReviewPage",
    "Standing",
    "UseCaseNotFound",
    "UseCasePage",
    "WebhookLine",
    "WebhookNotFound",
    "adapter_page",
    "approval",
    "classify_page",
    "conditions_of",
    "dataset_page",
    "dataset_snapshot",
    "dead_letters",
    "deliveries",
    "deployment_page",
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
    "listed",
    "model_evaluations",
    "newest_entries",
    "next_waiting",
    "notification_path",
    "notifications",
    "policy_snapshot",
    "preference_of",
    "queue",
    "reconcile",
    "related_subjects",
    "request_snapshot",
    "review_page",
    "unread_count",
    "use_case_page",
    "use_case_snapshot",
    "viewer",
    "waiting_count",
    "webhook",
    "webhooks",
    "why_not_register",
    "why_not_request",
    "why_not_run_webhooks",
]
