"""People, pools and log-ins as the pages show them: each in a constant number of queries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from audit.events import EventType
from audit.models import Entry, Person, PoolChange, ServiceAccount, User
from audit.queries.poolrules import DECIDING, POOLS
from audit.queries.roles import COMPLIANCE, OPERATORS

MOST_OPEN: Final = 200
DECISIONS: Final = (
    EventType.DECISION_RECORDED,
    EventType.SECTION_ERASED,
    EventType.ERASURE_REJECTED,
    EventType.POOL_CHANGE_CARRIED_OUT,
    EventType.POOL_CHANGE_REFUSED,
)
"""Entries whose actor decided something."""

Membership = User.groups.through


class NobodyThere(LookupError):
    """No such person, log-in or change."""


@dataclass(frozen=True, slots=True)
class Member:
    """A log-in in a pool. `entry` tells that it joined, None where the log does not say; `founding`: added by one."""

    account_id: int
    person_id: UUID
    name: str
    username: str
    active: bool
    suspended: bool
    entry: int | None
    mode: str


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool and its members by name. `decides`: two persons change it."""

    name: str
    decides: bool
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of a pool. `for_me`: the viewer may decide it now; names are empty where nobody is meant."""

    id: UUID
    reference: str
    pool: str
    change: str
    mode: str
    state: str
    reason: str
    account_id: int
    username: str
    person_id: UUID
    name: str
    proposer: str
    proposed_at: datetime
    decider: str
    decision_reason: str
    decided_at: datetime | None
    row_version: int
    for_me: bool


@dataclass(frozen=True, slots=True)
class LogIn:
    """A log-in of a person and the pools it belongs to."""

    account_id: int
    username: str
    active: bool
    last_login: datetime | None
    suspended_at: datetime | None
    suspended_because: str
    suspended_by: UUID | None
    pools: tuple[str, ...]
    row_version: int


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One person. `decisions` counts the entries by which they decided something, `newest` are the last of them."""

    id: UUID
    name: str
    log_ins: tuple[LogIn, ...]
    services: tuple[tuple[UUID, str], ...]
    changes: tuple[ChangeRow, ...]
    decisions: int
    newest: tuple[tuple[int, str], ...]


def pools() -> tuple[Pool, ...]:
    """Every pool with its members, those that decide first."""
    rows = list(
        Membership.objects.filter(group__name__in=POOLS)
        .order_by("user__person__display_name", "user__username")
        .values_list(
            "group__name",
            "user_id",
            "user__person_id",
            "user__person__display_name",
            "user__username",
            "user__is_active",
            "user__decisions_suspended_at",
        )
    )
    joined = _joined()
    registered = _registered({f"person:{row[2]}" for row in rows})
    found: dict[str, list[Member]] = {pool: [] for pool in POOLS}
    for pool, account, person, name, username, active, suspended in rows:
        entry, mode = joined.get((account, pool), (registered.get(f"person:{person}"), ""))
        found[pool].append(Member(account, person, name, username, active, suspended is not None, entry, mode))
    return tuple(Pool(pool, pool in DECIDING, tuple(members)) for pool, members in found.items())


def open_changes(*, viewer: User) -> tuple[ChangeRow, ...]:
    """Changes that wait for a second person, oldest first."""
    waiting = PoolChange.objects.filter(state=PoolChange.State.PROPOSED)
    return _changes(waiting.order_by("number")[:MOST_OPEN], viewer)


def waiting_for_me(viewer: User) -> int:
    """How many changes wait that the viewer may decide."""
    if viewer.decisions_suspended_at is not None:
        return 0
    mine, proposer = Membership.objects.filter(user_id=viewer.pk), OuterRef("proposed_account_id")
    own = Q(group__name=COMPLIANCE) | Q(group__name=OuterRef("pool"))
    return (
        PoolChange.objects.filter(
            Exists(mine.filter(own | Q(group__name=OPERATORS))),
            Exists(mine.filter(own)) | Exists(Membership.objects.filter(own, user_id=proposer)),
            state=PoolChange.State.PROPOSED,
        )
        .exclude(proposed_by_id=viewer.person_id)
        .exclude(person_id=viewer.person_id)
        .count()
    )


def closed_changes(*, limit: int = 20) -> tuple[ChangeRow, ...]:
    """Changes that wait for nobody, newest first."""
    done = PoolChange.objects.exclude(state=PoolChange.State.PROPOSED)
    return _changes(done.order_by("-number")[:limit], None)


def pool_change(change_id: UUID, *, viewer: User | None = None) -> ChangeRow:
    """One change.

    Raises:
        NobodyThere: nobody proposed it.
    """
    found = _changes(PoolChange.objects.filter(pk=change_id), viewer)
    if not found:
        raise NobodyThere("There is no such change of a pool.")
    return found[0]


def person_page(person_id: UUID) -> PersonPage:
    """One person with everything that hangs on them.

    Raises:
        NobodyThere: no such person.
    """
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NobodyThere("There is no such person.")
    decided = Entry.objects.filter(type__in=DECISIONS, actor=f"person:{person_id}")
    changes = PoolChange.objects.filter(person_id=person_id).order_by("-number")
    return PersonPage(
        id=person.pk,
        name=person.display_name,
        log_ins=tuple(_log_ins(person_id)),
        services=tuple(ServiceAccount.objects.filter(owner_id=person_id).order_by("name").values_list("pk", "name")),
        changes=_changes(changes[:20], None),
        decisions=decided.count(),
        newest=tuple(decided.order_by("-index").values_list("index", "type")[:10]),
    )


def log_in(account_id: int) -> tuple[User, LogIn]:
    """A log-in as a row that rules judge, and as the pages show it.

    Raises:
        NobodyThere: no such log-in.
    """
    account = User.objects.select_related("person", "suspended_by").filter(pk=account_id).first()
    if account is None:
        raise NobodyThere("There is no such log-in.")
    return account, next(row for row in _log_ins(account.person_id) if row.account_id == account_id)


def log_in_choices() -> list[tuple[int, str]]:
    """Every log-in by the name of its person."""
    rows = User.objects.order_by("person__display_name", "username")
    return [
        (pk, f"{name} ({username})")
        for pk, name, username in rows.values_list("pk", "person__display_name", "username")
    ]


def owner_choices() -> list[tuple[UUID, str]]:
    """Every person with an open log-in, by name."""
    rows = Person.objects.filter(users__is_active=True).distinct().order_by("display_name")
    return list(rows.values_list("pk", "display_name"))


def _log_ins(person_id: UUID) -> Iterable[LogIn]:
    pools_of: dict[int, list[str]] = {}
    for account, pool in (
        Membership.objects.filter(user__person_id=person_id)
        .order_by("group__name")
        .values_list("user_id", "group__name")
    ):
        pools_of.setdefault(account, []).append(pool)
    for row in User.objects.filter(person_id=person_id).select_related("suspended_by").order_by("username"):
        yield LogIn(
            account_id=row.pk,
            username=row.username,
            active=row.is_active,
            last_login=row.last_login,
            suspended_at=row.decisions_suspended_at,
            suspended_because=row.suspended_because,
            suspended_by=row.suspended_by.person_id if row.suspended_by else None,
            pools=tuple(pools_of.get(row.pk, ())),
            row_version=row.row_version,
        )


def _joined() -> dict[tuple[int, str], tuple[int | None, str]]:
    rows = (
        PoolChange.objects.filter(state=PoolChange.State.CARRIED_OUT)
        .order_by("account_id", "group_id", "-number")
        .distinct("account_id", "group_id")
        .values_list("account_id", "pool", "id", "mode")
    )
    newest = {f"pool_change:{pk}": (account, pool, mode) for account, pool, pk, mode in rows}
    told = dict(
        Entry.objects.filter(subject__in=newest, source="app", type=EventType.POOL_CHANGE_CARRIED_OUT)
        .values_list("subject")
        .annotate(Max("index"))
    )
    return {(account, pool): (told.get(subject), mode) for subject, (account, pool, mode) in newest.items()}


def _registered(subjects: Iterable[str]) -> Mapping[str, int]:
    rows = Entry.objects.filter(subject__in=set(subjects), source="app", type=EventType.PERSON_REGISTERED)
    return dict(rows.values_list("subject").annotate(Max("index")))


def _changes(rows: QuerySet[PoolChange], viewer: User | None) -> tuple[ChangeRow, ...]:
    found = list(rows.select_related("account", "person", "proposed_by", "decided_by"))
    in_pools = _pools_of([*(row.proposed_account_id for row in found), viewer.pk if viewer else None])
    return tuple(
        ChangeRow(
            id=row.pk,
            reference=f"P-{row.number}",
            pool=row.pool,
            change=row.change,
            mode=row.mode,
            state=row.state,
            reason=row.reason,
            account_id=row.account_id,
            username=row.account.username,
            person_id=row.person_id,
            name=row.person.display_name,
            proposer=row.proposed_by.display_name if row.proposed_by else "",
            proposed_at=row.proposed_at,
            decider=row.decided_by.display_name if row.decided_by else "",
            decision_reason=row.decision_reason,
            decided_at=row.decided_at,
            row_version=row.row_version,
            for_me=viewer is not None and _may_decide(row, viewer, in_pools),
        )
        for row in found
    )


def deciders_of_change(change_id: str) -> frozenset[UUID]:
    """The persons who may decide a change that is open, with a log-in that is; in a constant number of queries."""
    row = PoolChange.objects.filter(pk=change_id, state=PoolChange.State.PROPOSED).first()
    if row is None:
        return frozenset()
    users = list(User.objects.filter(is_active=True, groups__name__in={OPERATORS, COMPLIANCE, row.pool}).distinct())
    in_pools = _pools_of([user.pk for user in users] + [row.proposed_account_id])
    return frozenset(user.person_id for user in users if _may_decide(row, user, in_pools))


def _pools_of(accounts: Iterable[int | None]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    rows = Membership.objects.filter(user_id__in={account for account in accounts if account is not None})
    for account, pool in rows.values_list("user_id", "group__name"):
        found.setdefault(account, set()).add(pool)
    return found


def _may_decide(row: PoolChange, viewer: User, in_pools: Mapping[int, set[str]]) -> bool:
    """As `audit.access.rights.why_not_decide_change` says it, without a query for each row."""
    own, mine = {COMPLIANCE, row.pool}, in_pools.get(viewer.pk, set())
    return (
        row.state == PoolChange.State.PROPOSED
        and viewer.decisions_suspended_at is None
        and viewer.person_id not in {row.proposed_by_id, row.person_id}
        and bool(mine & {OPERATORS, *own})
        and bool(own & (mine | in_pools.get(row.proposed_account_id or 0, set())))
    )
