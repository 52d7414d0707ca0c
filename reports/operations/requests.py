"""Asking for a report: pinned to the newest signed checkpoint, entered in the ledger, made later by a worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from audit import ledger, queries
from audit.events import EventType
from reports.models import Report
from reports.queries import By, why_not_read

CLASSIFICATION: Final = "Restricted to named auditors"
LANGUAGES: Final = ("en",)


class Refused(PermissionError):
    """This log-in or token may not do that; the message is a sentence for the person."""


class NoCheckpoint(RuntimeError):
    """Nothing is signed yet, so there is no state a report could be pinned to."""


class UnknownDeployment(LookupError):
    """The ledger does not know the deployment at the newest checkpoint."""


def request_report(
    *,
    deployment_id: UUID,
    requester: By,
    now: datetime,
    classification: str = CLASSIFICATION,
    language: str = "en",
    tree_size: int | None = None,
) -> UUID:
    """Ask for the transparency report of a deployment; returns the report's id. Entry: `report.requested`.

    Args:
        tree_size: a signed tree size; the newest when None.

    Raises:
        Refused: not an auditor, reviewer or operator, nor a token with `reports:read`; or an unknown language.
        NoCheckpoint: nothing is signed yet, or nothing of that size.
        UnknownDeployment: not in the ledger at that size.
    """
    if reason := why_not_read(requester):
        raise Refused(reason)
    if language not in LANGUAGES:
        raise Refused(_("Reports are made in: %(languages)s.") % {"languages": ", ".join(LANGUAGES)})
    checkpoint = queries.latest_checkpoint() if tree_size is None else queries.checkpoint_at(tree_size)
    if checkpoint is None or checkpoint.size == 0:
        raise NoCheckpoint(_("The log has no such signed checkpoint yet. Wait for the signer and ask again."))
    subject = f"deployment:{deployment_id}"
    state = queries.state_at(subject, checkpoint.size)
    if state is None and queries.snapshot_erased(subject, checkpoint.size) is None:
        raise UnknownDeployment(_("The ledger does not know this deployment at its newest signed checkpoint."))
    report = Report(
        id=uuid4(),
        deployment=subject,
        title=str(state.after.get("name", subject) if state else subject)[:200],
        tree_size=checkpoint.size,
        language=language,
        classification=classification[:200],
        requested_by=requester.actor,
        requested_at=now,
    )
    asked = {
        "report": report.subject,
        "kind": str(report.kind),
        "deployment": subject,
        "tree_size": report.tree_size,
        "language": language,
        "classification": report.classification,
    }
    with transaction.atomic(durable=True):
        report.save(force_insert=True)
        ledger.append(events=[event(EventType.REPORT_REQUESTED, report, asked, actor=requester.actor, now=now)])
    return report.id


def event(kind: EventType, report: Report, content: Mapping[str, object], *, actor: str, now: datetime) -> ledger.Event:
    """An event about a report, with `content` as its facts."""
    return ledger.Event(
        type=kind,
        subject=report.subject,
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts(content),),
    )
