"""The catalogue of event types, and how their facts become bytes.

A type stands in the public leaf for ever, so the catalogue only grows and a value never changes its
meaning. A type that is not listed here never reaches a leaf in clear: see `audit.ledger`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import rfc8785


class NotCanonical(ValueError):
    """Facts hold a value that has no exact form in the ledger."""


class EventType(StrEnum):
    """Event types of the catalogue; the value is what stands in the leaf."""

    LOG_STARTED = "log.started"
    SELFCHECK_COMPLETED = "selfcheck.completed"
    KEY_BEGUN = "key.begun"
    KEY_ENDED = "key.ended"
    LOG_THAWED = "log.thawed"
    LOG_IMPORTED = "log.imported"

    PERSON_REGISTERED = "person.registered"
    SOURCE_CREATED = "source.created"
    SERVICE_ACCOUNT_CREATED = "service_account.created"
    TOKEN_ISSUED = "token.issued"
    TOKEN_USED = "token.used"
    SESSION_STARTED = "session.started"
    SESSIONS_REFUSED = "sessions.refused"

    MODEL_REGISTERED = "model.registered"
    MODEL_VERSION_REGISTERED = "model_version.registered"
    ADAPTER_REGISTERED = "adapter.registered"
    GPU_MODEL_REGISTERED = "gpu_model.registered"
    GPU_POOL_REGISTERED = "gpu_pool.registered"
    DEPLOYMENT_REGISTERED = "deployment.registered"
    DEPLOYMENT_CHANGED = "deployment.changed"
    REVISION_CREATED = "revision.created"
    AGENT_REGISTERED = "agent.registered"
    TOOL_GRANT_GRANTED = "tool_grant.granted"
    COMPARISON_RECORDED = "comparison.recorded"
    USE_CASE_REGISTERED = "use_case.registered"
    USE_CASE_CHANGED = "use_case.changed"
    CLASSIFICATION_RECORDED = "classification.recorded"
    DATASET_REGISTERED = "dataset.registered"
    DATASET_CHANGED = "dataset.changed"
    DATASET_VERSION_REGISTERED = "dataset_version.registered"
    DATASET_USE_RECORDED = "dataset_use.recorded"
    METRIC_THRESHOLD_SET = "metric_threshold.set"
    EVALUATION_RUN_RECORDED = "evaluation_run.recorded"
    METRIC_RECORDED = "metric.recorded"
    EVIDENCE_RECORDED = "evidence.recorded"
    EVIDENCE_REVOKED = "evidence.revoked"
    MODEL_CHANGED = "model.changed"
    GPU_POOL_CHANGED = "gpu_pool.changed"
    AGENT_CHANGED = "agent.changed"
    MODEL_ARTEFACT_REGISTERED = "model_artefact.registered"
    MODEL_RELATION_DECLARED = "model_relation.declared"
    QUANTISATION_DECLARED = "quantisation.declared"
    STANDING_CHANGED = "standing.changed"
    AGENT_VERSION_REGISTERED = "agent_version.registered"
    TOOL_REGISTERED = "tool.registered"
    TOOL_CHANGED = "tool.changed"
    TOOL_VERSION_REGISTERED = "tool_version.registered"
    TOOL_GRANT_REVOKED = "tool_grant.revoked"
    GPU_NODE_REGISTERED = "gpu_node.registered"
    GPU_NODE_CHANGED = "gpu_node.changed"
    GPU_DEVICE_REGISTERED = "gpu_device.registered"
    MIG_SLICE_REGISTERED = "mig_slice.registered"
    POOL_DEVICE_RECORDED = "pool_device.recorded"
    OVERSIGHT_ASSIGNED = "oversight.assigned"
    OVERSIGHT_ENDED = "oversight.ended"

    REQUEST_SUBMITTED = "request.submitted"
    REQUEST_APPROVED = "request.approved"
    REQUEST_REJECTED = "request.rejected"
    REQUEST_WITHDRAWN = "request.withdrawn"
    DECISION_RECORDED = "decision.recorded"
    REQUEST_ADVANCED = "request.advanced"
    REQUEST_CHANGES_REQUESTED = "request.changes_requested"
    REQUEST_TIMED_OUT = "request.timed_out"
    REQUEST_REVOKED = "request.revoked"
    REQUEST_EXPIRED = "request.expired"
    REQUEST_INVALIDATED = "request.invalidated"
    REQUEST_STAGE_SET = "request_stage.set"
    REQUEST_EXCLUSION_SET = "request_exclusion.set"
    REQUEST_EVIDENCE_RELIED = "request_evidence.relied"
    REAPPROVAL_RAISED = "reapproval.raised"
    DECISION_SEALED = "decision.sealed"
    CONDITION_SET = "condition.set"
    CONDITION_MET = "condition.met"
    CONDITION_BREACHED = "condition.breached"
    APPROVAL_POLICY_PROPOSED = "approval_policy.proposed"
    APPROVAL_POLICY_ADOPTED = "approval_policy.adopted"
    APPROVAL_POLICY_REFUSED = "approval_policy.refused"
    APPROVAL_POLICY_WITHDRAWN = "approval_policy.withdrawn"
    APPROVAL_POLICY_RETIRED = "approval_policy.retired"

    TRAINING_STARTED = "training.started"
    TRAINING_COMPLETED = "training.completed"
    EVALUATION_COMPLETED = "evaluation.completed"
    MODEL_PUBLISHED = "model.published"
    DEPLOYMENT_STARTED = "deployment.started"
    DEPLOYMENT_STOPPED = "deployment.stopped"
    AGENT_TOOL_CALL = "agent.tool_call"
    USAGE_REPORTED = "usage.reported"
    CLIENT_EVENT = "client.event"

    TARGET_REGISTERED = "target.registered"
    WINDOW_USAGE = "window.usage"
    WINDOW_HARDWARE = "window.hardware"
    WINDOW_AMENDED = "window.amended"
    COVERAGE_GAP = "coverage.gap"

    FINDING_RAISED = "finding.raised"

    WEBHOOK_REGISTERED = "webhook.registered"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DEACTIVATED = "webhook.deactivated"

    ERASURE_REQUESTED = "erasure.requested"
    ERASURE_REJECTED = "erasure.rejected"
    SECTION_ERASED = "section.erased"
    HOLD_PLACED = "hold.placed"
    HOLD_RELEASED = "hold.released"

    REPORT_REQUESTED = "report.requested"
    REPORT_RENDERED = "report.rendered"
    REPORT_FAILED = "report.failed"
    REPORT_DOWNLOADED = "report.downloaded"

    LIST_EXPORTED = "list.exported"
    DOCUMENT_EXPORTED = "document.exported"

    IMPORT_REQUESTED = "import.requested"
    IMPORT_ENDED = "import.ended"
    POOL_CHANGE_PROPOSED = "pool_change.proposed"
    POOL_CHANGE_CARRIED_OUT = "pool_change.carried_out"
    POOL_CHANGE_REFUSED = "pool_change.refused"
    POOL_CHANGE_WITHDRAWN = "pool_change.withdrawn"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET = "password.reset"
    LOG_IN_CONFIRMED = "log_in.confirmed"
    LOG_IN_CLOSED = "log_in.closed"
    LOG_IN_REOPENED = "log_in.reopened"
    SESSION_ENDED = "session.ended"
    TOKEN_ROTATED = "token.rotated"
    TOKEN_REVOKED = "token.revoked"


CLIENT_TYPES = frozenset(
    {
        EventType.TRAINING_STARTED,
        EventType.TRAINING_COMPLETED,
        EventType.EVALUATION_COMPLETED,
        EventType.MODEL_PUBLISHED,
        EventType.DEPLOYMENT_STARTED,
        EventType.DEPLOYMENT_STOPPED,
        EventType.AGENT_TOOL_CALL,
        EventType.USAGE_REPORTED,
        EventType.CLIENT_EVENT,
    }
)
"""What a pipeline may record under its own name; every other catalogue type is written by Assay alone."""

RESERVED_TYPES = frozenset(EventType) - CLIENT_TYPES

STATE_TYPES = frozenset(
    {
        EventType.PERSON_REGISTERED,
        EventType.SOURCE_CREATED,
        EventType.SERVICE_ACCOUNT_CREATED,
        EventType.TOKEN_ISSUED,
        EventType.MODEL_REGISTERED,
        EventType.MODEL_VERSION_REGISTERED,
        EventType.ADAPTER_REGISTERED,
        EventType.GPU_MODEL_REGISTERED,
        EventType.GPU_POOL_REGISTERED,
        EventType.DEPLOYMENT_REGISTERED,
        EventType.DEPLOYMENT_CHANGED,
        EventType.REVISION_CREATED,
        EventType.AGENT_REGISTERED,
        EventType.TOOL_GRANT_GRANTED,
        EventType.COMPARISON_RECORDED,
        EventType.USE_CASE_REGISTERED,
        EventType.USE_CASE_CHANGED,
        EventType.CLASSIFICATION_RECORDED,
        EventType.DATASET_REGISTERED,
        EventType.DATASET_CHANGED,
        EventType.DATASET_VERSION_REGISTERED,
        EventType.DATASET_USE_RECORDED,
        EventType.METRIC_THRESHOLD_SET,
        EventType.EVALUATION_RUN_RECORDED,
        EventType.METRIC_RECORDED,
        EventType.EVIDENCE_RECORDED,
        EventType.EVIDENCE_REVOKED,
        EventType.MODEL_CHANGED,
        EventType.GPU_POOL_CHANGED,
        EventType.AGENT_CHANGED,
        EventType.MODEL_ARTEFACT_REGISTERED,
        EventType.MODEL_RELATION_DECLARED,
        EventType.QUANTISATION_DECLARED,
        EventType.STANDING_CHANGED,
        EventType.AGENT_VERSION_REGISTERED,
        EventType.TOOL_REGISTERED,
        EventType.TOOL_CHANGED,
        EventType.TOOL_VERSION_REGISTERED,
        EventType.TOOL_GRANT_REVOKED,
        EventType.GPU_NODE_REGISTERED,
        EventType.GPU_NODE_CHANGED,
        EventType.GPU_DEVICE_REGISTERED,
        EventType.MIG_SLICE_REGISTERED,
        EventType.POOL_DEVICE_RECORDED,
        EventType.OVERSIGHT_ASSIGNED,
        EventType.OVERSIGHT_ENDED,
        EventType.REQUEST_SUBMITTED,
        EventType.REQUEST_APPROVED,
        EventType.REQUEST_REJECTED,
        EventType.REQUEST_WITHDRAWN,
        EventType.DECISION_RECORDED,
        EventType.REQUEST_ADVANCED,
        EventType.REQUEST_CHANGES_REQUESTED,
        EventType.REQUEST_TIMED_OUT,
        EventType.REQUEST_REVOKED,
        EventType.REQUEST_EXPIRED,
        EventType.REQUEST_INVALIDATED,
        EventType.REQUEST_STAGE_SET,
        EventType.REQUEST_EXCLUSION_SET,
        EventType.REQUEST_EVIDENCE_RELIED,
        EventType.REAPPROVAL_RAISED,
        EventType.DECISION_SEALED,
        EventType.CONDITION_SET,
        EventType.CONDITION_MET,
        EventType.CONDITION_BREACHED,
        EventType.APPROVAL_POLICY_PROPOSED,
        EventType.APPROVAL_POLICY_ADOPTED,
        EventType.APPROVAL_POLICY_REFUSED,
        EventType.APPROVAL_POLICY_WITHDRAWN,
        EventType.APPROVAL_POLICY_RETIRED,
        EventType.FINDING_RAISED,
        EventType.TARGET_REGISTERED,
        EventType.POOL_CHANGE_PROPOSED,
        EventType.POOL_CHANGE_CARRIED_OUT,
        EventType.POOL_CHANGE_REFUSED,
        EventType.POOL_CHANGE_WITHDRAWN,
        EventType.PASSWORD_CHANGED,
        EventType.PASSWORD_RESET,
        EventType.LOG_IN_CONFIRMED,
        EventType.LOG_IN_CLOSED,
        EventType.LOG_IN_REOPENED,
        EventType.TOKEN_ROTATED,
        EventType.TOKEN_REVOKED,
        EventType.WEBHOOK_REGISTERED,
        EventType.WEBHOOK_CHANGED,
        EventType.WEBHOOK_DEACTIVATED,
    }
)
"""Types whose facts carry, as `after`, the full snapshot of their subject: the state of a subject at tree
size n is the `after` of its newest such entry below n."""

LOG_DAYS: Final = 183
DOCUMENTATION_DAYS: Final = 3653
"""Retention floors: six months for logs (Regulation (EU) 2024/1689, Articles 19 and 26(6)), ten years for
documentation (Article 18)."""

LOG_TYPES = frozenset(
    {
        EventType.SELFCHECK_COMPLETED,
        EventType.TOKEN_ISSUED,
        EventType.TOKEN_USED,
        EventType.SESSION_STARTED,
        EventType.SESSIONS_REFUSED,
        EventType.DEPLOYMENT_STARTED,
        EventType.DEPLOYMENT_STOPPED,
        EventType.AGENT_TOOL_CALL,
        EventType.USAGE_REPORTED,
        EventType.CLIENT_EVENT,
        EventType.WINDOW_USAGE,
        EventType.WINDOW_HARDWARE,
        EventType.WINDOW_AMENDED,
        EventType.COVERAGE_GAP,
        EventType.REPORT_DOWNLOADED,
        EventType.SESSION_ENDED,
        EventType.TOKEN_ROTATED,
        EventType.TOKEN_REVOKED,
    }
)
"""Types whose content is a log; a client's own types (`x:…`) are too. Every other type is documentation."""

PERMANENT_TYPES = frozenset(
    {
        EventType.ERASURE_REQUESTED,
        EventType.ERASURE_REJECTED,
        EventType.SECTION_ERASED,
        EventType.HOLD_PLACED,
        EventType.HOLD_RELEASED,
        EventType.LOG_IMPORTED,
    }
)
"""Types whose `facts` are never erased: what tells of an erasure, a hold or absent content must outlive it."""

OWN_TYPE: Final = "x:"
"""How the leaf begins a type that is a client's own and stands there as HMAC."""


def floor_days(type_: str, section: str) -> int | None:
    """For how many days, from `received_at` on, a section of an entry of this type is kept; None is for ever.

    The database holds the same in `retention_floor` and decides by it (migration 0007).
    """
    if type_ in PERMANENT_TYPES and section == "facts":
        return None
    return LOG_DAYS if type_ in LOG_TYPES or type_.startswith(OWN_TYPE) else DOCUMENTATION_DAYS


class Section(NamedTuple):
    """A part of an event that is committed, disclosed and erased alone.

    Attributes:
        name: lower-case identifier, unique within the event (`facts`, `restricted`, `personal`).
        body: the exact bytes that are committed to and kept.
        media: media type of `body`.
    """

    name: str
    body: bytes
    media: str = "application/json"


def facts(content: Mapping[str, object]) -> Section:
    """The `facts` section of an event of ours: the RFC 8785 bytes of `content`.

    Args:
        content: strings, integers, booleans, None, lists and mappings of them. Amounts and rates are
            decimal strings: a float has no decimal form that every verifier would print alike.

    Raises:
        NotCanonical: a float, an integer beyond 2**53 - 1, a lone surrogate or another type.
    """
    _refuse_floats(content, "")
    try:
        body = rfc8785.dumps(_plain(content))
    except rfc8785.CanonicalizationError as error:
        raise NotCanonical(f"These facts cannot be written to the ledger: {error}") from error
    return Section(name="facts", body=body)


def _plain(content: Mapping[str, object]) -> dict[str, Any]:
    return dict(content)


def _refuse_floats(value: object, path: str) -> None:
    if isinstance(value, float):
        raise NotCanonical(f"{path or 'facts'} is a float; write amounts as decimal strings.")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_floats(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _refuse_floats(item, f"{path}[{position}]")
