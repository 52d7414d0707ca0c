"""Every write of the registry and of approvals: one transaction each, and its entries are its last statement."""

from governance.operations.adapters import register_adapter
from governance.operations.agents import grant_tool, register_agent
from governance.operations.asking import DeploymentAsk
from governance.operations.base import By, Recorded, Refused
from governance.operations.catalogue import CatalogueLoad, load_catalogue
from governance.operations.comparisons import record_comparison
from governance.operations.decisions import decide, withdraw
from governance.operations.deployments import request_deployment
from governance.operations.following import Followed, follow_log
from governance.operations.indexing import Indexed, index_log, rebuild_search
from governance.operations.modelfolder import register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.pools import register_gpu_pool
from governance.operations.usecases import classify_use_case, register_use_case

__all__ = [
    "By",
    "CatalogueLoad",
    "DeploymentAsk",
    "Followed",
    "Indexed",
    "Recorded",
    "Refused",
    "classify_use_case",
    "decide",
    "follow_log",
    "grant_tool",
    "index_log",
    "load_catalogue",
    "rebuild_search",
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
