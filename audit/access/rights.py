"""Who may change pools, log-ins and tokens. Each rule returns a sentence for the page, or nothing when it allows.

The database holds those of pools and log-ins too (migration 0014). Being a superuser is no right here.
"""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from audit.access.tokens import owns_live_writing_tokens
from audit.models import PoolChange, User
from audit.queries.poolrules import DECIDING, conflicting, pools_of_person
from audit.queries.roles import AUDITORS, COMPLIANCE, OPERATORS, roles_of


def why_nothing(user: User) -> str:
    """Why this log-in may change nothing at all: it is closed, or waits to be confirmed."""
    if not user.is_active:
        return _("Your log-in is closed.")
    if user.decisions_suspended_at is not None and user.password_set_by_other_at is not None:
        return _("Somebody else set your password: change it, then another person of your pools confirms your log-in.")
    if user.decisions_suspended_at is not None:
        return _("Your password was reset or your log-in reopened: another person of your pools confirms it first.")
    return ""


def why_not_propose(user: User, pool: str) -> str:
    """Why this log-in may not propose a change of a pool; empty when it may."""
    wanted = {OPERATORS, COMPLIANCE, pool} if pool in DECIDING else {OPERATORS}
    return why_nothing(user) or _why_not_one_of(user, wanted)


def why_not_propose_any(user: User) -> str:
    """Why this log-in may not propose a change of any pool."""
    return why_nothing(user) or _why_not_one_of(user, {OPERATORS, *DECIDING})


def why_not_join(person_id: UUID, pool: str, now: datetime) -> str:
    """Why this person may not belong to a pool; empty when they may."""
    against = sorted(pools_of_person(person_id) & conflicting(pool))
    if against:
        return _("This person belongs to %(others)s; nobody belongs to both that and %(pool)s.") % {
            "others": ", ".join(against),
            "pool": pool,
        }
    if pool == AUDITORS and owns_live_writing_tokens(person_id, now=now):
        return _(
            "This person's service accounts have tokens that write, and auditors change nothing: revoke them first."
        )
    return ""


def why_not_decide_change(user: User, row: PoolChange) -> str:
    """Why this log-in may not carry out or refuse a change; empty when it may."""
    if row.state != PoolChange.State.PROPOSED:
        return _("This change is decided already.")
    if refusal := why_nothing(user):
        return refusal
    if user.person_id == row.proposed_by_id:
        return _("You proposed this: another person decides it, whatever log-in they use.")
    if user.person_id == row.person_id:
        return _("This is about you: another person decides it.")
    if refusal := _why_not_one_of(user, {OPERATORS, COMPLIANCE, row.pool}):
        return refusal
    own = {COMPLIANCE, row.pool}
    proposer = roles_of(row.proposed_account_id) if row.proposed_account_id else frozenset()
    if not own & (roles_of(user.pk) | proposer):
        return _("An operator proposed this: a member of %(pool)s or of %(compliance)s decides it.") % {
            "pool": row.pool,
            "compliance": COMPLIANCE,
        }
    return ""


def why_not_withdraw_change(user: User, row: PoolChange) -> str:
    """Why this log-in may not take a proposal back; empty when it may."""
    if row.state != PoolChange.State.PROPOSED:
        return _("This change is decided already.")
    if user.person_id != row.proposed_by_id or not user.is_active:
        return _("Only who proposed it takes it back.")
    return ""


def why_not_operate(user: User) -> str:
    """Why this log-in may not register, reset, close or reopen log-ins; empty when it may."""
    return why_nothing(user) or _why_not_one_of(user, {OPERATORS})


def why_not_operate_on(user: User, account: User) -> str:
    """The same for one log-in: nobody resets, closes or reopens their own."""
    if refusal := why_not_operate(user):
        return refusal
    if user.person_id == account.person_id:
        return _("This log-in is your own: another operator does this.")
    return ""


def why_not_confirm(user: User, account: User, suspended_by_person: UUID | None) -> str:
    """Why this log-in may not confirm a suspended one now; empty when it may."""
    if refusal := why_no_confirmer(user, account, suspended_by_person):
        return refusal
    if account.password_set_by_other_at is not None:
        return _("Somebody else set its password: its owner changes the password first.")
    return ""


def why_no_confirmer(user: User, account: User, suspended_by_person: UUID | None) -> str:
    """Why it is not for this log-in to confirm a suspended one, be it now or later; empty when it is."""
    if account.decisions_suspended_at is None:
        return _("Nothing waits to be confirmed.")
    if refusal := why_nothing(user):
        return refusal
    if user.person_id == account.person_id:
        return _("This log-in is your own: another person confirms it.")
    if user.person_id == suspended_by_person:
        return _("You suspended it: another person confirms it.")
    return _why_not_one_of(user, {COMPLIANCE, *(roles_of(account.pk) & set(DECIDING))})


def why_not_see_log_ins(user: User, person_id: UUID) -> str:
    """Why this log-in may not see the log-ins and service accounts of a person."""
    if user.person_id == person_id:
        return ""
    return _why_not_one_of(user, {OPERATORS, AUDITORS, COMPLIANCE})


def sees_all_tokens(user: User) -> bool:
    """Whether this log-in reads all service accounts, not its own alone."""
    return bool({OPERATORS, AUDITORS, COMPLIANCE} & roles_of(user.pk))


def why_not_create_service(user: User) -> str:
    """Why this log-in may not create service accounts; empty when it may."""
    return why_not_operate(user)


def why_not_change_tokens(user: User, owner_id: UUID) -> str:
    """Why this log-in may not issue, rotate or revoke tokens of a service account; empty when it may."""
    if refusal := why_nothing(user):
        return refusal
    pools = roles_of(user.pk)
    if AUDITORS in pools:
        return _("Auditors read and change nothing.")
    if user.person_id != owner_id and OPERATORS not in pools:
        return _("Only the owner and members of %(pool)s change these tokens.") % {"pool": OPERATORS}
    return ""


def _why_not_one_of(user: User, pools: set[str]) -> str:
    if not roles_of(user.pk) & pools:
        return _("Only members of these pools may do this: %(pools)s.") % {"pools": ", ".join(sorted(pools))}
    return ""
