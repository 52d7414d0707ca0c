"""Tables and constraints of the registry and of approvals. Rows change only through `governance.operations`.

Model versions, adapters, revisions, decisions, stages, grants, comparisons, findings and classifications are
insert-only, and four eyes are a constraint: in migrations 0002 to 0006, in the database itself.
"""

from governance.models.adapters import Adapter
from governance.models.agents import Agent, ToolGrant
from governance.models.approvals import ApprovalRequest, Decision
from governance.models.datasets import Dataset, DatasetUse, DatasetVersion
from governance.models.deployments import Deployment, Revision
from governance.models.evaluations import EvaluationRun, Metric, MetricThreshold
from governance.models.evidence import Comparison, Cursor, Finding
from governance.models.evidencing import Evidence, EvidenceRevocation
from governance.models.notices import (
    Notification,
    NotificationDigest,
    NotificationPreference,
    WebhookDelivery,
    WebhookEndpoint,
)
from governance.models.policies import ApprovalPolicyVersion
from governance.models.registry import GpuModel, GpuPool, Model, ModelVersion
from governance.models.stages import Condition, RequestExclusion, RequestStage, SealedDecision
from governance.models.usecases import Classification, Tier, UseCase

__all__ = [
    "Adapter",
    "Agent",
    "ApprovalPolicyVersion",
    "ApprovalRequest",
    "Classification",
    "Comparison",
    "Condition",
    "Cursor",
    "Dataset",
    "DatasetUse",
    "DatasetVersion",
    "Decision",
    "Deployment",
    "EvaluationRun",
    "Evidence",
    "EvidenceRevocation",
    "Finding",
    "GpuModel",
    "GpuPool",
    "Metric",
    "MetricThreshold",
    "Model",
    "ModelVersion",
    "Notification",
    "NotificationDigest",
    "NotificationPreference",
    "RequestExclusion",
    "RequestStage",
    "Revision",
    "SealedDecision",
    "Tier",
    "ToolGrant",
    "UseCase",
    "WebhookDelivery",
    "WebhookEndpoint",
]
