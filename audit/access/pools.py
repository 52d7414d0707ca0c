"""Changing who belongs to a pool: proposed by one person, carried out by another, each with its entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import connection
from django.utils.translation import gettext as _

from audit import ledger
from audit.access.base import Refused, append, change, reason_text, refuse, refuse_stale, told
from audit.access.rights import (
    why_not_decide_change,
    why_not_join,
    why_not_propose,
    why_not_withdraw_change,
)
from audit.events import EventType
from audit.models import PoolChange, User
from audit.queries.poolrules import DECIDING, FOUNDED, POOLS, persons_in
from audit.queries.roles import COMPLIANCE, roles_of
from audit.tlog.leaf import format_time

State, Mode, Change = PoolChange.State, PoolChange.Mode, PoolChange.Change
Membership = User.groups.through

SUSPENDED: Final = "reset"
"""Why a log-in is suspended that joins with a password that somebody else set: the same as after a reset."""

COLUMNS: Final = (
    "id", "number", "account_id", "person_id", "group_id", "pool", "change", "mode", "reason", "state",
    "proposed_by_id", "proposed_account_id", "proposed_at", "decided_by_id", "decided_account_id", "decision_reason",
    "decided_at", "row_version",
)  # fmt: skip

_TOLD_AS: Final = {
    State.PROPOSED: EventType.POOL_CHANGE_PROPOSED,
    State.CARRIED_OUT: EventType.POOL_CHANGE_CARRIED_OUT,
    State.REFUSED: EventType.POOL_CHANGE_REFUSED,
    State.WITHDRAWN: EventType.POOL_CHANGE_WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Changed:
    """A change as it stands now, and the entries that tell it."""

    id: UUID
    state: str
    entries: tuple[int, ...]


def propose_change(*, by: User, account_id: int, pool: str, change_: str, reason: str, now: datetime) -> Changed:
    """Propose that a log-in joins a pool or leaves it.

    A pool that decides something is changed by two persons. While it has fewer than two, a compliance officer may add
    another person at once, and the entry says `founding`. A pool that decides nothing is changed by one operator.

    Raises:
        Refused: who may not, no such log-in or pool, nothing to change, or a change that waits already.
    """
    reason = reason_text(reason)
    if pool not in POOLS:
        raise Refused("pool", _("Choose one of the pools."))
    if change_ not in Change.values:
        raise Refused("change", _("Choose whether the log-in joins or leaves."))
    with change("account"):
        account = User.objects.select_for_update().filter(pk=account_id).first()
        if account is None:
            raise Refused("account", _("There is no such log-in."))
        refuse(why_not_propose(by, pool))
        _refuse_impossible(account, pool, change_, now)
        mode = _mode(by, pool, change_)
        if mode != Mode.TWO_PERSONS and by.person_id == account.person_id:
            raise Refused("account", _("Nobody changes their own pools alone."))
        row = PoolChange(
            change=change_, mode=mode, reason=reason, proposed_by_id=by.person_id, proposed_account=by, proposed_at=now
        )
        events = _begin(row, account, pool, by.actor, now)
        return Changed(row.id, row.state, append(*events))


def decide_change(*, by: User, change_id: UUID, decision: str, reason: str, seen: int, now: datetime) -> Changed:
    """Carry out a proposed change (`carry_out`) or refuse it (`refuse`), as another person than its proposer.

    Whoever joins with a password that somebody else set decides nothing until they changed it and were confirmed.

    Raises:
        Refused: who may not, a change that is decided, changed since it was seen, or cannot be carried out any more.
    """
    reason = reason_text(reason)
    states = {"carry_out": State.CARRIED_OUT, "refuse": State.REFUSED}
    if decision not in states:
        raise Refused("decision", _("Choose whether it is carried out or refused."))
    with change():
        row = _locked(change_id)
        refuse_stale(seen, row.row_version)
        refuse(why_not_decide_change(User.objects.get(pk=by.pk), row))
        if decision == "carry_out":
            row.account = User.objects.select_for_update(no_key=True).get(pk=row.account_id)
            _refuse_impossible(row.account, row.pool, row.change, now)
        return _close(row, states[decision], by, reason, now)


def withdraw_change(*, by: User, change_id: UUID, reason: str, seen: int, now: datetime) -> Changed:
    """Take a proposal back, as its proposer.

    Raises:
        Refused: somebody else's, or decided already.
    """
    reason = reason_text(reason)
    with change():
        row = _locked(change_id)
        refuse_stale(seen, row.row_version)
        refuse(why_not_withdraw_change(User.objects.get(pk=by.pk), row))
        return _close(row, State.WITHDRAWN, by, reason, now)


def join_at_installation(user: User, pools: Sequence[str], *, actor: str, now: datetime) -> list[ledger.Event]:
    """Let a new log-in join its first pools inside the caller's transaction; the events that tell of those that decide.

    The path of the machine itself (set-up, demo, tests): whoever may run it may run anything. No page and no address
    leads here, and the database takes it only for a log-in that was never used.
    """
    events: list[ledger.Event] = []
    for pool in pools:
        if pool in DECIDING:
            row = PoolChange(
                change=Change.ADD, mode=Mode.INSTALLATION, reason="Registered with the log-in.", proposed_at=now
            )
            events += _begin(row, user, pool, actor, now)
        else:
            Membership.objects.create(user_id=user.pk, group_id=_group(pool).pk)
    return events


def snapshot(row: PoolChange) -> dict[str, object]:
    """Every column of a change, as it stands in the ledger."""
    return {column: _plain(getattr(row, column)) for column in COLUMNS}


def _begin(row: PoolChange, account: User, pool: str, actor: str, now: datetime) -> list[ledger.Event]:
    group = _group(pool)
    row.number, row.pool, row.group_id = _next_number(), pool, group.pk
    row.account_id, row.person_id = account.pk, account.person_id
    row.state = State.PROPOSED if row.mode == Mode.TWO_PERSONS else State.CARRIED_OUT
    row.save(force_insert=True)
    proposed = {**snapshot(row), "state": State.PROPOSED.value}
    events = [told(EventType.POOL_CHANGE_PROPOSED, _subject(row), actor=actor, now=now, after=proposed)]
    if row.state == State.CARRIED_OUT:
        suspended = _carry_out(row, account, now)
        events.append(_event(row, actor, now, proposed, **suspended))
    return events


def _close(row: PoolChange, state: PoolChange.State, by: User, reason: str, now: datetime) -> Changed:
    before = snapshot(row)
    row.state, row.decision_reason, row.decided_at = state, reason, now
    row.decided_by_id, row.decided_account = by.person_id, by
    row.row_version += 1
    row.save()
    suspended = _carry_out(row, row.account, now) if state == State.CARRIED_OUT else {}
    return Changed(row.id, row.state, append(_event(row, by.actor, now, before, **suspended)))


def _carry_out(row: PoolChange, account: User, now: datetime) -> dict[str, object]:
    """The membership as the change says; what its entry tells of a log-in that this suspended."""
    suspended: dict[str, object] = {}
    if row.change == Change.ADD:
        if _joins_with_a_known_password(row, account):
            account.decisions_suspended_at, account.suspended_because = now, SUSPENDED
            account.suspended_by, account.confirmed_by = None, None
            account.row_version += 1
            account.save()
            suspended = {"suspended_log_in": account.pk, "suspended_because": SUSPENDED}
        Membership.objects.create(user_id=row.account_id, group_id=row.group_id)
    else:
        Membership.objects.filter(user_id=row.account_id, group_id=row.group_id).delete()
    return suspended


def _joins_with_a_known_password(row: PoolChange, account: User) -> bool:
    return (
        row.pool in DECIDING
        and row.mode != Mode.INSTALLATION
        and account.password_set_by_other_at is not None
        and account.decisions_suspended_at is None
    )


def _event(row: PoolChange, actor: str, now: datetime, before: dict[str, object], **more: object) -> ledger.Event:
    kind = _TOLD_AS[State(row.state)]
    return told(kind, _subject(row), actor=actor, now=now, after=snapshot(row), before=before, **more)


def _refuse_impossible(account: User, pool: str, change_: str, now: datetime) -> None:
    is_member = Membership.objects.filter(user_id=account.pk, group__name=pool).exists()
    if change_ == Change.REMOVE:
        refuse("" if is_member else _("This log-in does not belong to the pool."), field="account")
        return
    refuse(_("This log-in belongs to the pool already.") if is_member else "", field="account")
    refuse("" if account.is_active else _("This log-in is closed."), field="account")
    refuse(why_not_join(account.person_id, pool, now), field="pool")


def _mode(by: User, pool: str, change_: str) -> PoolChange.Mode:
    """Operators found nothing: one who makes log-ins would fill a pool with them alone."""
    if pool not in DECIDING:
        return Mode.ORDINARY
    founds = change_ == Change.ADD and COMPLIANCE in roles_of(by.pk) and persons_in(pool) < FOUNDED
    return Mode.FOUNDING if founds else Mode.TWO_PERSONS


def _locked(change_id: UUID) -> PoolChange:
    row = PoolChange.objects.select_for_update(of=("self",)).select_related("account").filter(pk=change_id).first()
    if row is None:
        raise Refused("", _("There is no such change."))
    return row


def _group(pool: str) -> Group:
    return Group.objects.get_or_create(name=pool)[0]


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('pool_change_number')")
        row = cursor.fetchone()
    assert row is not None  # nextval always returns
    return int(row[0])


def _subject(row: PoolChange) -> str:
    return f"pool_change:{row.id}"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, UUID):
        return str(value)
    return str(value) if isinstance(value, str) else value
