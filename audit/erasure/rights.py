"""Who may ask for an erasure, decide it, place a hold and release it. Each rule returns a sentence, or nothing.

The database holds the same rules (migration 0007). Being a superuser is no right here.
"""

from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from audit.models import User
from audit.queries.roles import AUDITORS, DATA_PROTECTION, OPERATORS, roles_of

ASKERS: Final = (AUDITORS, OPERATORS, DATA_PROTECTION)
HOLDERS: Final = (AUDITORS, DATA_PROTECTION)


def why_not_ask(user: User) -> str:
    """Why this log-in may not ask for an erasure; empty when it may."""
    return _why_not_one_of(user, ASKERS)


def why_not_hold(user: User) -> str:
    """Why this log-in may not place a hold; empty when it may."""
    return _why_not_one_of(user, HOLDERS)


def why_not_decide(user: User, *, requested_by: UUID, before_floor: bool) -> str:
    """Why this log-in may not approve a request; empty when it may."""
    if refusal := _why_not_one_of(user, (DATA_PROTECTION,)):
        return refusal
    if before_floor and user.person_id == requested_by:
        return _("You asked for this, and its retention floor has not passed: another person must approve.")
    return ""


def why_not_reject(user: User, *, requested_by: UUID) -> str:
    """Why this log-in may not reject a request; empty when it may. Who asked may take the request back."""
    if user.person_id == requested_by:
        return why_not_ask(user)
    return _why_not_one_of(user, (DATA_PROTECTION,))


def why_not_release(user: User, *, placed_by: UUID) -> str:
    """Why this log-in may not release a hold; empty when it may."""
    if refusal := _why_not_one_of(user, (DATA_PROTECTION,)):
        return refusal
    if user.person_id == placed_by:
        return _("You placed this hold: another person must release it.")
    return ""


def _why_not_one_of(user: User, pools: tuple[str, ...]) -> str:
    if not user.is_active:
        return _("Your log-in is closed.")
    if user.decisions_suspended_at is not None:
        return _("Your password was reset or your log-in reopened: another person of your pools confirms it first.")
    if not roles_of(user.pk) & set(pools):
        return _("Only members of these pools may do this: %(pools)s.") % {"pools": ", ".join(pools)}
    return ""
