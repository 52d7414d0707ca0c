"""What the ledger tells about registry and approvals, in words a reviewer reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from audit.events import EventType
from audit.queries import EntryRow
from governance.queries.people import names_of


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry in words, with its number. `at`: when it happened, as who recorded it said."""

    at: datetime
    what: str
    entry: int


def history_lines(entries: Sequence[EntryRow]) -> tuple[HistoryLine, ...]:
    """The entries as sentences, in the order given."""
    names = names_of(entry.actor for entry in entries)
    words = _words()
    return tuple(
        HistoryLine(
            at=entry.occurred_at,
            what=words.get(entry.type, _("%(type)s by %(who)s")) % {"who": names[entry.actor], "type": entry.type},
            entry=entry.index,
        )
        for entry in entries
    )


def _words() -> dict[str, str]:
    return {
        EventType.DEPLOYMENT_REGISTERED: _("Deployment registered by %(who)s"),
        EventType.DEPLOYMENT_CHANGED: _("Deployment changed by %(who)s"),
        EventType.ADAPTER_REGISTERED: _("Adapter registered by %(who)s"),
        EventType.REVISION_CREATED: _("Revision written by %(who)s"),
        EventType.REQUEST_SUBMITTED: _("Submitted by %(who)s; the approval policy was frozen"),
        EventType.DECISION_RECORDED: _("Decision recorded by %(who)s"),
        EventType.REQUEST_APPROVED: _("Approved: the decision of %(who)s completed the quorum"),
        EventType.REQUEST_REJECTED: _("Rejected by %(who)s"),
        EventType.REQUEST_WITHDRAWN: _("Withdrawn by %(who)s"),
        EventType.REQUEST_ADVANCED: _("Stage passed: the decision of %(who)s completed its quorum"),
        EventType.REQUEST_CHANGES_REQUESTED: _("Changes requested by %(who)s; a new round may follow"),
        EventType.REQUEST_TIMED_OUT: _("Not decided in time; closed by %(who)s"),
        EventType.REQUEST_REVOKED: _("Approval revoked by %(who)s"),
        EventType.REQUEST_EXPIRED: _("Approval expired; recorded by %(who)s"),
        EventType.REQUEST_INVALIDATED: _("Approval ended by %(who)s: it must be asked for again"),
        EventType.DECISION_SEALED: _("Decision sealed by %(who)s until the stage is complete"),
        EventType.CONDITION_SET: _("Condition set by %(who)s"),
        EventType.CONDITION_MET: _("Condition confirmed as met by %(who)s"),
        EventType.CONDITION_BREACHED: _("Condition not met in time; recorded by %(who)s"),
        EventType.APPROVAL_POLICY_PROPOSED: _("Approval policy proposed by %(who)s"),
        EventType.APPROVAL_POLICY_ADOPTED: _("Approval policy adopted by %(who)s"),
        EventType.APPROVAL_POLICY_REFUSED: _("Approval policy refused by %(who)s"),
        EventType.APPROVAL_POLICY_WITHDRAWN: _("Approval policy withdrawn by %(who)s"),
        EventType.APPROVAL_POLICY_RETIRED: _("Approval policy retired: %(who)s adopted a newer version"),
        EventType.AGENT_REGISTERED: _("Agent registered by %(who)s"),
        EventType.TOOL_GRANT_GRANTED: _("Tool granted by %(who)s"),
        EventType.USE_CASE_REGISTERED: _("Use case registered by %(who)s"),
        EventType.USE_CASE_CHANGED: _("Use case changed by %(who)s"),
        EventType.CLASSIFICATION_RECORDED: _("Classification recorded by %(who)s"),
        EventType.DATASET_REGISTERED: _("Data set registered by %(who)s"),
        EventType.DATASET_CHANGED: _("Data set changed by %(who)s"),
        EventType.DATASET_VERSION_REGISTERED: _("Version registered by %(who)s"),
        EventType.DATASET_USE_RECORDED: _("Use recorded by %(who)s"),
        EventType.METRIC_THRESHOLD_SET: _("Threshold set by %(who)s"),
        EventType.EVALUATION_RUN_RECORDED: _("Evaluation recorded by %(who)s"),
        EventType.EVIDENCE_RECORDED: _("Evidence recorded by %(who)s"),
        EventType.EVIDENCE_REVOKED: _("Evidence revoked by %(who)s"),
        EventType.MODEL_REGISTERED: _("Model registered by %(who)s"),
        EventType.MODEL_VERSION_REGISTERED: _("Model version registered by %(who)s"),
        EventType.GPU_POOL_REGISTERED: _("GPU pool registered by %(who)s"),
        EventType.MODEL_CHANGED: _("Model changed by %(who)s"),
        EventType.GPU_POOL_CHANGED: _("GPU pool changed by %(who)s"),
        EventType.AGENT_CHANGED: _("Agent changed by %(who)s"),
        EventType.MODEL_ARTEFACT_REGISTERED: _("Artefact registered by %(who)s"),
        EventType.MODEL_RELATION_DECLARED: _("Lineage declared by %(who)s"),
        EventType.QUANTISATION_DECLARED: _("Quantisation declared by %(who)s"),
        EventType.STANDING_CHANGED: _("Standing changed by %(who)s"),
        EventType.AGENT_VERSION_REGISTERED: _("Agent version registered by %(who)s"),
        EventType.TOOL_REGISTERED: _("Tool registered by %(who)s"),
        EventType.TOOL_CHANGED: _("Tool changed by %(who)s"),
        EventType.TOOL_VERSION_REGISTERED: _("Tool version registered by %(who)s"),
        EventType.TOOL_GRANT_REVOKED: _("Tool grant revoked by %(who)s"),
        EventType.GPU_NODE_REGISTERED: _("GPU node registered by %(who)s"),
        EventType.GPU_NODE_CHANGED: _("GPU node changed by %(who)s"),
        EventType.GPU_DEVICE_REGISTERED: _("Card registered by %(who)s"),
        EventType.COMPARISON_RECORDED: _("Comparison recorded by %(who)s"),
        EventType.FINDING_RAISED: _("Finding raised by %(who)s"),
        EventType.WINDOW_USAGE: _("Usage window sealed"),
        EventType.REPORT_REQUESTED: _("Report requested by %(who)s"),
        EventType.REPORT_RENDERED: _("Report made"),
        EventType.REPORT_DOWNLOADED: _("Report downloaded by %(who)s"),
    }
