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
    """One entry in words, with its number."""

    at: datetime
    what: str
    entry: int


def history_lines(entries: Sequence[EntryRow]) -> tuple[HistoryLine, ...]:
    """The entries as sentences, in the order given."""
    names = names_of(entry.actor for entry in entries)
    words = _words()
    return tuple(
        HistoryLine(
            at=entry.received_at,
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
