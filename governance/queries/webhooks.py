"""Webhooks and their deliveries as operators read them: the address, never a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from audit.queries.roles import OPERATORS
from governance.models import WebhookDelivery, WebhookEndpoint
from governance.queries.matters import kind_word, sentence
from governance.queries.notified import MAX_PAGE, PAGE
from governance.queries.rights import Viewer


class WebhookNotFound(LookupError):
    """There is no such webhook."""


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery; `again` says why it cannot be sent again, empty when it can."""

    id: UUID
    endpoint_id: UUID
    endpoint: str
    sentence: str
    kind: str
    entry: int | None
    created_at: datetime
    state: str
    word: str
    mark: str
    attempts: int
    next_at: datetime | None
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class WebhookLine:
    """An endpoint without its secrets."""

    id: UUID
    name: str
    url: str
    host: str
    kinds: tuple[tuple[str, str], ...]
    active: bool
    owner: str
    secret_set_at: datetime
    previous_until: datetime | None
    registered_at: datetime
    row_version: int


def why_not_run_webhooks(who: Viewer) -> str:
    """Why `who` may not see or change webhooks; empty when they may."""
    if not who.active:
        return _("Your log-in is closed.")
    if OPERATORS not in who.pools:
        return _("Only members of the pool %(pool)s look after webhooks.") % {"pool": OPERATORS}
    return ""


def webhooks() -> tuple[WebhookLine, ...]:
    """All endpoints by name, in one query."""
    rows = WebhookEndpoint.objects.select_related("owner").order_by("name")
    return tuple(map(_endpoint, rows))


def webhook(webhook_id: UUID) -> WebhookLine:
    """One endpoint.

    Raises:
        WebhookNotFound: there is none.
    """
    row = WebhookEndpoint.objects.select_related("owner").filter(pk=webhook_id).first()
    if row is None:
        raise WebhookNotFound("There is no such webhook.")
    return _endpoint(row)


def deliveries(
    *, webhook_id: UUID | None = None, state: str = "", after: UUID | None = None, limit: int = PAGE
) -> tuple[tuple[DeliveryLine, ...], UUID | None]:
    """Deliveries, newest first, of one endpoint or in one state; with the id to go on after."""
    rows = WebhookDelivery.objects.select_related("endpoint")
    if webhook_id is not None:
        rows = rows.filter(endpoint_id=webhook_id)
    if state:
        rows = rows.filter(state=state)
    if after is not None:
        place = WebhookDelivery.objects.filter(pk=after).values_list("created_at", "pk").first()
        if place is not None:
            rows = rows.filter(created_at__lt=place[0]) | rows.filter(created_at=place[0], pk__lt=place[1])
    limit = max(1, min(limit, MAX_PAGE))
    found = list(rows.order_by("-created_at", "-pk")[: limit + 1])
    return tuple(map(_delivery, found[:limit])), found[limit - 1].pk if len(found) > limit else None


_MARKS: Final[Mapping[str, str]] = {"waiting": "wait", "failed": "warn", "delivered": "ok", "dead": "bad"}


def _delivery(row: WebhookDelivery) -> DeliveryLine:
    pending = row.state in {"waiting", "failed"}
    return DeliveryLine(
        id=row.pk,
        endpoint_id=row.endpoint_id,
        endpoint=row.endpoint.name,
        sentence=sentence(row.kind, row.params),
        kind=row.kind,
        entry=row.entry_index,
        created_at=row.created_at,
        state=row.state,
        word=str(row.get_state_display()),
        mark=_MARKS[row.state],
        attempts=row.attempts,
        next_at=row.next_at if pending else None,
        status=row.last_status,
        error=row.last_error,
    )


def _endpoint(row: WebhookEndpoint) -> WebhookLine:
    return WebhookLine(
        id=row.pk,
        name=row.name,
        url=row.url,
        host=row.url_host,
        kinds=tuple((kind, kind_word(kind)) for kind in row.kinds),
        active=row.active,
        owner=row.owner.display_name,
        secret_set_at=row.secret_set_at,
        previous_until=row.previous_until,
        registered_at=row.registered_at,
        row_version=row.row_version,
    )
