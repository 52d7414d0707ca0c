"""Sending what waits for webhooks: signed, at least once, with growing pauses, then given up.

An attempt is claimed in a short transaction (SKIP LOCKED) that also says when it is due again, so no lock is held while
sending, two workers never make the same attempt, and one that is killed is followed by another under the same id.
"""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import translation

from audit.notices.outgoing import NotDelivered, post_checked
from governance.models import WebhookDelivery, WebhookEndpoint
from governance.operations.webhooks import SecretUnreadable, secrets_of
from governance.queries.matters import address_of, sentence

MOST_ATTEMPTS: Final = 10
FIRST_PAUSE: Final = timedelta(seconds=30)
GROWTH: Final = 2.5
"""Nine pauses that grow by this sum up to 21 hours; jitter moves each by a fifth at most."""
JITTER: Final = 0.2
LEASE: Final = timedelta(minutes=5)
"""An attempt without an end after this is made again: longer than a task may run."""
AT_ONCE: Final = 20
MAX_BODY: Final = 8192
_State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class _Attempt:
    delivery: WebhookDelivery
    number: int
    url: str
    body: bytes
    headers: dict[str, str]
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: int | None
    error: str


def deliver_webhooks(*, now: datetime, clock: Callable[[], datetime], jitter: Callable[[], float]) -> int:
    """Send what is due, side by side; how many were delivered.

    Args:
        clock: the time while sending.
        jitter: from 0 to 1, by which each pause is moved.
    """
    attempts = [_prepared(row, clock()) for row in _claim(now)]
    outcomes = asyncio.run(_send_all(attempts)) if attempts else []
    for attempt, outcome in zip(attempts, outcomes, strict=True):
        _close(attempt, outcome, now=clock(), jitter=jitter())
    return sum(not outcome.error for outcome in outcomes)


def pause_after(number: int, jitter: float) -> timedelta:
    """How long to wait after the attempt with this number failed; `jitter` is from 0 to 1."""
    return FIRST_PAUSE * GROWTH ** (number - 1) * (1 - JITTER + 2 * JITTER * jitter)


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature as Standard Webhooks writes it: HMAC-SHA256 of id, time and body, joined by dots."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def body_of(row: WebhookDelivery) -> bytes:
    """The CloudEvent of a delivery: ids, the sentence and where it leads, the same in every attempt."""
    with translation.override("en"):
        told = {
            "specversion": "1.0",
            "id": message_id(row.pk),
            "source": settings.PUBLIC_URL.rstrip("/"),
            "type": f"assay.{row.kind}",
            "subject": row.subject,
            "time": row.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "datacontenttype": "application/json",
            "data": {
                "sentence": sentence(row.kind, row.params),
                "ref": json.loads(row.params).get("ref", ""),
                "entry": row.entry_index,
                "origin": settings.LEDGER_ORIGIN,
                "url": address_of(row.kind, row.subject, row.params),
            },
        }
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(body) <= MAX_BODY  # refs, ids and one sentence
    return body


def message_id(delivery_id: UUID) -> str:
    """The id of a message: the same over all attempts."""
    return f"msg_{delivery_id.hex}"


def _claim(now: datetime) -> list[WebhookDelivery]:
    with transaction.atomic(durable=True):
        rows = list(
            WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("endpoint")
            .filter(state__in=[_State.WAITING, _State.FAILED], next_at__lte=now, endpoint__active=True)
            .order_by("next_at", "pk")[:AT_ONCE]
        )
        for row in rows:
            row.attempts += 1
            row.next_at = now + LEASE
        WebhookDelivery.objects.bulk_update(rows, ["attempts", "next_at"])
    return rows


def _prepared(row: WebhookDelivery, now: datetime) -> _Attempt:
    endpoint: WebhookEndpoint = row.endpoint
    body, timestamp, named = body_of(row), int(now.timestamp()), message_id(row.pk)
    try:
        signatures = [signature(secret, named, timestamp, body) for secret in secrets_of(endpoint, now=now)]
    except SecretUnreadable:
        return _Attempt(row, row.attempts, endpoint.url, body, {}, "the secret cannot be read; set a new one")
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": named,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
    return _Attempt(row, row.attempts, endpoint.url, body, headers)


async def _send_all(attempts: Sequence[_Attempt]) -> list[_Outcome]:
    return list(await asyncio.gather(*map(_send, attempts)))


async def _send(attempt: _Attempt) -> _Outcome:
    if attempt.unreadable:
        return _Outcome(None, attempt.unreadable)
    try:
        status = await post_checked(
            attempt.url,
            attempt.body,
            attempt.headers,
            allowed=settings.WEBHOOK_ALLOWED_NETWORKS,
            setting="WEBHOOK_ALLOWED_NETWORKS",
        )
    except NotDelivered as error:
        return _Outcome(error.status, str(error))
    return _Outcome(status, "")


def _close(attempt: _Attempt, outcome: _Outcome, *, now: datetime, jitter: float) -> None:
    """Write how an attempt ended, unless another was made since."""
    if not outcome.error:
        state, due = _State.DELIVERED, now
    elif attempt.number >= MOST_ATTEMPTS:
        state, due = _State.DEAD, now
    else:
        state, due = _State.FAILED, now + pause_after(attempt.number, jitter)
    WebhookDelivery.objects.filter(
        pk=attempt.delivery.pk, attempts=attempt.number, state__in=[_State.WAITING, _State.FAILED]
    ).update(
        state=state,
        next_at=due,
        last_status=outcome.status,
        last_error=outcome.error[:200],
        delivered_at=None if outcome.error else now,
    )
