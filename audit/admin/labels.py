"""What people call each type of entry."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.events import EventType

LABELS: Mapping[str, object] = {
    EventType.LOG_STARTED: gettext_lazy("Log started"),
    EventType.SELFCHECK_COMPLETED: gettext_lazy("Self-check completed"),
    EventType.KEY_BEGUN: gettext_lazy("Signing key began"),
    EventType.KEY_ENDED: gettext_lazy("Signing key ended"),
    EventType.LOG_THAWED: gettext_lazy("Signing allowed again"),
    EventType.LOG_IMPORTED: gettext_lazy("Log imported without some content"),
    EventType.PERSON_REGISTERED: gettext_lazy("Person registered"),
    EventType.SOURCE_CREATED: gettext_lazy("Source created"),
    EventType.SERVICE_ACCOUNT_CREATED: gettext_lazy("Service account created"),
    EventType.TOKEN_ISSUED: gettext_lazy("Token issued"),
    EventType.TOKEN_USED: gettext_lazy("Token used"),
    EventType.SESSION_STARTED: gettext_lazy("Signed in"),
    EventType.SESSIONS_REFUSED: gettext_lazy("Sign-ins refused"),
    EventType.MODEL_REGISTERED: gettext_lazy("Model registered"),
    EventType.MODEL_VERSION_REGISTERED: gettext_lazy("Model version registered"),
    EventType.ADAPTER_REGISTERED: gettext_lazy("Adapter registered"),
    EventType.GPU_MODEL_REGISTERED: gettext_lazy("GPU model registered"),
    EventType.GPU_POOL_REGISTERED: gettext_lazy("GPU pool registered"),
    EventType.DEPLOYMENT_REGISTERED: gettext_lazy("Deployment registered"),
    EventType.DEPLOYMENT_CHANGED: gettext_lazy("Deployment changed"),
    EventType.REVISION_CREATED: gettext_lazy("Revision created"),
    EventType.AGENT_REGISTERED: gettext_lazy("Agent registered"),
    EventType.TOOL_GRANT_GRANTED: gettext_lazy("Tool granted"),
    EventType.COMPARISON_RECORDED: gettext_lazy("Local and API compared"),
    EventType.USE_CASE_REGISTERED: gettext_lazy("Use case registered"),
    EventType.USE_CASE_CHANGED: gettext_lazy("Use case changed"),
    EventType.CLASSIFICATION_RECORDED: gettext_lazy("Classification recorded"),
    EventType.DATASET_REGISTERED: gettext_lazy("Data set registered"),
    EventType.DATASET_CHANGED: gettext_lazy("Data set changed"),
    EventType.DATASET_VERSION_REGISTERED: gettext_lazy("Version of a data set registered"),
    EventType.DATASET_USE_RECORDED: gettext_lazy("Use of a data set recorded"),
    EventType.METRIC_THRESHOLD_SET: gettext_lazy("Threshold set"),
    EventType.EVALUATION_RUN_RECORDED: gettext_lazy("Evaluation recorded"),
    EventType.METRIC_RECORDED: gettext_lazy("Metric recorded"),
    EventType.EVIDENCE_RECORDED: gettext_lazy("Evidence recorded"),
    EventType.EVIDENCE_REVOKED: gettext_lazy("Evidence revoked"),
    EventType.REQUEST_SUBMITTED: gettext_lazy("Request submitted"),
    EventType.REQUEST_APPROVED: gettext_lazy("Request approved"),
    EventType.REQUEST_REJECTED: gettext_lazy("Request rejected"),
    EventType.REQUEST_WITHDRAWN: gettext_lazy("Request withdrawn"),
    EventType.DECISION_RECORDED: gettext_lazy("Decision recorded"),
    EventType.REQUEST_ADVANCED: gettext_lazy("Stage passed"),
    EventType.REQUEST_CHANGES_REQUESTED: gettext_lazy("Changes requested"),
    EventType.REQUEST_TIMED_OUT: gettext_lazy("Request not decided in time"),
    EventType.REQUEST_REVOKED: gettext_lazy("Approval revoked"),
    EventType.REQUEST_EXPIRED: gettext_lazy("Approval expired"),
    EventType.REQUEST_INVALIDATED: gettext_lazy("Approval no longer valid"),
    EventType.REQUEST_STAGE_SET: gettext_lazy("Stage of a request set"),
    EventType.REQUEST_EXCLUSION_SET: gettext_lazy("Person kept from deciding"),
    EventType.DECISION_SEALED: gettext_lazy("Decision sealed"),
    EventType.CONDITION_SET: gettext_lazy("Condition set"),
    EventType.CONDITION_MET: gettext_lazy("Condition met"),
    EventType.CONDITION_BREACHED: gettext_lazy("Condition not met in time"),
    EventType.APPROVAL_POLICY_PROPOSED: gettext_lazy("Approval policy proposed"),
    EventType.APPROVAL_POLICY_ADOPTED: gettext_lazy("Approval policy adopted"),
    EventType.APPROVAL_POLICY_REFUSED: gettext_lazy("Approval policy refused"),
    EventType.APPROVAL_POLICY_WITHDRAWN: gettext_lazy("Approval policy withdrawn"),
    EventType.APPROVAL_POLICY_RETIRED: gettext_lazy("Approval policy retired"),
    EventType.TRAINING_STARTED: gettext_lazy("Training started"),
    EventType.TRAINING_COMPLETED: gettext_lazy("Training completed"),
    EventType.EVALUATION_COMPLETED: gettext_lazy("Evaluation completed"),
    EventType.MODEL_PUBLISHED: gettext_lazy("Model published"),
    EventType.DEPLOYMENT_STARTED: gettext_lazy("Deployment started"),
    EventType.DEPLOYMENT_STOPPED: gettext_lazy("Deployment stopped"),
    EventType.AGENT_TOOL_CALL: gettext_lazy("Agent called a tool"),
    EventType.USAGE_REPORTED: gettext_lazy("Usage reported"),
    EventType.CLIENT_EVENT: gettext_lazy("Event of a pipeline"),
    EventType.TARGET_REGISTERED: gettext_lazy("Collection target registered"),
    EventType.WINDOW_USAGE: gettext_lazy("Usage window sealed"),
    EventType.WINDOW_HARDWARE: gettext_lazy("Hardware window sealed"),
    EventType.WINDOW_AMENDED: gettext_lazy("Window amended"),
    EventType.COVERAGE_GAP: gettext_lazy("Coverage gap"),
    EventType.FINDING_RAISED: gettext_lazy("Finding raised"),
    EventType.WEBHOOK_REGISTERED: gettext_lazy("Webhook registered"),
    EventType.WEBHOOK_CHANGED: gettext_lazy("Webhook changed"),
    EventType.WEBHOOK_DEACTIVATED: gettext_lazy("Webhook switched off"),
    EventType.ERASURE_REQUESTED: gettext_lazy("Erasure requested"),
    EventType.ERASURE_REJECTED: gettext_lazy("Erasure rejected"),
    EventType.SECTION_ERASED: gettext_lazy("Section erased"),
    EventType.HOLD_PLACED: gettext_lazy("Legal hold placed"),
    EventType.HOLD_RELEASED: gettext_lazy("Legal hold released"),
    EventType.REPORT_REQUESTED: gettext_lazy("Report requested"),
    EventType.REPORT_RENDERED: gettext_lazy("Report made"),
    EventType.REPORT_FAILED: gettext_lazy("Report failed"),
    EventType.REPORT_DOWNLOADED: gettext_lazy("Report downloaded"),
}

KINDS: Mapping[str, object] = {
    "person": pgettext_lazy("subject", "Person"),
    "service": pgettext_lazy("subject", "Service account"),
    "source": pgettext_lazy("subject", "Source"),
    "model": pgettext_lazy("subject", "Model"),
    "model_version": pgettext_lazy("subject", "Model version"),
    "adapter": pgettext_lazy("subject", "Adapter"),
    "gpu_model": pgettext_lazy("subject", "GPU model"),
    "gpu_pool": pgettext_lazy("subject", "GPU pool"),
    "deployment": pgettext_lazy("subject", "Deployment"),
    "revision": pgettext_lazy("subject", "Revision"),
    "request": pgettext_lazy("subject", "Request"),
    "decision": pgettext_lazy("subject", "Decision"),
    "request_stage": pgettext_lazy("subject", "Stage of a request"),
    "request_exclusion": pgettext_lazy("subject", "Exclusion"),
    "sealed_decision": pgettext_lazy("subject", "Sealed decision"),
    "condition": pgettext_lazy("subject", "Condition"),
    "approval_policy": pgettext_lazy("subject", "Approval policy"),
    "tool_grant": pgettext_lazy("subject", "Tool grant"),
    "host": pgettext_lazy("subject", "Host"),
    "agent": pgettext_lazy("subject", "Agent"),
    "comparison": pgettext_lazy("subject", "Comparison"),
    "use_case": pgettext_lazy("subject", "Use case"),
    "classification": pgettext_lazy("subject", "Classification"),
    "dataset": pgettext_lazy("subject", "Data set"),
    "dataset_version": pgettext_lazy("subject", "Version of a data set"),
    "dataset_use": pgettext_lazy("subject", "Use of a data set"),
    "metric_threshold": pgettext_lazy("subject", "Threshold"),
    "evaluation_run": pgettext_lazy("subject", "Evaluation"),
    "metric": pgettext_lazy("subject", "Metric"),
    "evidence": pgettext_lazy("subject", "Evidence"),
    "evidence_revocation": pgettext_lazy("subject", "Revocation of evidence"),
    "report": pgettext_lazy("subject", "Report"),
    "target": pgettext_lazy("subject", "Target"),
    "finding": pgettext_lazy("subject", "Finding"),
    "webhook": pgettext_lazy("subject", "Webhook"),
    "erasure": pgettext_lazy("subject", "Erasure"),
    "hold": pgettext_lazy("subject", "Legal hold"),
    "token": pgettext_lazy("subject", "Token"),
    "log": pgettext_lazy("subject", "Log"),
}


def event_label(kind: str) -> str:
    """A type of the catalogue in words. A client's own type is hidden in the leaf: its words are in a section."""
    if kind.startswith("x:"):
        return _("Event of a pipeline, own type")
    return str(LABELS.get(kind, kind))


def kind_label(reference: str) -> str:
    """What a reference such as `deployment:<uuid>` is, in words."""
    if reference.startswith("x:"):
        return _("Named by the pipeline")
    return str(KINDS.get(reference.partition(":")[0], reference.partition(":")[0]))


def actor_label(name: str) -> str:
    """Who acted, for a reader: a name stays as it is, `system:collector` becomes Assay's own part."""
    part = name.removeprefix("system:")
    return _("Assay, %(part)s") % {"part": part} if part != name else name


def short_reference(reference: str) -> str:
    """The first characters of a reference's id: enough to tell neighbours apart."""
    text = reference.partition(":")[2] or reference
    return text if len(text) <= 13 else f"{text[:8]}…"
