"""Service accounts and tokens as the pages and REST show them: never a secret, in a constant number of queries."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from audit.events import EventType
from audit.models import Entry, ServiceAccount, Source, Token, TokenDay, User

MOST: Final = 500
State = Literal["active", "expired", "revoked", "closed"]


class NoSuchToken(LookupError):
    """No such service account or token."""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service account. `tokens` that work now; `owner_closed`: nobody answers for it, so none of them does."""

    id: UUID
    name: str
    owner_id: UUID
    owner: str
    owner_closed: bool
    source_id: UUID
    source: str
    tokens: int
    last_used: date | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token. `entry` tells its issue, None where the log does not say; `rotated_from`: prefix of the one before."""

    id: UUID
    prefix: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    state: State
    last_used: date | None
    rotated_from: str
    entry: int | None
    row_version: int


def service_accounts(*, owner_id: UUID | None, now: datetime) -> tuple[ServiceRow, ...]:
    """Service accounts by name: of one owner, or all when None."""
    rows = ServiceAccount.objects.all() if owner_id is None else ServiceAccount.objects.filter(owner_id=owner_id)
    return _services(rows.order_by("name")[:MOST], now)


def service_account(service_id: UUID, *, now: datetime) -> tuple[ServiceRow, tuple[TokenRow, ...]]:
    """One service account and its tokens, newest first.

    Raises:
        NoSuchToken: there is none.
    """
    found = _services(ServiceAccount.objects.filter(pk=service_id), now)
    if not found:
        raise NoSuchToken("There is no such service account.")
    tokens = Token.objects.filter(service_account_id=service_id).order_by("-created_at", "pk")[:MOST]
    return found[0], _tokens(list(tokens.select_related("rotated_from")), found[0].owner_closed, now)


def token(token_id: UUID, *, now: datetime) -> tuple[ServiceRow, TokenRow]:
    """One token and its service account.

    Raises:
        NoSuchToken: there is none.
    """
    found = Token.objects.select_related("rotated_from").filter(pk=token_id).first()
    if found is None:
        raise NoSuchToken("There is no such token.")
    [service] = _services(ServiceAccount.objects.filter(pk=found.service_account_id), now)
    return service, _tokens([found], service.owner_closed, now)[0]


def source_names() -> list[str]:
    """Names of every source."""
    return list(Source.objects.order_by("name").values_list("name", flat=True))


def _services(rows: QuerySet[ServiceAccount], now: datetime) -> tuple[ServiceRow, ...]:
    live = Q(tokens__revoked_at__isnull=True, tokens__expires_at__gt=now)
    found = list(rows.select_related("owner", "source").annotate(live=Count("tokens", filter=live)))
    used = dict(
        TokenDay.objects.filter(token__service_account__in=[row.pk for row in found])
        .values_list("token__service_account_id")
        .annotate(Max("day"))
    )
    owners = {row.owner_id for row in found}
    open_owners = set(User.objects.filter(person_id__in=owners, is_active=True).values_list("person_id", flat=True))
    return tuple(
        ServiceRow(
            id=row.pk,
            name=row.name,
            owner_id=row.owner_id,
            owner=row.owner.display_name,
            owner_closed=row.owner_id not in open_owners,
            source_id=row.source_id,
            source=row.source.name,
            tokens=row.live if row.owner_id in open_owners else 0,
            last_used=used.get(row.pk),
        )
        for row in found
    )


def _tokens(rows: list[Token], owner_closed: bool, now: datetime) -> tuple[TokenRow, ...]:
    ids = [row.pk for row in rows]
    used = dict(TokenDay.objects.filter(token_id__in=ids).values_list("token_id").annotate(Max("day")))
    told = dict(
        Entry.objects.filter(
            subject__in=[f"token:{pk}" for pk in ids], source="app", type=EventType.TOKEN_ISSUED
        ).values_list("subject", "index")
    )
    return tuple(
        TokenRow(
            id=row.pk,
            prefix=row.prefix,
            scopes=tuple(row.scopes),
            networks=tuple(row.networks),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            state=_state(row, owner_closed, now),
            last_used=used.get(row.pk),
            rotated_from=row.rotated_from.prefix if row.rotated_from else "",
            entry=told.get(f"token:{row.pk}"),
            row_version=row.row_version,
        )
        for row in rows
    )


def _state(row: Token, owner_closed: bool, now: datetime) -> State:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "expired"
    return "closed" if owner_closed else "active"
