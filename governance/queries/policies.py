"""Approval policies for reading."""

from uuid import UUID

from governance.models import ApprovalPolicyVersion
from governance.snapshot import snapshot
from governance.snapshot.rows import Value


def policy_snapshot(policy_id: UUID) -> dict[str, Value] | None:
    """The full snapshot of a version of an approval policy, None when there is none."""
    row = ApprovalPolicyVersion.objects.filter(pk=policy_id).first()
    return snapshot("approval_policy", row) if row else None
