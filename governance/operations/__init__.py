"""Every write of the registry and of approvals: one transaction each, and its entries are its last statement."""

from governance.operations.adapterfolder import register_adapter_from_folder
from governance.operations.adapters import register_adapter
from governance.operations.again import request_again
from governance.operations.agents import register_agent
from governance.operations.agentversions import AgentRelease, register_agent_version
from governance.operations.artefactfolder import add_artefacts_from_folder
from governance.operations.artefacts import File, add_artefact
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
from governance.operations.delivering import deliver_webhooks
from governance.operations.deployments import request_deployment
from governance.operations.documents import hand_out_document
from governance.operations.evaluations import EvaluationResult, Measured, record_evaluation
from governance.operations.evidencing import record_evidence, revoke_evidence
from governance.operations.following import Followed, follow_log
from governance.operations.grants import grant_tool, revoke_grant
from governance.operations.imports import ImportAsk, advance_imports, cancel_import, request_import, run_import
from governance.operations.indexing import Indexed, index_log, rebuild_search
from governance.operations.lineage import declare_relation
from governance.operations.mailing import send_mails
from governance.operations.modelfolder import login_named, register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.nodes import change_gpu_node, register_gpu_node
from governance.operations.notifying import Told, follow_notices, sweep_notices
from governance.operations.oversight import assign_oversight, end_oversight
from governance.operations.policies import decide_policy, propose_policy, withdraw_policy
from governance.operations.pooldevices import record_pool_device
from governance.operations.pools import register_gpu_pool
from governance.operations.quantisations import declare_quantisation
from governance.operations.reading import mark_read, prefer
from governance.operations.reapproving import Reapproved, reapprove
from governance.operations.standing import change_standing
from governance.operations.sweeping import Swept, sweep
from governance.operations.thresholds import set_threshold
from governance.operations.tools import change_tool, register_tool, register_tool_version
from governance.operations.usecases import classify_use_case, register_use_case
from governance.operations.webhooks import (
    SecretSet,
    change_webhook,
    queue_test,
    register_webhook,
    rotate_webhook_secret,
    send_again,
)

__all__ = [
    "AgentRelease",
    "By",
    "CatalogueLoad",
    "ConditionAsk",
    "DeploymentAsk",
    "EvaluationResult",
    "File",
    "Followed",
    "ImportAsk",
    "Indexed",
    "Measured",
    "Reapproved",
    "Recorded",
    "Refused",
    "SecretSet",
    "SliceFacts",
    "Stale",
    "Swept",
    "Told",
    "add_artefact",
    "add_artefacts_from_folder",
    "advance_imports",
    "assign_oversight",
    "cancel_import",
    "change_agent",
    "change_dataset",
    "change_deployment",
    "change_gpu_node",
    "change_gpu_pool",
    "change_model",
    "change_standing",
    "change_tool",
    "change_use_case",
    "change_webhook",
    "classify_use_case",
    "decide",
    "decide_policy",
    "declare_quantisation",
    "declare_relation",
    "deliver_webhooks",
    "end_oversight",
    "follow_log",
    "follow_notices",
    "grant_tool",
    "hand_out_document",
    "import_cards",
    "import_cards_from_file",
    "index_log",
    "invalidate",
    "load_catalogue",
    "login_named",
    "mark_read",
    "meet_condition",
    "prefer",
    "propose_policy",
    "queue_test",
    "reapprove",
    "rebuild_search",
    "record_comparison",
    "record_dataset_use",
    "record_evaluation",
    "record_evidence",
    "record_pool_device",
    "register_adapter",
    "register_adapter_from_folder",
    "register_agent",
    "register_agent_version",
    "register_dataset",
    "register_dataset_version",
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
    "register_webhook",
    "request_again",
    "request_deployment",
    "request_import",
    "revoke",
    "revoke_evidence",
    "revoke_grant",
    "rotate_webhook_secret",
    "run_import",
    "send_again",
    "send_mails",
    "set_threshold",
    "sweep",
    "sweep_notices",
    "withdraw",
    "withdraw_policy",
]
