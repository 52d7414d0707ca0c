"""Tables and constraints of the registry and of approvals. Rows change only through `governance.operations`.

Model versions, revisions, decisions, grants, comparisons and findings are insert-only, and four eyes are a
constraint: both in migration 0002, in the database itself.
"""

from governance.models.agents import Agent, ToolGrant
from governance.models.approvals import ApprovalRequest, Decision
from governance.models.deployments import Deployment, Revision
from governance.models.evidence import Comparison, Cursor, Finding
from governance.models.registry import GpuModel, GpuPool, Model, ModelVersion

__all__ = [
    "Agent",
    "ApprovalRequest",
    "Comparison",
    "Cursor",
    "Decision",
    "Deployment",
    "Finding",
    "GpuModel",
    "GpuPool",
    "Model",
    "ModelVersion",
    "Revision",
    "ToolGrant",
]
