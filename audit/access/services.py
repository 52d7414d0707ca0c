"""Service accounts and tokens as people keep them: an operator creates, the owner or an operator changes tokens."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _

from audit import ledger
from audit.access.base import Refused, append, change, reason_text, refuse, refuse_stale, text, told
from audit.access.people import register_service_account
from audit.access.rights import why_not_change_tokens, why_not_create_service
from audit.access.tokens import IssuedToken, ScopeRefused, make_token, snapshot
from audit.events import EventType
from audit.models import ServiceAccount, Token, User
from audit.queries.poolrules import pools_of_person
from audit.queries.roles import AUDITORS

MAX_OVERLAP: Final = timedelta(days=30)


def create_service_account(
    *, by: User, name: str, source_name: str, owner_id: UUID, description: str = "", now: datetime
) -> ServiceAccount:
    """A service account under which a pipeline acts; its owner answers for it.

    Raises:
        Refused: who may not, a name that stands or cannot be, or an owner who cannot answer for one.
    """
    refuse(why_not_create_service(by))
    name = text("name", name, least=1, most=100)
    source_name = text("source_name", source_name, least=1, most=100)
    description = text("description", description, most=500)
    if not User.objects.filter(person_id=owner_id, is_active=True).exists():
        raise Refused("owner_id", _("The owner needs an open log-in."))
    if AUDITORS in pools_of_person(owner_id):
        raise Refused("owner_id", _("An auditor changes nothing, so nothing acts in their name."))
    if ServiceAccount.objects.filter(name=name).exists():
        raise Refused("name", _("This name stands already."))
    try:
        return register_service_account(
            name=name,
            source_name=source_name,
            owner_id=owner_id,
            description=description,
            actor=by.actor,
            now=now,
        )
    except IntegrityError as error:
        raise Refused("name", _("This name stands already.")) from error


def issue(
    *,
    by: User,
    service_account_id: UUID,
    scopes: Sequence[str],
    days: int,
    networks: Sequence[str] = (),
    now: datetime,
    entropy: Callable[[int], bytes] = os.urandom,
) -> IssuedToken:
    """A new token of a service account; its text is shown once.

    Raises:
        Refused: who may not, or what no token can have.
    """
    with change():
        account = _account(service_account_id)
        refuse(why_not_change_tokens(by, account.owner_id))
        issued, token = _make(account, scopes=scopes, days=days, networks=networks, now=now, entropy=entropy)
        append(_told(EventType.TOKEN_ISSUED, token, by, now))
    return issued


def rotate(
    *,
    by: User,
    token_id: UUID,
    days: int,
    overlap_days: int,
    seen: int,
    now: datetime,
    entropy: Callable[[int], bytes] = os.urandom,
) -> IssuedToken:
    """A new token with the scopes and networks of the old one, which ends after an overlap of at most 30 days.

    Raises:
        Refused: who may not, a token that ended or changed since it was seen, or a time that cannot be.
    """
    if not 0 <= overlap_days <= MAX_OVERLAP.days:
        raise Refused("overlap_days", _("An overlap is 0 to %(most)s days.") % {"most": MAX_OVERLAP.days})
    with change():
        old = _locked(token_id, by, seen, now)
        before = snapshot(old)
        old.expires_at = min(old.expires_at, now + timedelta(days=overlap_days))
        _save(old)
        issued, fresh = _make(
            old.service_account,
            scopes=old.scopes,
            days=days,
            networks=old.networks,
            now=now,
            rotated_from=old,
            entropy=entropy,
        )
        append(
            _told(EventType.TOKEN_ROTATED, old, by, now, before, rotated_to=f"token:{fresh.id}"),
            _told(EventType.TOKEN_ISSUED, fresh, by, now),
        )
    return issued


def revoke(*, by: User, token_id: UUID, reason: str, seen: int, now: datetime) -> None:
    """End a token at once; web processes learn it within a second.

    Raises:
        Refused: who may not, a token that ended or changed since it was seen, or no reason.
    """
    reason = reason_text(reason)
    with change():
        token = _locked(token_id, by, seen, now)
        before = snapshot(token)
        token.revoked_at = now
        _save(token)
        append(_told(EventType.TOKEN_REVOKED, token, by, now, before, reason=reason))


def _make(
    account: ServiceAccount,
    *,
    scopes: Sequence[str],
    days: int,
    networks: Sequence[str],
    now: datetime,
    entropy: Callable[[int], bytes],
    rotated_from: Token | None = None,
) -> tuple[IssuedToken, Token]:
    try:
        return make_token(
            account,
            scopes=scopes,
            lifetime=timedelta(days=days),
            networks=networks,
            now=now,
            rotated_from=rotated_from,
            entropy=entropy,
        )
    except ScopeRefused as error:
        field, _colon, words = str(error).partition(": ")
        raise Refused({"lifetime": "days"}.get(field, field), words) from error


def _account(service_account_id: UUID) -> ServiceAccount:
    found = ServiceAccount.objects.filter(pk=service_account_id).first()
    if found is None:
        raise Refused("", _("There is no such service account."))
    return found


def _locked(token_id: UUID, by: User, seen: int, now: datetime) -> Token:
    rows = Token.objects.select_for_update(of=("self",)).select_related("service_account")
    token = rows.filter(pk=token_id).first()
    if token is None:
        raise Refused("", _("There is no such token."))
    refuse(why_not_change_tokens(by, token.service_account.owner_id))
    refuse_stale(seen, token.row_version)
    if token.revoked_at is not None or token.expires_at <= now:
        raise Refused("token", _("This token has ended already."))
    return token


def _save(token: Token) -> None:
    token.row_version += 1
    token.save(update_fields=["expires_at", "revoked_at", "row_version"])


def _told(
    kind: EventType, token: Token, by: User, now: datetime, before: dict[str, object] | None = None, **more: object
) -> ledger.Event:
    return told(kind, f"token:{token.id}", actor=by.actor, now=now, after=snapshot(token), before=before, **more)
