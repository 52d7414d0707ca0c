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
from governance.operations.comparisons import record_comparison
from governance.operations.decisions import decide, withdraw
from governance.operations.deployments import request_deployment
from governance.operations.following import Followed, follow_log
from governance.operations.lineage import declare_relation
from governance.operations.modelfolder import register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.pools import register_gpu_pool
from governance.operations.quantisations import declare_quantisation
from governance.operations.standing import change_standing
from governance.operations.usecases import classify_use_case, register_use_case

__all__ = [
    "By",
    "CatalogueLoad",
    "DeploymentAsk",
    "File",
    "Followed",
    "Recorded",
    "Refused",
    "Stale",
    "add_artefact",
    "add_artefacts_from_folder",
    "change_agent",
    "change_deployment",
    "change_gpu_pool",
    "change_model",
    "change_standing",
    "change_use_case",
    "classify_use_case",
    "decide",
    "declare_quantisation",
    "declare_relation",
    "follow_log",
    "grant_tool",
    "load_catalogue",
    "record_comparison",
    "register_adapter",
    "register_agent",
    "register_from_catalogue",
    "register_from_files",
    "register_from_folder",
    "register_gpu_pool",
    "register_use_case",
    "request_deployment",
    "withdraw",
]
