"""May this revision run? What a pipeline asks before it starts something, with the proof of the answer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit import queries as log
from governance.models import ApprovalRequest


@dataclass(frozen=True, slots=True)
class Approval:
    """The newest answer about a revision.

    Attributes:
        current: the deployment's approved revision is this one; an older approval was replaced.
        may_run: approved and current.
        conditions: none yet; a decision carries no conditions in this version.
        expires_at: None: approvals do not lapse in this version.
        entry: where the state stands in the ledger. `receipt`: its proof, None until it is signed.
    """

    revision_digest: str
    deployment_id: UUID
    deployment: str
    revision: int
    request_id: UUID
    request: str
    state: str
    current: bool
    may_run: bool
    decision_digest: str
    conditions: tuple[str, ...]
    expires_at: datetime | None
    entry: int | None
    receipt: str | None


def approval(revision_digest: str) -> Approval | None:
    """The newest request for the revision with this digest; None when nobody asked for it."""
    found = (
        ApprovalRequest.objects.select_related("deployment", "revision")
        .filter(revision_digest=revision_digest)
        .order_by("-submitted_at", "-number")
        .first()
    )
    if found is None:
        return None
    subject = f"request:{found.pk}"
    state = log.states_at([subject], log.head_size()).get(subject)
    current = found.deployment.approved_revision_id == found.revision_id
    return Approval(
        revision_digest=found.revision_digest,
        deployment_id=found.deployment_id,
        deployment=found.deployment.name,
        revision=found.revision.number,
        request_id=found.pk,
        request=found.ref,
        state=found.state,
        current=current,
        may_run=current and found.state == ApprovalRequest.State.APPROVED,
        decision_digest=found.decision_digest,
        conditions=(),
        expires_at=None,
        entry=state.index if state else None,
        receipt=_receipt(state.index) if state else None,
    )


def _receipt(index: int) -> str | None:
    try:
        return log.receipt(index)
    except log.NotCovered:
        return None
