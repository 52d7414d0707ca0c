"""Looking after webhooks: registering, changing, new secrets with overlap, switching off, and sending again.

Changes of an endpoint are entries; its address and its secrets are not in them. A secret is shown once, by the call
that makes it, and kept encrypted with a key made from SECRET_KEY.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.utils.encoding import force_bytes

from audit.events import EventType
from audit.formats.addresses import AddressRefused, check_network, check_url
from audit.models import User
from governance.models import WebhookDelivery, WebhookEndpoint
from governance.operations.base import Recorded, Refused, change, choice, event, recorded, text
from governance.queries.matters import SENDABLE, TEST
from governance.queries.rights import viewer
from governance.queries.webhooks import why_not_run_webhooks
from governance.snapshot import snapshot

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"
OVERLAP: Final = timedelta(hours=24)
"""How long the secret before still signs beside a new one."""
_NOUN: Final = "A webhook's address"


class SecretUnreadable(Exception):
    """A stored secret opens with no key of this installation: SECRET_KEY was changed. Set a new secret."""


@dataclass(frozen=True, slots=True)
class SecretSet:
    """A change that made a secret: what was recorded, and the secret in clear, this once."""

    recorded: Recorded
    secret: str


def register_webhook(
    *,
    by: User,
    name: str,
    url: str,
    kinds: Sequence[str],
    now: datetime,
    entropy: Callable[[int], bytes] = os.urandom,
) -> SecretSet:
    """Register an address that is told of some kinds of matters.

    Raises:
        Refused: not an operator, a name that stands already, or an address that may not be.
    """
    _refuse_unless_operator(by)
    name = text("name", name, limit=100)
    url, chosen = _address(url), _kinds(kinds)
    secret = entropy(SECRET_BYTES)
    with change("name"):
        row = WebhookEndpoint.objects.create(
            name=name,
            kinds=chosen,
            owner_id=by.person_id,
            secret=_sealed(secret),
            secret_set_at=now,
            registered_at=now,
            **_placed(url),
        )
        told = event("webhook", EventType.WEBHOOK_REGISTERED, row, actor=by.actor, now=now)
        done = recorded(row.id, [told])
    return SecretSet(done, shown(secret))


def change_webhook(
    *, by: User, webhook_id: UUID, name: str, url: str, kinds: Sequence[str], active: bool, seen: int, now: datetime
) -> Recorded:
    """Change an endpoint, switch it off or on again. What waits for one that is switched off is given up.

    Raises:
        Refused: not an operator, no such webhook, changed since it was read, or a field that cannot be.
    """
    _refuse_unless_operator(by)
    name = text("name", name, limit=100)
    url, chosen = _address(url), _kinds(kinds)
    with change("name"):
        row = _locked(webhook_id, seen)
        before: dict[str, object] = {**snapshot("webhook", row)}
        off = row.active and not active
        row.name, row.kinds, row.active = name, chosen, active
        for column, value in _placed(url).items():
            setattr(row, column, value)
        row.row_version += 1
        row.save()
        if off:
            WebhookDelivery.objects.filter(endpoint=row, state__in=["waiting", "failed"]).update(
                state="dead", last_error="the webhook was switched off", next_at=now
            )
        kind = EventType.WEBHOOK_DEACTIVATED if off else EventType.WEBHOOK_CHANGED
        return recorded(row.id, [event("webhook", kind, row, actor=by.actor, now=now, before=before)])


def rotate_webhook_secret(
    *, by: User, webhook_id: UUID, seen: int, now: datetime, entropy: Callable[[int], bytes] = os.urandom
) -> SecretSet:
    """Make a new secret; for `OVERLAP` the one before signs too, so that the receiver can change over.

    Raises:
        Refused: not an operator, no such webhook, or changed since it was read.
    """
    _refuse_unless_operator(by)
    secret = entropy(SECRET_BYTES)
    with change("row_version"):
        row = _locked(webhook_id, seen)
        before: dict[str, object] = {**snapshot("webhook", row)}
        row.previous_secret, row.previous_until = row.secret, now + OVERLAP
        row.secret, row.secret_set_at = _sealed(secret), now
        row.row_version += 1
        row.save()
        told = event("webhook", EventType.WEBHOOK_CHANGED, row, actor=by.actor, now=now, before=before)
        done = recorded(row.id, [told])
    return SecretSet(done, shown(secret))


def queue_test(*, by: User, webhook_id: UUID, now: datetime) -> UUID:
    """Queue a test delivery and give its id; the worker sends it like any other.

    Raises:
        Refused: not an operator, no such webhook, or one that is switched off.
    """
    _refuse_unless_operator(by)
    with transaction.atomic(durable=True):
        row = WebhookEndpoint.objects.filter(pk=webhook_id).first()
        if row is None:
            raise Refused("webhook", "is not registered.")
        if not row.active:
            raise Refused("webhook", "is switched off.")
        delivery = uuid4()
        WebhookDelivery.objects.create(
            id=delivery,
            endpoint=row,
            kind=TEST,
            subject=f"delivery:{delivery}",
            params="{}",
            created_at=now,
            next_at=now,
        )
        return delivery


def send_again(*, by: User, delivery_id: UUID, now: datetime) -> UUID:
    """Queue a delivery that was given up once more, under the same id; the id of its endpoint.

    Raises:
        Refused: not an operator, no such delivery, not given up, or an endpoint that is switched off.
    """
    _refuse_unless_operator(by)
    with transaction.atomic(durable=True):
        row = (
            WebhookDelivery.objects.select_for_update(of=("self",))
            .select_related("endpoint")
            .filter(pk=delivery_id)
            .first()
        )
        if row is None:
            raise Refused("delivery", "does not exist.")
        if row.state != WebhookDelivery.State.DEAD:
            raise Refused("delivery", "was not given up.")
        if not row.endpoint.active:
            raise Refused("delivery", "is for a webhook that is switched off.")
        row.state, row.attempts, row.next_at = WebhookDelivery.State.WAITING.value, 0, now
        row.save(update_fields=["state", "attempts", "next_at"])
        return row.endpoint_id


def secrets_of(row: WebhookEndpoint, *, now: datetime) -> list[bytes]:
    """The secrets that sign now, the newest first.

    Raises:
        SecretUnreadable: SECRET_KEY was changed since.
    """
    stored = [row.secret]
    if row.previous_secret and row.previous_until is not None and now < row.previous_until:
        stored.append(row.previous_secret)
    try:
        return [_keys().decrypt(text.encode()) for text in stored]
    except InvalidToken as error:
        raise SecretUnreadable("The secret cannot be read: SECRET_KEY was changed. Set a new secret.") from error


def shown(secret: bytes) -> str:
    """A secret as the receiver's library takes it."""
    return PREFIX + base64.b64encode(secret).decode()


def _refuse_unless_operator(by: User) -> None:
    refusal = why_not_run_webhooks(viewer(by))
    if refusal:
        raise Refused("", refusal)


def _locked(webhook_id: UUID, seen: int) -> WebhookEndpoint:
    row = WebhookEndpoint.objects.select_for_update().filter(pk=webhook_id).first()
    if row is None:
        raise Refused("webhook", "is not registered.")
    if row.row_version != seen:
        raise Refused("row_version", "is not the newest: the webhook has changed since. Read it again.")
    return row


def _kinds(kinds: Sequence[str]) -> list[str]:
    found = sorted({choice("kinds", kind, SENDABLE) for kind in kinds})
    if not found:
        raise Refused("kinds", "are missing: choose at least one.")
    return found


def _address(url: str) -> str:
    """The address, when it could be connected to; what its name resolves to is checked at each delivery."""
    url = text("url", url, limit=500)
    allowed = settings.WEBHOOK_ALLOWED_NETWORKS
    try:
        check_url(url, what=_NOUN)
        parts = urlsplit(url)
        try:
            literal = ip_address(parts.hostname or "")
        except ValueError:
            literal = None  # a name, judged when it is resolved
        if literal is not None:
            check_network(literal, allowed, setting="WEBHOOK_ALLOWED_NETWORKS")
    except AddressRefused as error:
        raise Refused("url", str(error)) from error
    if any(character.isspace() or not character.isascii() for character in url):
        raise Refused("url", "holds spaces or characters beyond ASCII; write it percent-encoded.")
    if parts.scheme == "http" and not allowed:
        raise Refused("url", "must be https: http goes only to networks that WEBHOOK_ALLOWED_NETWORKS names.")
    return url


def _placed(url: str) -> dict[str, str]:
    return {
        "url": url,
        "url_host": (urlsplit(url).hostname or "")[:255],
        "url_sha256": hashlib.sha256(url.encode()).hexdigest(),
    }


def _keys() -> MultiFernet:
    """A key for each SECRET_KEY, the current one first; `SECRET_KEY_FALLBACKS` still open what they closed."""
    return MultiFernet([_key(word) for word in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(word: str | bytes) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"assay/webhook-secret/v1").derive(force_bytes(word))
    return Fernet(base64.urlsafe_b64encode(derived))


def _sealed(secret: bytes) -> str:
    return _keys().encrypt(secret).decode()
