"""Tables and constraints of the registry and of approvals. Rows change only through `governance.operations`.

Model versions, adapters, revisions, decisions, grants, comparisons, findings and classifications are insert-only, and
four eyes are a constraint: in migrations 0002 to 0005, in the database itself.
"""

from governance.models.adapters import Adapter
from governance.models.agents import Agent, ToolGrant
from governance.models.approvals import ApprovalRequest, Decision
from governance.models.deployments import Deployment, Revision
from governance.models.evidence import Comparison, Cursor, Finding
from governance.models.registry import GpuModel, GpuPool, Model, ModelVersion
from governance.models.search import Mention, SearchDocument
from governance.models.usecases import Classification, Tier, UseCase

__all__ = [
    "Adapter",
    "Agent",
    "ApprovalRequest",
    "Classification",
    "Comparison",
    "Cursor",
    "Decision",
    "Deployment",
    "Finding",
    "GpuModel",
    "GpuPool",
    "Mention",
    "Model",
    "ModelVersion",
    "Revision",
    "SearchDocument",
    "Tier",
    "ToolGrant",
    "UseCase",
]
