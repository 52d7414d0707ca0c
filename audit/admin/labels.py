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
    EventType.REQUEST_SUBMITTED: gettext_lazy("Request submitted"),
    EventType.REQUEST_APPROVED: gettext_lazy("Request approved"),
    EventType.REQUEST_REJECTED: gettext_lazy("Request rejected"),
    EventType.REQUEST_WITHDRAWN: gettext_lazy("Request withdrawn"),
    EventType.DECISION_RECORDED: gettext_lazy("Decision recorded"),
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
    EventType.ERASURE_REQUESTED: gettext_lazy("Erasure requested"),
    EventType.ERASURE_REJECTED: gettext_lazy("Erasure rejected"),
    EventType.SECTION_ERASED: gettext_lazy("Section erased"),
    EventType.HOLD_PLACED: gettext_lazy("Legal hold placed"),
    EventType.HOLD_RELEASED: gettext_lazy("Legal hold released"),
    EventType.REPORT_REQUESTED: gettext_lazy("Report requested"),
    EventType.REPORT_RENDERED: gettext_lazy("Report made"),
    EventType.REPORT_FAILED: gettext_lazy("Report failed"),
    EventType.REPORT_DOWNLOADED: gettext_lazy("Report downloaded"),
    EventType.POOL_CHANGE_PROPOSED: gettext_lazy("Change of a pool proposed"),
    EventType.POOL_CHANGE_CARRIED_OUT: gettext_lazy("Pool changed"),
    EventType.POOL_CHANGE_REFUSED: gettext_lazy("Change of a pool refused"),
    EventType.POOL_CHANGE_WITHDRAWN: gettext_lazy("Change of a pool withdrawn"),
    EventType.PASSWORD_CHANGED: gettext_lazy("Own password changed"),
    EventType.PASSWORD_RESET: gettext_lazy("Password reset"),
    EventType.LOG_IN_CONFIRMED: gettext_lazy("Log-in confirmed"),
    EventType.LOG_IN_CLOSED: gettext_lazy("Log-in closed"),
    EventType.LOG_IN_REOPENED: gettext_lazy("Log-in reopened"),
    EventType.SESSION_ENDED: gettext_lazy("Signed out"),
    EventType.TOKEN_ROTATED: gettext_lazy("Token rotated"),
    EventType.TOKEN_REVOKED: gettext_lazy("Token revoked"),
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
    "tool_grant": pgettext_lazy("subject", "Tool grant"),
    "host": pgettext_lazy("subject", "Host"),
    "agent": pgettext_lazy("subject", "Agent"),
    "comparison": pgettext_lazy("subject", "Comparison"),
    "use_case": pgettext_lazy("subject", "Use case"),
    "classification": pgettext_lazy("subject", "Classification"),
    "report": pgettext_lazy("subject", "Report"),
    "target": pgettext_lazy("subject", "Target"),
    "finding": pgettext_lazy("subject", "Finding"),
    "erasure": pgettext_lazy("subject", "Erasure"),
    "hold": pgettext_lazy("subject", "Legal hold"),
    "token": pgettext_lazy("subject", "Token"),
    "log": pgettext_lazy("subject", "Log"),
    "pool_change": pgettext_lazy("subject", "Change of a pool"),
    "log_in": pgettext_lazy("subject", "Log-in"),
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
