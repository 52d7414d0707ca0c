"""Evidence that a request relies on, frozen with it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from governance.models import Deployment, Evidence, ModelVersion, RequestEvidence
from governance.models.approvals import ApprovalRequest
from governance.operations.asking import Checked
from governance.operations.base import Refused
from governance.queries.evidence import EvidenceUse, evidence_uses
from governance.queries.relied import SPOILT

MAX_RELIED: Final = 50
Relied = tuple[EvidenceUse, ...]


def rely(checked: Checked, deployment: Deployment, *, now: datetime) -> Relied:
    """The evidence that an ask names, each piece about what is asked and fit to be relied on.

    Raises:
        Refused: too many, not recorded, about something else, revoked or expired.
    """
    wanted = set(checked.ask.relied_on)
    if len(wanted) > MAX_RELIED:
        raise Refused("relied_on", f"names {len(wanted)} pieces of evidence; at most {MAX_RELIED} can be.")
    if not wanted:
        return ()
    about = Q(pk__in=[])
    for kind, subject_id in _subjects(checked.version, deployment, [row.pk for row in checked.adapters]):
        about |= Q(subject_kind=kind, subject_id=subject_id)
    known = set(Evidence.objects.filter(about, pk__in=wanted).values_list("pk", flat=True))
    found = evidence_uses(wanted, now)
    if len(found) < len(wanted):
        raise Refused("relied_on", "names evidence that is not recorded.")
    for use in found:
        if use.id not in known:
            raise Refused("relied_on", f"EV-{use.number:04} is about something else than what is asked.")
        if use.standing in SPOILT:
            raise Refused("relied_on", f"EV-{use.number:04} is {use.standing.value}; nothing can rest on it.")
    return found


def relied_rows(request: ApprovalRequest, relied: Relied) -> list[RequestEvidence]:
    """The rows that freeze what a request relies on, written."""
    return [
        RequestEvidence.objects.create(
            request=request, evidence_id=use.id, sha256=use.sha256, digest=use.digest, standing=use.standing.value
        )
        for use in relied
    ]


def _subjects(version: ModelVersion, deployment: Deployment, adapters: list[UUID]) -> list[tuple[str, UUID]]:
    return [
        ("deployment", deployment.pk),
        ("model_version", version.pk),
        ("model", version.model_id),
        *(("adapter", pk) for pk in adapters),
        *([("use_case", deployment.use_case_id)] if deployment.use_case_id else []),
    ]
