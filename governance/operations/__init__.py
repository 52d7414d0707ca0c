"""Every write of the registry and of approvals: one transaction each, and its entries are its last statement."""

from governance.operations.adapters import register_adapter
from governance.operations.agents import grant_tool, register_agent
from governance.operations.artefactfolder import add_artefacts_from_folder
from governance.operations.artefacts import File, add_artefact
from governance.operations.asking import DeploymentAsk
from governance.operations.base import By, Recorded, Refused
from governance.operations.catalogue import CatalogueLoad, load_catalogue
from governance.operations.changes import (
    change_agent,
    change_deployment,
    change_gpu_pool,
    change_model,
    change_use_case,
)
from governance.operations.changing import Stale
from governance.operations.closing import invalidate, revoke, withdraw
from governance.operations.comparisons import record_comparison
from governance.operations.conditions import ConditionAsk, meet_condition
from governance.operations.datasets import (
    change_dataset,
    record_dataset_use,
    register_dataset,
    register_dataset_version,
)
from governance.operations.deciding import decide
from governance.operations.deployments import request_deployment
from governance.operations.evaluations import EvaluationResult, Measured, record_evaluation
from governance.operations.evidencing import record_evidence, revoke_evidence
from governance.operations.following import Followed, follow_log
from governance.operations.lineage import declare_relation
from governance.operations.modelfolder import register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.policies import decide_policy, propose_policy, withdraw_policy
from governance.operations.pools import register_gpu_pool
from governance.operations.quantisations import declare_quantisation
from governance.operations.standing import change_standing
from governance.operations.sweeping import Swept, sweep
from governance.operations.thresholds import set_threshold
from governance.operations.usecases import classify_use_case, register_use_case

__all__ = [
    "By",
    "CatalogueLoad",
    "ConditionAsk",
    "DeploymentAsk",
    "EvaluationResult",
    "File",
    "Followed",
    "Measured",
    "Recorded",
    "Refused",
    "Stale",
    "Swept",
    "add_artefact",
    "add_artefacts_from_folder",
    "change_agent",
    "change_dataset",
    "change_deployment",
    "change_gpu_pool",
    "change_model",
    "change_standing",
    "change_use_case",
    "classify_use_case",
    "decide",
    "decide_policy",
    "declare_quantisation",
    "declare_relation",
    "follow_log",
    "grant_tool",
    "invalidate",
    "load_catalogue",
    "meet_condition",
    "propose_policy",
    "record_comparison",
    "record_dataset_use",
    "record_evaluation",
    "record_evidence",
    "register_adapter",
    "register_agent",
    "register_dataset",
    "register_dataset_version",
    "register_from_catalogue",
    "register_from_files",
    "register_from_folder",
    "register_gpu_pool",
    "register_use_case",
    "request_deployment",
    "revoke",
    "revoke_evidence",
    "set_threshold",
    "sweep",
    "withdraw",
    "withdraw_policy",
]
