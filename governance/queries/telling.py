"""What the ledger tells about registry and approvals, in words a reviewer reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import EventType
from audit.queries import EntryRow
from governance.queries.people import names_of

WORDS: Final[Mapping[str, Promise]] = MappingProxyType(
    {
        EventType.DEPLOYMENT_REGISTERED: gettext_lazy("Deployment registered by %(who)s"),
        EventType.DEPLOYMENT_CHANGED: gettext_lazy("Deployment changed by %(who)s"),
        EventType.ADAPTER_REGISTERED: gettext_lazy("Adapter registered by %(who)s"),
        EventType.REVISION_CREATED: gettext_lazy("Revision written by %(who)s"),
        EventType.REQUEST_SUBMITTED: gettext_lazy("Submitted by %(who)s; the approval policy was frozen"),
        EventType.DECISION_RECORDED: gettext_lazy("Decision recorded by %(who)s"),
        EventType.REQUEST_APPROVED: gettext_lazy("Approved: the decision of %(who)s completed the quorum"),
        EventType.REQUEST_REJECTED: gettext_lazy("Rejected by %(who)s"),
        EventType.REQUEST_WITHDRAWN: gettext_lazy("Withdrawn by %(who)s"),
        EventType.REQUEST_ADVANCED: gettext_lazy("Stage passed: the decision of %(who)s completed its quorum"),
        EventType.REQUEST_CHANGES_REQUESTED: gettext_lazy("Changes requested by %(who)s; a new round may follow"),
        EventType.REQUEST_TIMED_OUT: gettext_lazy("Not decided in time; closed by %(who)s"),
        EventType.REQUEST_REVOKED: gettext_lazy("Approval revoked by %(who)s"),
        EventType.REQUEST_EXPIRED: gettext_lazy("Approval expired; recorded by %(who)s"),
        EventType.REQUEST_INVALIDATED: gettext_lazy("Approval ended by %(who)s: it must be asked for again"),
        EventType.DECISION_SEALED: gettext_lazy("Decision sealed by %(who)s until the stage is complete"),
        EventType.CONDITION_SET: gettext_lazy("Condition set by %(who)s"),
        EventType.CONDITION_MET: gettext_lazy("Condition confirmed as met by %(who)s"),
        EventType.CONDITION_BREACHED: gettext_lazy("Condition not met in time; recorded by %(who)s"),
        EventType.APPROVAL_POLICY_PROPOSED: gettext_lazy("Approval policy proposed by %(who)s"),
        EventType.APPROVAL_POLICY_ADOPTED: gettext_lazy("Approval policy adopted by %(who)s"),
        EventType.APPROVAL_POLICY_REFUSED: gettext_lazy("Approval policy refused by %(who)s"),
        EventType.APPROVAL_POLICY_WITHDRAWN: gettext_lazy("Approval policy withdrawn by %(who)s"),
        EventType.APPROVAL_POLICY_RETIRED: gettext_lazy("Approval policy retired: %(who)s adopted a newer version"),
        EventType.AGENT_REGISTERED: gettext_lazy("Agent registered by %(who)s"),
        EventType.TOOL_GRANT_GRANTED: gettext_lazy("Tool granted by %(who)s"),
        EventType.USE_CASE_REGISTERED: gettext_lazy("Use case registered by %(who)s"),
        EventType.USE_CASE_CHANGED: gettext_lazy("Use case changed by %(who)s"),
        EventType.CLASSIFICATION_RECORDED: gettext_lazy("Classification recorded by %(who)s"),
        EventType.DATASET_REGISTERED: gettext_lazy("Data set registered by %(who)s"),
        EventType.DATASET_CHANGED: gettext_lazy("Data set changed by %(who)s"),
        EventType.DATASET_VERSION_REGISTERED: gettext_lazy("Version registered by %(who)s"),
        EventType.DATASET_USE_RECORDED: gettext_lazy("Use recorded by %(who)s"),
        EventType.METRIC_THRESHOLD_SET: gettext_lazy("Threshold set by %(who)s"),
        EventType.EVALUATION_RUN_RECORDED: gettext_lazy("Evaluation recorded by %(who)s"),
        EventType.EVIDENCE_RECORDED: gettext_lazy("Evidence recorded by %(who)s"),
        EventType.EVIDENCE_REVOKED: gettext_lazy("Evidence revoked by %(who)s"),
        EventType.MODEL_REGISTERED: gettext_lazy("Model registered by %(who)s"),
        EventType.MODEL_VERSION_REGISTERED: gettext_lazy("Model version registered by %(who)s"),
        EventType.GPU_POOL_REGISTERED: gettext_lazy("GPU pool registered by %(who)s"),
        EventType.MODEL_CHANGED: gettext_lazy("Model changed by %(who)s"),
        EventType.GPU_POOL_CHANGED: gettext_lazy("GPU pool changed by %(who)s"),
        EventType.AGENT_CHANGED: gettext_lazy("Agent changed by %(who)s"),
        EventType.MODEL_ARTEFACT_REGISTERED: gettext_lazy("Artefact registered by %(who)s"),
        EventType.MODEL_RELATION_DECLARED: gettext_lazy("Lineage declared by %(who)s"),
        EventType.QUANTISATION_DECLARED: gettext_lazy("Quantisation declared by %(who)s"),
        EventType.STANDING_CHANGED: gettext_lazy("Standing changed by %(who)s"),
        EventType.AGENT_VERSION_REGISTERED: gettext_lazy("Agent version registered by %(who)s"),
        EventType.TOOL_REGISTERED: gettext_lazy("Tool registered by %(who)s"),
        EventType.TOOL_CHANGED: gettext_lazy("Tool changed by %(who)s"),
        EventType.TOOL_VERSION_REGISTERED: gettext_lazy("Tool version registered by %(who)s"),
        EventType.TOOL_GRANT_REVOKED: gettext_lazy("Tool grant revoked by %(who)s"),
        EventType.GPU_NODE_REGISTERED: gettext_lazy("GPU node registered by %(who)s"),
        EventType.GPU_NODE_CHANGED: gettext_lazy("GPU node changed by %(who)s"),
        EventType.GPU_DEVICE_REGISTERED: gettext_lazy("Card registered by %(who)s"),
        EventType.COMPARISON_RECORDED: gettext_lazy("Comparison recorded by %(who)s"),
        EventType.FINDING_RAISED: gettext_lazy("Finding raised by %(who)s"),
        EventType.WINDOW_USAGE: gettext_lazy("Usage window sealed"),
        EventType.REPORT_REQUESTED: gettext_lazy("Report requested by %(who)s"),
        EventType.REPORT_RENDERED: gettext_lazy("Report made"),
        EventType.REPORT_DOWNLOADED: gettext_lazy("Report downloaded by %(who)s"),
    }
)
"""What each type of entry tells, with who did it."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry in words, with its number. `at`: when it happened, as who recorded it said."""

    at: datetime
    what: str
    entry: int


def history_lines(entries: Sequence[EntryRow]) -> tuple[HistoryLine, ...]:
    """The entries as sentences, in the order given."""
    names = names_of(entry.actor for entry in entries)
    return tuple(
        HistoryLine(
            at=entry.occurred_at,
            what=str(WORDS.get(entry.type, _("%(type)s by %(who)s"))) % {"who": names[entry.actor], "type": entry.type},
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
        EventType.AGENT_REGISTERED: _("Agent registered by %(who)s"),
        EventType.TOOL_GRANT_GRANTED: _("Tool granted by %(who)s"),
        EventType.USE_CASE_REGISTERED: _("Use case registered by %(who)s"),
        EventType.USE_CASE_CHANGED: _("Tier taken over from the classification of %(who)s"),
        EventType.CLASSIFICATION_RECORDED: _("Classification recorded by %(who)s"),
        EventType.COMPARISON_RECORDED: _("Comparison recorded by %(who)s"),
        EventType.FINDING_RAISED: _("Finding raised by %(who)s"),
        EventType.WINDOW_USAGE: _("Usage window sealed"),
        EventType.REPORT_REQUESTED: _("Report requested by %(who)s"),
        EventType.REPORT_RENDERED: _("Report made"),
        EventType.REPORT_DOWNLOADED: _("Report downloaded by %(who)s"),
        EventType.DOCUMENT_EXPORTED: _("Document downloaded by %(who)s"),
        EventType.IMPORT_REQUESTED: _("Import asked for by %(who)s"),
        EventType.IMPORT_ENDED: _("Import ended by %(who)s"),
    }
