"""Who may decide, withdraw, revoke and ask. Each rule returns a sentence for the page, or nothing when it allows.

The operations ask the same functions again under the lock, and the database holds the same rules as constraints.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from audit.models import User
from audit.queries.roles import AUDITORS, COMPLIANCE, OPERATORS, REQUESTERS, RISK_OWNERS
from governance.models import (
    ApprovalPolicyVersion,
    ApprovalRequest,
    Condition,
    Decision,
    RequestExclusion,
    SealedDecision,
)

BARRED: Final = frozenset({OPERATORS, AUDITORS})
"""Who runs or audits the platform decides nothing, with whatever log-in."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A log-in as the rules see it. `barred`: its person, with any active log-in, runs or audits the platform."""

    account_id: int
    person_id: UUID
    active: bool
    pools: frozenset[str]
    barred: bool
    suspended: bool = False


def viewer(user: User) -> Viewer:
    """The log-in with the pools it belongs to; being a superuser is no pool."""
    rows = User.groups.through.objects.filter(user__person_id=user.person_id)
    held = list(rows.values_list("user_id", "user__is_active", "group__name"))
    return Viewer(
        account_id=user.pk,
        person_id=user.person_id,
        active=user.is_active,
        pools=frozenset(name for owner, _active, name in held if owner == user.pk),
        suspended=user.decisions_suspended_at is not None,
        barred=any(active and name in BARRED for _owner, active, name in held),
    )


def why_not_decide(
    request: ApprovalRequest,
    who: Viewer,
    deciders: Collection[UUID],
    excluded: Collection[UUID] = (),
    *,
    now: datetime | None = None,
) -> str:
    """Why `who` may not decide `request` in its current stage; empty when they may.

    Args:
        deciders: who has decided already, sealed decisions included.
        excluded: who is kept from this stage.
        now: to see whether the stage is over; None leaves that out.
    """
    if refusal := _why_nothing(who):
        return refusal
    if request.requester_id == who.person_id:
        return _("You asked for this. The one who asks cannot decide, whatever log-in they use.")
    if request.pool not in who.pools:
        return _("Only members of the pool %(pool)s decide this.") % {"pool": request.pool}
    if refusal := _why_barred(who):
        return refusal
    if who.person_id in excluded:
        return _("The policy of this request keeps you from deciding this stage: what is asked is yours.")
    if who.person_id in deciders:
        return _("You have decided already; a decision is never changed.")
    if request.state != ApprovalRequest.State.OPEN:
        return _("This request is closed.")
    if now is not None and request.due_at is not None and request.due_at < now:
        return _("The time to decide this stage is over.")
    return ""


def why_not_withdraw(request: ApprovalRequest, person_id: UUID) -> str:
    """Why this person may not withdraw `request`; empty when they may."""
    if request.requester_id != person_id:
        return _("Only the one who asked can withdraw a request.")
    if request.state != ApprovalRequest.State.OPEN:
        return _("This request is closed.")
    return ""


def why_not_revoke(request: ApprovalRequest, who: Viewer, pools: Collection[str]) -> str:
    """Why `who` may not revoke an approval; empty when they may. `pools`: those of its stages."""
    if refusal := _why_nothing(who):
        return refusal
    if not who.pools & {*pools, RISK_OWNERS}:
        return _("Only members of the pools that decided it, or of %(pool)s, revoke an approval.") % {
            "pool": RISK_OWNERS
        }
    if refusal := _why_barred(who):
        return refusal
    if request.state != ApprovalRequest.State.APPROVED:
        return _("There is no approval that stands.")
    return ""


def why_not_meet(request: ApprovalRequest, condition: Condition, who: Viewer, pool: str) -> str:
    """Why `who` may not confirm that a condition is met; empty when they may. `pool`: that of its stage."""
    if refusal := _why_nothing(who):
        return refusal
    if request.requester_id == who.person_id:
        return _("You asked for this. Another person confirms its conditions.")
    if pool not in who.pools:
        return _("Only members of the pool %(pool)s confirm this condition.") % {"pool": pool}
    if refusal := _why_barred(who):
        return refusal
    if condition.state == Condition.State.MET:
        return _("This condition is met already.")
    return ""


def why_not_request(who: Viewer) -> str:
    """Why `who` may not ask for a deployment; empty when they may."""
    if not who.active:
        return _("Your log-in is closed.")
    if REQUESTERS not in who.pools:
        return _("Only members of the pool %(pool)s ask for deployments.") % {"pool": REQUESTERS}
    return ""


def why_not_register(who: Viewer) -> str:
    """Why `who` may not change the registry; empty when they may."""
    if not who.active:
        return _("Your log-in is closed.")
    if not {REQUESTERS, OPERATORS} & who.pools:
        return _("Only members of the pools %(one)s and %(two)s change the registry.") % {
            "one": REQUESTERS,
            "two": OPERATORS,
        }
    return ""


def why_not_propose_policy(who: Viewer) -> str:
    """Why `who` may not propose an approval policy; empty when they may."""
    if refusal := _why_nothing(who):
        return refusal
    if not {COMPLIANCE, OPERATORS} & who.pools:
        return _("Only members of the pools %(one)s and %(two)s propose approval policies.") % {
            "one": COMPLIANCE,
            "two": OPERATORS,
        }
    return ""


def why_not_decide_policy(policy: ApprovalPolicyVersion, who: Viewer) -> str:
    """Why `who` may not decide a proposed policy; empty when they may."""
    if refusal := _why_nothing(who):
        return refusal
    if policy.proposed_by_id == who.person_id:
        return _("You proposed this. Another person decides, whatever log-in you use.")
    if COMPLIANCE not in who.pools:
        return _("Only members of the pool %(pool)s decide this.") % {"pool": COMPLIANCE}
    if refusal := _why_barred(who):
        return refusal
    if policy.state != ApprovalPolicyVersion.State.PROPOSED:
        return _("This proposal is closed.")
    return ""


def deciders_of(request_id: UUID) -> frozenset[UUID]:
    """The persons who have decided a request, whether their decision is open or sealed; in one query."""
    told = Decision.objects.filter(request_id=request_id).values_list("decider_id", flat=True)
    sealed = SealedDecision.objects.filter(request_id=request_id).values_list("decider_id", flat=True)
    return frozenset(told.union(sealed))


def excluded_from(request: ApprovalRequest) -> frozenset[UUID]:
    """The persons who are kept from the current stage, beside the one who asked."""
    rows = RequestExclusion.objects.filter(request=request, stage=request.stage)
    return frozenset(rows.values_list("person_id", flat=True))


def _why_nothing(who: Viewer) -> str:
    """Why this log-in decides nothing at all; empty when it may decide something."""
    if not who.active:
        return _("Your log-in is closed.")
    if who.suspended:
        return _("Your password was reset or your log-in reopened: another person of your pools confirms it first.")
    return ""


def _why_barred(who: Viewer) -> str:
    if who.barred:
        return _("Who operates or audits the platform decides nothing, whatever log-in they use.")
    return ""
