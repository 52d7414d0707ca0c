"""Who may decide, withdraw and ask. Each rule returns a sentence for the page, or nothing when it allows.

The operations ask the same functions again under the lock, and the database holds the same rules as constraints.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from audit.models import User
from audit.queries.roles import OPERATORS, REQUESTERS, roles_of
from governance.models import ApprovalRequest, Decision


@dataclass(frozen=True, slots=True)
class Viewer:
    """A log-in as the rules see it."""

    account_id: int
    person_id: UUID
    active: bool
    pools: frozenset[str]
    suspended: bool = False


def viewer(user: User) -> Viewer:
    """The log-in with the pools it belongs to; being a superuser is no pool."""
    return Viewer(user.pk, user.person_id, user.is_active, roles_of(user.pk), user.decisions_suspended_at is not None)


def why_not_decide(request: ApprovalRequest, who: Viewer, deciders: Collection[UUID]) -> str:
    """Why `who` may not decide `request`; empty when they may. `deciders` have decided already."""
    if not who.active:
        return _("Your log-in is closed.")
    if who.suspended:
        return _("Your password was reset or your log-in reopened: another person of your pools confirms it first.")
    if request.requester_id == who.person_id:
        return _("You asked for this. The one who asks cannot decide, whatever log-in they use.")
    if request.pool not in who.pools:
        return _("Only members of the pool %(pool)s decide this.") % {"pool": request.pool}
    if who.person_id in deciders:
        return _("You have decided already; a decision is never changed.")
    if request.state != ApprovalRequest.State.OPEN:
        return _("This request is closed.")
    return ""


def why_not_withdraw(request: ApprovalRequest, person_id: UUID) -> str:
    """Why this person may not withdraw `request`; empty when they may."""
    if request.requester_id != person_id:
        return _("Only the one who asked can withdraw a request.")
    if request.state != ApprovalRequest.State.OPEN:
        return _("This request is closed.")
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


def deciders_of(request_id: UUID) -> frozenset[UUID]:
    """The persons who have decided a request."""
    return frozenset(Decision.objects.filter(request_id=request_id).values_list("decider_id", flat=True))
