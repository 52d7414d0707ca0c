"""Every write of the registry and of approvals: one transaction each, and its entries are its last statement."""

from governance.operations.adapterfolder import register_adapter_from_folder
from governance.operations.adapters import register_adapter
from governance.operations.agents import grant_tool, register_agent
from governance.operations.asking import DeploymentAsk
from governance.operations.base import By, Recorded, Refused
from governance.operations.catalogue import CatalogueLoad, load_catalogue
from governance.operations.comparisons import record_comparison
from governance.operations.decisions import decide, withdraw
from governance.operations.deployments import request_deployment
from governance.operations.documents import hand_out_document
from governance.operations.following import Followed, follow_log
from governance.operations.imports import ImportAsk, advance_imports, cancel_import, request_import, run_import
from governance.operations.modelfolder import login_named, register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.pools import register_gpu_pool
from governance.operations.usecases import classify_use_case, register_use_case

__all__ = [
    "By",
    "CatalogueLoad",
    "DeploymentAsk",
    "Followed",
    "ImportAsk",
    "Recorded",
    "Refused",
    "advance_imports",
    "cancel_import",
    "classify_use_case",
    "decide",
    "follow_log",
    "grant_tool",
    "hand_out_document",
    "load_catalogue",
    "login_named",
    "record_comparison",
    "register_adapter",
    "register_adapter_from_folder",
    "register_agent",
    "register_from_catalogue",
    "register_from_files",
    "register_from_folder",
    "register_gpu_pool",
    "register_use_case",
    "request_deployment",
    "request_import",
    "run_import",
    "withdraw",
]
