"""Every write of the registry and of approvals: one transaction each, and its entries are its last statement."""

from governance.operations.adapters import register_adapter
from governance.operations.agents import register_agent
from governance.operations.agentversions import AgentRelease, register_agent_version
from governance.operations.asking import DeploymentAsk
from governance.operations.base import By, Recorded, Refused
from governance.operations.cards import (
    SliceFacts,
    import_cards,
    import_cards_from_file,
    register_gpu_device,
    register_mig_slices,
)
from governance.operations.catalogue import CatalogueLoad, load_catalogue
from governance.operations.comparisons import record_comparison
from governance.operations.decisions import decide, withdraw
from governance.operations.deployments import request_deployment
from governance.operations.following import Followed, follow_log
from governance.operations.grants import grant_tool, revoke_grant
from governance.operations.modelfolder import register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.nodes import change_gpu_node, register_gpu_node
from governance.operations.oversight import assign_oversight, end_oversight
from governance.operations.pooldevices import record_pool_device
from governance.operations.pools import register_gpu_pool
from governance.operations.tools import change_tool, register_tool, register_tool_version
from governance.operations.usecases import classify_use_case, register_use_case

__all__ = [
    "AgentRelease",
    "By",
    "CatalogueLoad",
    "DeploymentAsk",
    "Followed",
    "Recorded",
    "Refused",
    "SliceFacts",
    "assign_oversight",
    "change_gpu_node",
    "change_tool",
    "classify_use_case",
    "decide",
    "end_oversight",
    "follow_log",
    "grant_tool",
    "import_cards",
    "import_cards_from_file",
    "load_catalogue",
    "record_comparison",
    "record_pool_device",
    "register_adapter",
    "register_agent",
    "register_agent_version",
    "register_from_catalogue",
    "register_from_files",
    "register_from_folder",
    "register_gpu_device",
    "register_gpu_node",
    "register_gpu_pool",
    "register_mig_slices",
    "register_tool",
    "register_tool_version",
    "register_use_case",
    "request_deployment",
    "revoke_grant",
    "withdraw",
]
