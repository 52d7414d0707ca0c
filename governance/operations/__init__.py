"""Every write of the registry and of approvals: one transaction each, and its entries are its last statement."""

from governance.operations.adapters import register_adapter
from governance.operations.agents import grant_tool, register_agent
from governance.operations.asking import DeploymentAsk
from governance.operations.base import By, Recorded, Refused
from governance.operations.catalogue import CatalogueLoad, load_catalogue
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
from governance.operations.evaluations import EvaluationResult, Measured, record_evaluation
from governance.operations.evidencing import record_evidence, revoke_evidence
from governance.operations.following import Followed, follow_log
from governance.operations.mailing import send_mails
from governance.operations.modelfolder import register_from_folder
from governance.operations.models import register_from_catalogue, register_from_files
from governance.operations.notifying import Told, follow_notices, sweep_notices
from governance.operations.policies import decide_policy, propose_policy, withdraw_policy
from governance.operations.pools import register_gpu_pool
from governance.operations.reading import mark_read, prefer
from governance.operations.sweeping import Swept, sweep
from governance.operations.thresholds import set_threshold
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
    "By",
    "CatalogueLoad",
    "ConditionAsk",
    "DeploymentAsk",
    "EvaluationResult",
    "Followed",
    "Measured",
    "Recorded",
    "Refused",
    "SecretSet",
    "Swept",
    "Told",
    "change_dataset",
    "change_webhook",
    "classify_use_case",
    "decide",
    "decide_policy",
    "deliver_webhooks",
    "follow_log",
    "follow_notices",
    "grant_tool",
    "invalidate",
    "load_catalogue",
    "mark_read",
    "meet_condition",
    "prefer",
    "propose_policy",
    "queue_test",
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
    "register_webhook",
    "request_deployment",
    "revoke",
    "revoke_evidence",
    "rotate_webhook_secret",
    "send_again",
    "send_mails",
    "set_threshold",
    "sweep",
    "sweep_notices",
    "withdraw",
    "withdraw_policy",
]
