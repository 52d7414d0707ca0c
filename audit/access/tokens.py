"""Bearer tokens: making, checking and first use of the day."""

import hashlib
import hmac
import os
import re
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from audit import ledger
from audit.access.networks import NetworkRefused, read_networks
from audit.events import EventType
from audit.models import ServiceAccount, Token, TokenDay, User
from audit.queries.poolrules import pools_of_person
from audit.queries.roles import AUDITORS

SCOPES: Final = ("events:write", "usage:write", "registry:read", "registry:write", "reports:read", "log:read")
WRITES: Final = ("events:write", "usage:write", "registry:write")
"""Scopes that write: none in the name of an auditor. The database holds it (migration 0014, `assay_writes`)."""

MAX_LIFETIME: Final = timedelta(days=366)
_SECRET_BYTES: Final = 32
_TOKEN = re.compile(r"assay_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")


_REMEMBERED_FOR: Final = timedelta(seconds=1)
_valid: dict[str, tuple["Credential", datetime]] = {}
_used_today: set[tuple[uuid.UUID, str]] = set()


_OWNER: Final = Exists(User.objects.filter(person_id=OuterRef("service_account__owner_id"), is_active=True))
"""Whether anybody still answers for the token: one of the owner's log-ins is open."""


_READ_ONLY: Final = Exists(
    User.groups.through.objects.filter(user__person_id=OuterRef("service_account__owner_id"), group__name=AUDITORS)
)
"""Whether the owner is an auditor: then no scope that writes counts, whenever the token was made."""


class TokenRefused(ValueError):
    """A token that opens nothing: unknown, expired, revoked, malformed, or of an owner whose log-ins are all closed."""


class ScopeRefused(ValueError):
    """A scope or lifetime that no token can have."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a valid token says about the one who shows it."""

    token_id: uuid.UUID
    service_account_id: uuid.UUID
    source_id: uuid.UUID
    owner_id: uuid.UUID
    name: str
    scopes: frozenset[str]
    networks: tuple[str, ...] = ()

    @property
    def actor(self) -> str:
        """How this service account is named in the ledger."""
        return f"service:{self.service_account_id}"

    @property
    def source(self) -> str:
        """How its source is named in the ledger."""
        return f"source:{self.source_id}"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. `text` is shown once and kept nowhere."""

    id: uuid.UUID
    text: str
    expires_at: datetime


def issue_token(
    *,
    service_account_id: uuid.UUID,
    scopes: Sequence[str],
    lifetime: timedelta,
    actor: str,
    now: datetime,
    networks: Sequence[str] = (),
    entropy: Callable[[int], bytes] = os.urandom,
) -> IssuedToken:
    """Make a token for a service account, and record that it was made. With `networks` it works from these alone.

    Raises:
        ScopeRefused: an unknown scope, none, one that writes for an auditor, a lifetime beyond 366 days, or no network.
        ServiceAccount.DoesNotExist: no such account.
    """
    with transaction.atomic(durable=True):
        account = ServiceAccount.objects.get(id=service_account_id)
        issued, token = make_token(
            account, scopes=scopes, lifetime=lifetime, networks=networks, now=now, entropy=entropy
        )
        facts = {"after": snapshot(token), "before": None}
        ledger.append(events=[_event(EventType.TOKEN_ISSUED, token.id, actor, now, facts)])
    return issued


def make_token(
    account: ServiceAccount,
    *,
    scopes: Sequence[str],
    lifetime: timedelta,
    networks: Sequence[str],
    now: datetime,
    rotated_from: Token | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
) -> tuple[IssuedToken, Token]:
    """A new row and its text, in the caller's transaction, which records it.

    Raises:
        ScopeRefused: as `issue_token`.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ScopeRefused(f"scopes: choose from {', '.join(SCOPES)}.")
    if set(scopes) & set(WRITES) and AUDITORS in pools_of_person(account.owner_id):
        raise ScopeRefused("scopes: " + _("Its owner is an auditor, who changes nothing: no scope that writes."))
    if not timedelta(0) < lifetime <= MAX_LIFETIME:
        raise ScopeRefused(f"lifetime: at most {MAX_LIFETIME.days} days.")
    prefix = _base32(entropy(5))
    secret = urlsafe_b64encode(entropy(_SECRET_BYTES)).decode().rstrip("=")
    try:
        bound = read_networks(networks)
    except NetworkRefused as error:
        raise ScopeRefused(f"networks: {error}") from error
    token = Token.objects.create(
        prefix=prefix,
        digest=hashlib.sha256(secret.encode()).digest(),
        service_account=account,
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=now + lifetime,
        networks=list(bound),
        rotated_from=rotated_from,
    )
    return IssuedToken(token.id, f"assay_{prefix}_{secret}", token.expires_at), token


def owns_live_writing_tokens(person_id: uuid.UUID, *, now: datetime) -> bool:
    """Whether something may write in the name of a person: a token neither revoked nor expired."""
    writing = Q()
    for scope in WRITES:
        writing |= Q(scopes__contains=[scope])
    live = Token.objects.filter(service_account__owner_id=person_id, revoked_at__isnull=True, expires_at__gt=now)
    return live.filter(writing).exists()


def snapshot(token: Token) -> dict[str, object]:
    """What the ledger says of a token: nothing that opens anything."""
    return {
        "prefix": token.prefix,
        "service_account": str(token.service_account_id),
        "scopes": list(token.scopes),
        "networks": list(token.networks),
        "expires_at": token.expires_at.isoformat(),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
        "rotated_from": f"token:{token.rotated_from_id}" if token.rotated_from_id else None,
        "row_version": token.row_version,
    }


def check_token(text: str, *, now: datetime) -> Credential:
    """The credential behind a token text.

    A process remembers a valid token for one second: a pipeline that sends a thousand events a second costs one
    look-up, and a revocation takes effect within that second.

    Raises:
        TokenRefused: with one sentence for every reason, so that a guess learns nothing.
    """
    remembered = _valid.get(text)
    if remembered is not None and remembered[1] <= now < remembered[1] + _REMEMBERED_FOR:
        return remembered[0]
    credential = _look_up(text, now)
    if len(_valid) > 10_000:
        _valid.clear()
    _valid[text] = (credential, now)
    return credential


def _look_up(text: str, now: datetime) -> Credential:
    match = _TOKEN.fullmatch(text)
    refusal = TokenRefused("This token is not valid. Ask an operator for a new one.")
    if match is None:
        raise refusal
    prefix, secret = match.groups()
    rows = Token.objects.select_related("service_account").annotate(answered_for=_OWNER, read_only=_READ_ONLY)
    token = rows.filter(prefix=prefix).first()
    digest = hashlib.sha256(secret.encode()).digest()
    if token is None or not hmac.compare_digest(bytes(token.digest), digest):
        raise refusal
    if token.revoked_at is not None or token.expires_at <= now or not token.answered_for:
        raise refusal
    account = token.service_account
    return Credential(
        token_id=token.id,
        service_account_id=account.id,
        source_id=account.source_id,
        owner_id=account.owner_id,
        name=account.name,
        scopes=frozenset(token.scopes) - frozenset(WRITES if token.read_only else ()),
        networks=tuple(token.networks),
    )


def note_use(credential: Credential, *, now: datetime) -> None:
    """Record the first use of a token on a day; every later use of that day is noise and makes no entry."""
    key = (credential.token_id, now.date().isoformat())
    if key in _used_today:
        return
    with transaction.atomic(durable=True):
        fresh = TokenDay.objects.bulk_create(
            [TokenDay(token_id=credential.token_id, day=now.date())], ignore_conflicts=True
        )
        # ignore_conflicts does not tell which row won: the idempotency key of the entry decides.
        assert len(fresh) == 1
        day = key[1]
        event = _event(
            EventType.TOKEN_USED,
            credential.token_id,
            credential.actor,
            now,
            {"day": day},
            ledger.Idempotency(client_id=f"{credential.token_id}/{day}", content=b""),
        )
        ledger.append(events=[event])
    if len(_used_today) > 10_000:
        _used_today.clear()
    _used_today.add(key)


def _event(
    kind: EventType,
    token_id: uuid.UUID,
    actor: str,
    now: datetime,
    content: Mapping[str, object],
    idempotency: ledger.Idempotency | None = None,
) -> ledger.Event:
    return ledger.Event(
        type=kind,
        subject=f"token:{token_id}",
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts(content),),
        idempotency=idempotency,
    )


def _base32(data: bytes) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    value = int.from_bytes(data, "big")
    return "".join(alphabet[value >> shift & 31] for shift in range(35, -1, -5))
