"""Tables and constraints of the registry and of approvals. Rows change only through `governance.operations`.

Model versions, adapters, revisions, decisions, stages, grants, comparisons, findings and classifications are
insert-only, and four eyes are a constraint: in migrations 0002 to 0006, in the database itself.
"""

from governance.models.adapters import Adapter
from governance.models.agents import Agent, AgentVersion, ToolGrant, ToolGrantRevocation
from governance.models.approvals import ApprovalRequest, Decision
from governance.models.datasets import Dataset, DatasetUse, DatasetVersion
from governance.models.deployments import Deployment, Revision
from governance.models.evaluations import EvaluationRun, Metric, MetricThreshold
from governance.models.evidence import Comparison, Cursor, Finding
from governance.models.evidencing import Evidence, EvidenceRevocation
from governance.models.hardware import GpuDevice, GpuNode, MigSlice, PoolDevice
from governance.models.imports import ImportJob
from governance.models.lineage import ModelArtefact, ModelRelation, Quantisation
from governance.models.notices import (
    Notification,
    NotificationDigest,
    NotificationPreference,
    WebhookDelivery,
    WebhookEndpoint,
)
from governance.models.oversight import OversightAssignment, OversightEnd
from governance.models.policies import ApprovalPolicyVersion
from governance.models.reapproval import ReapprovalTrigger
from governance.models.registry import GpuModel, GpuPool, Model, ModelVersion
from governance.models.relied import RequestEvidence
from governance.models.search import Mention, SearchDocument
from governance.models.stages import Condition, RequestExclusion, RequestStage, SealedDecision
from governance.models.standing import Standing
from governance.models.tools import Tool, ToolVersion
from governance.models.usecases import Classification, Tier, UseCase

__all__ = [
    "Adapter",
    "Agent",
    "AgentVersion",
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
    "GpuDevice",
    "GpuModel",
    "GpuNode",
    "GpuPool",
    "ImportJob",
    "Mention",
    "Metric",
    "MetricThreshold",
    "MigSlice",
    "Model",
    "ModelArtefact",
    "ModelRelation",
    "ModelVersion",
    "Notification",
    "NotificationDigest",
    "NotificationPreference",
    "OversightAssignment",
    "OversightEnd",
    "PoolDevice",
    "Quantisation",
    "ReapprovalTrigger",
    "RequestEvidence",
    "RequestExclusion",
    "RequestStage",
    "Revision",
    "SealedDecision",
    "SearchDocument",
    "Standing",
    "Tier",
    "Tool",
    "ToolGrant",
    "ToolGrantRevocation",
    "ToolVersion",
    "UseCase",
    "WebhookDelivery",
    "WebhookEndpoint",
]
