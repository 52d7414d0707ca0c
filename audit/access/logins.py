"""Log-ins as operators keep them: added, reset, closed, reopened; and confirmed by another person of their pools.

Whoever resets a password could sign in with it. So a log-in that decides something decides nothing after that, nor
after it was reopened, until another person than its owner and the operator confirmed it. While its password is one
that somebody else set, a first one too, nobody confirms it, and joining a pool that decides suspends it.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.utils.translation import gettext as _

from audit.access.base import Refused, append, change, reason_text, refuse, refuse_stale, text, told
from audit.access.people import register_login
from audit.access.rights import why_not_confirm, why_not_operate, why_not_operate_on
from audit.events import EventType
from audit.models import User
from audit.queries.poolrules import OTHERS, conflicting, decides
from audit.tlog.leaf import format_time

RESET: Final = "reset"
REOPENED: Final = "reopened"
_PASSWORD_BYTES: Final = 15


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """A password that Assay made. `text` is shown once and kept nowhere."""

    account_id: int
    person_id: UUID
    text: str


def add_log_in(
    *,
    by: User,
    username: str,
    display_name: str,
    email: str,
    pools: Sequence[str],
    now: datetime,
    entropy: Callable[[int], bytes] = os.urandom,
) -> FirstPassword:
    """A log-in for a person who is new here, in pools that decide nothing; the others are proposed afterwards.

    Raises:
        Refused: who may not, a name that stands or cannot be, or pools that go not together.
    """
    refuse(why_not_operate(by))
    name = text("display_name", display_name, least=1, most=200)
    if wrong := sorted(set(pools) - set(OTHERS)):
        raise Refused("pools", _("A pool that decides is joined by two persons: %(pools)s.") % {"pools": wrong[0]})
    if any(conflicting(pool) & set(pools) for pool in pools):
        raise Refused("pools", _("These pools go not together."))
    try:
        User.username_validator(username)
    except ValidationError as error:
        raise Refused("username", " ".join(error.messages)) from error
    if not username or len(username) > 150:
        raise Refused("username", _("A user name has 1 to 150 characters."))
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise Refused("email", " ".join(error.messages)) from error
    password = _made_up(entropy)
    try:
        made = register_login(
            username=username,
            display_name=name,
            email=email,
            password=password,
            groups=pools,
            actor=by.actor,
            now=now,
            set_by_other=True,
        )
    except IntegrityError as error:
        raise Refused("username", _("This user name stands already.")) from error
    return FirstPassword(made.pk, made.person_id, password)


def reset_password(
    *,
    by: User,
    account_id: int,
    reason: str,
    seen: int,
    now: datetime,
    entropy: Callable[[int], bytes] = os.urandom,
) -> FirstPassword:
    """Give a log-in a new password. If it decides something, it decides nothing until another person confirms it.

    Raises:
        Refused: who may not, or a log-in that changed since it was seen.
    """
    reason = reason_text(reason)
    password = _made_up(entropy)
    with change():
        account, before = _locked(account_id, seen)
        refuse(why_not_operate_on(by, account))
        account.set_password(password)
        account.password_set_by_other_at = now
        _suspend(account, RESET, by, now)
        _save(account, EventType.PASSWORD_RESET, by.actor, reason, before, now)
    return FirstPassword(account.pk, account.person_id, password)


def reset_on_the_machine(*, username: str, password: str, now: datetime) -> User:
    """The same for whoever runs commands on the machine: they answer to nobody here, so it suspends as well.

    Raises:
        Refused: there is no such log-in.
    """
    with change():
        account = User.objects.select_for_update().filter(username=username).first()
        if account is None:
            raise Refused("username", _("There is no such log-in."))
        before = snapshot(account)
        account.set_password(password)
        account.password_set_by_other_at = now
        _suspend(account, RESET, None, now)
        _save(account, EventType.PASSWORD_RESET, "system:command", "By a command on the machine.", before, now)
    return account


def change_own_password(*, user: User, password: str, now: datetime) -> None:
    """A person's own new password; `user` carries it afterwards. A suspension stays.

    The one that somebody else set, typed again, is no own password: whoever set it would know it still.
    """
    with change():
        account = User.objects.select_for_update().get(pk=user.pk)
        before = snapshot(account)
        if not account.check_password(password):
            account.password_set_by_other_at = None
        account.set_password(password)
        user.password = account.password
        _save(account, EventType.PASSWORD_CHANGED, account.actor, "", before, now)


def confirm_log_in(*, by: User, account_id: int, reason: str, seen: int, now: datetime) -> None:
    """Confirm that a suspended log-in is its person's again, as another person of its pools or of Compliance.

    Raises:
        Refused: who may not, nothing to confirm, or a log-in that changed since it was seen.
    """
    reason = reason_text(reason)
    with change():
        account, before = _locked(account_id, seen)
        suspended_by = account.suspended_by.person_id if account.suspended_by else None
        refuse(why_not_confirm(User.objects.get(pk=by.pk), account, suspended_by))
        account.decisions_suspended_at, account.suspended_because, account.confirmed_by = None, "", by
        _save(account, EventType.LOG_IN_CONFIRMED, by.actor, reason, before, now)


def close_log_in(*, by: User, account_id: int, reason: str, seen: int, now: datetime) -> None:
    """Close a log-in: nobody signs in with it any more; memberships stay until they are changed.

    Raises:
        Refused: who may not, closed already, or changed since it was seen.
    """
    reason = reason_text(reason)
    with change():
        account, before = _locked(account_id, seen)
        refuse(why_not_operate_on(by, account))
        refuse("" if account.is_active else _("This log-in is closed already."))
        account.is_active = False
        _save(account, EventType.LOG_IN_CLOSED, by.actor, reason, before, now)


def reopen_log_in(*, by: User, account_id: int, reason: str, seen: int, now: datetime) -> None:
    """Reopen a closed log-in. If it decides something, it decides nothing until another person confirms it.

    Raises:
        Refused: who may not, open already, or changed since it was seen.
    """
    reason = reason_text(reason)
    with change():
        account, before = _locked(account_id, seen)
        refuse(why_not_operate_on(by, account))
        refuse(_("This log-in is open.") if account.is_active else "")
        account.is_active = True
        _suspend(account, REOPENED, by, now)
        _save(account, EventType.LOG_IN_REOPENED, by.actor, reason, before, now)


def snapshot(account: User) -> dict[str, object]:
    """What the ledger says of a log-in: no name, no password."""
    suspended, set_at = account.decisions_suspended_at, account.password_set_by_other_at
    return {
        "log_in": account.pk,
        "person": f"person:{account.person_id}",
        "active": account.is_active,
        "staff": account.is_staff,
        "superuser": account.is_superuser,
        "decisions_suspended_at": format_time(suspended) if suspended else None,
        "suspended_because": account.suspended_because,
        "suspended_by": account.suspended_by_id,
        "confirmed_by": account.confirmed_by_id,
        "password_set_by_other_at": format_time(set_at) if set_at else None,
        "row_version": account.row_version,
    }


def _locked(account_id: int, seen: int) -> tuple[User, dict[str, object]]:
    rows = User.objects.select_for_update(of=("self",)).select_related("suspended_by")
    account = rows.filter(pk=account_id).first()
    if account is None:
        raise Refused("", _("There is no such log-in."))
    refuse_stale(seen, account.row_version)
    return account, snapshot(account)


def _suspend(account: User, cause: str, by: User | None, now: datetime) -> None:
    if decides(account.pk):
        account.decisions_suspended_at, account.suspended_because = now, cause
        account.suspended_by, account.confirmed_by = by, None


def _save(
    account: User, kind: EventType, actor: str, reason: str, before: dict[str, object], now: datetime
) -> tuple[int, ...]:
    account.row_version += 1
    account.save()
    event = told(
        kind, f"log_in:{account.pk}", actor=actor, now=now, after=snapshot(account), before=before, reason=reason
    )
    return append(event)


def _made_up(entropy: Callable[[int], bytes]) -> str:
    return urlsafe_b64encode(entropy(_PASSWORD_BYTES)).decode()
