"""Telling what happened: entries of the log, and what the clock finds, become notifications and deliveries.

Each matter is written once for each person and each webhook: constraints hold that, so a repeated look changes
nothing. Two followers never read the same entries (row lock of the cursor); sending is done elsewhere and later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import queries as log
from audit.models import Token
from audit.queries import EntryRow
from audit.queries.alarms import standing_rows
from audit.queries.people import deciders_of_change
from audit.queries.roles import OPERATORS
from governance.models import (
    ApprovalPolicyVersion,
    ApprovalRequest,
    Condition,
    Cursor,
    Deployment,
    Finding,
    Notification,
    NotificationPreference,
    WebhookDelivery,
    WebhookEndpoint,
)
from governance.queries.matters import FROM_LOG, Matter, days_between, group_of
from governance.queries.notified import Rights, active_people, preferences_of, too_few

CURSOR: Final = "notifications"
TOLD_FOR: Final = timedelta(days=7)
"""Entries older than this are told to nobody: a log that was imported or followed late is no news."""
MAILED_FOR: Final = timedelta(days=1)
"""Entries older than this are told in the app alone."""
EXPIRY_DAYS: Final = (1, 7, 30)
CONDITION_DAYS: Final = (1, 7)
TOKEN_DAYS: Final = 14
DUE_DAYS: Final = 1
BATCH: Final = 200
_State = ApprovalRequest.State


@dataclass(frozen=True, slots=True)
class Told:
    """How many entries were read, and how many notifications and deliveries came of them."""

    entries: int = 0
    notifications: int = 0
    deliveries: int = 0


def follow_notices(*, now: datetime, limit: int = BATCH) -> Told:
    """Read up to `limit` new entries and tell what they say; call again while it returns that many."""
    with transaction.atomic(durable=True):
        Cursor.objects.get_or_create(name=CURSOR, defaults={"next_index": 0})
        cursor = Cursor.objects.select_for_update().get(name=CURSOR)
        entries = log.entries_after(cursor.next_index, limit=limit)
        if not entries:
            return Told()
        Cursor.objects.filter(pk=cursor.pk).update(next_index=entries[-1].index + 1)
        news = [
            entry
            for entry in entries
            if entry.type in FROM_LOG and entry.source == "app" and now - entry.occurred_at < TOLD_FOR
        ]
        notifications, deliveries = write(_matters(news, now), now=now) if news else (0, 0)
    return Told(len(entries), notifications, deliveries)


def sweep_notices(*, now: datetime) -> Told:
    """Tell what the clock and the tables show: what is due or expires soon, alarms that stand, deliveries given up."""
    with transaction.atomic(durable=True):
        rights = Rights()
        matters = [
            *_expiring(now),
            *_conditions(now),
            *_due(rights, now),
            *_tokens(now),
            *_alarms(rights),
            *_dead(rights),
        ]
        notifications, deliveries = write(matters, now=now)
    return Told(0, notifications, deliveries)


def write(matters: Sequence[Matter], *, now: datetime) -> tuple[int, int]:
    """Rows for what was not told before, in the caller's transaction; how many notifications and deliveries."""
    rows = _untold(matters, now)
    sent = _deliveries(matters, now)
    # A row that another look wrote at the same moment is left as it is.
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    WebhookDelivery.objects.bulk_create(sent, ignore_conflicts=True)
    return len(rows), len(sent)


def _untold(matters: Sequence[Matter], now: datetime) -> list[Notification]:
    wanted = {(person, m.kind, m.subject, m.scope): m for m in matters for person in m.people}
    if not wanted:
        return []
    known = set(
        Notification.objects.filter(subject__in={matter.subject for matter in wanted.values()}).values_list(
            "person_id", "kind", "subject", "scope"
        )
    )
    active = active_people(key[0] for key in wanted)
    fresh = {key: matter for key, matter in wanted.items() if key not in known and key[0] in active}
    preferences = preferences_of(key[0] for key in fresh)
    return [
        Notification(
            person_id=person,
            kind=matter.kind,
            subject=matter.subject,
            scope=matter.scope,
            entry_index=matter.entry_index,
            params=matter.stored(),
            created_at=now,
            mail=(way := _way(preferences[person], matter)),
            mail_next_at=now if way == "at_once" else None,
        )
        for (person, _kind, _subject, _scope), matter in fresh.items()
    ]


def _way(preference: NotificationPreference, matter: Matter) -> str:
    if not settings.MAIL_SERVER_SET or not matter.mailed:
        return "none"
    return str(getattr(preference, group_of(matter.kind)))


def _deliveries(matters: Sequence[Matter], now: datetime) -> list[WebhookDelivery]:
    endpoints = list(WebhookEndpoint.objects.filter(active=True).order_by("pk")) if matters else []
    wanted = {
        (endpoint.pk, m.kind, m.subject, m.scope): m
        for endpoint in endpoints
        for m in matters
        if m.kind in endpoint.kinds and m.mailed
    }
    if not wanted:
        return []
    known = set(
        WebhookDelivery.objects.filter(subject__in={matter.subject for matter in wanted.values()}).values_list(
            "endpoint_id", "kind", "subject", "scope"
        )
    )
    return [
        WebhookDelivery(
            endpoint_id=endpoint,
            kind=matter.kind,
            subject=matter.subject,
            scope=matter.scope,
            entry_index=matter.entry_index,
            params=matter.stored(),
            created_at=now,
            next_at=now,
        )
        for (endpoint, *_key), matter in wanted.items()
        if (endpoint, *_key) not in known
    ]


# --- From the log -----------------------------------------------------------------------------------------


def _matters(entries: Sequence[EntryRow], now: datetime) -> list[Matter]:
    rights = Rights()
    requests = _requests(entries)
    found: list[Matter] = []
    for entry in entries:
        about, _colon, label = entry.subject.partition(":")
        if about == "request" and label in requests:
            found += _of_request(entry, requests[label], rights, now)
        elif about == "condition":
            found += _of_condition(entry, label, now)
        elif about == "finding":
            found += _of_finding(entry, label, now)
        elif entry.type == "approval_policy.proposed":
            policy = ApprovalPolicyVersion.objects.filter(pk=label).first()
            if policy is not None:
                found.append(_of_entry(entry, rights.of_policy(policy), now))
        elif entry.type == "pool_change.proposed":
            found.append(_of_entry(entry, deciders_of_change(label), now))
    return found


def _requests(entries: Sequence[EntryRow]) -> dict[str, ApprovalRequest]:
    labels = {entry.subject.partition(":")[2] for entry in entries if entry.subject.startswith("request:")}
    rows = ApprovalRequest.objects.filter(pk__in=labels).select_related("deployment")
    return {str(row.pk): row for row in rows}


def _of_entry(entry: EntryRow, people: Iterable[UUID], now: datetime, *, ref: str = "", page: str = "") -> Matter:
    """The matter of an entry. The one who did it needs no telling."""
    told = frozenset(person for person in people if entry.actor != f"person:{person}")
    mailed = now - entry.occurred_at < MAILED_FOR
    params = {"ref": ref} if ref else {}
    return Matter(entry.type, entry.subject, str(entry.index), entry.index, params, told, mailed, page)


def _of_request(entry: EntryRow, request: ApprovalRequest, rights: Rights, now: datetime) -> list[Matter]:
    if entry.type not in {"request.submitted", "request.advanced"}:
        return [_of_entry(entry, _owners(request), now, ref=request.ref)]
    if request.state != _State.OPEN:
        return [_of_entry(entry, (), now, ref=request.ref)]
    able = rights.of_request(request)
    found = [_of_entry(entry, able, now, ref=request.ref)]
    if too_few(request, able):
        stuck = rights.people(OPERATORS) | {request.requester_id}
        params = {"ref": request.ref}
        found.append(
            Matter("request.stuck", entry.subject, f"stage {request.stage}", entry.index, params, frozenset(stuck))
        )
    return found


def _of_condition(entry: EntryRow, label: str, now: datetime) -> list[Matter]:
    row = Condition.objects.select_related("request__deployment").filter(pk=label).first()
    if row is None:
        return []
    page = f"request:{row.request_id}"
    return [_of_entry(entry, _owners(row.request), now, ref=row.request.ref, page=page)]


def _of_finding(entry: EntryRow, label: str, now: datetime) -> list[Matter]:
    finding = Finding.objects.filter(pk=label).first()
    about, _colon, name = finding.subject.partition(":") if finding else ("", "", "")
    row = None
    if about in {"deployment", "agent"} and _is_uuid(name):
        place = {"pk": name} if about == "deployment" else {"agents__pk": name}
        row = Deployment.objects.filter(**place).first()
    if row is None:
        # About nobody's deployment: webhooks alone are told, and the desk counts it.
        return [_of_entry(entry, (), now, ref="–")]
    return [_of_entry(entry, (row.owner_id,), now, ref=row.ref, page=f"deployment:{row.pk}")]


def _is_uuid(label: str) -> bool:
    try:
        UUID(label)
    except ValueError:
        return False
    return True


def _owners(request: ApprovalRequest) -> frozenset[UUID]:
    return frozenset({request.requester_id, request.deployment.owner_id})


# --- By the clock -----------------------------------------------------------------------------------------


def _step(now: datetime, then: datetime, steps: Sequence[int]) -> int | None:
    """The smallest of the steps, in days, within which `then` lies."""
    return next((days for days in steps if now < then <= now + timedelta(days=days)), None)


def _soon(kind: str, subject: str, step: int, request: ApprovalRequest, then: datetime, now: datetime) -> Matter:
    params = {"ref": request.ref, "days": str(days_between(now, then))}
    page = f"request:{request.pk}"
    return Matter(kind, subject, f"{step} days", None, params, _owners(request), page=page)


def _expiring(now: datetime) -> list[Matter]:
    rows = ApprovalRequest.objects.filter(
        state=_State.APPROVED, valid_until__gt=now, valid_until__lte=now + timedelta(days=EXPIRY_DAYS[-1])
    ).select_related("deployment")
    found = []
    for row in rows.order_by("valid_until"):
        assert row.valid_until is not None  # by the filter
        step = _step(now, row.valid_until, EXPIRY_DAYS)
        if step is not None:
            found.append(_soon("approval.expires_soon", f"request:{row.pk}", step, row, row.valid_until, now))
    return found


def _conditions(now: datetime) -> list[Matter]:
    rows = Condition.objects.filter(
        state=Condition.State.OPEN,
        request__state=_State.APPROVED,
        due_at__gt=now,
        due_at__lte=now + timedelta(days=CONDITION_DAYS[-1]),
    ).select_related("request__deployment")
    found = []
    for row in rows.order_by("due_at"):
        step = _step(now, row.due_at, CONDITION_DAYS)
        if step is not None:
            found.append(_soon("condition.due_soon", f"condition:{row.pk}", step, row.request, row.due_at, now))
    return found


def _due(rights: Rights, now: datetime) -> list[Matter]:
    rows = ApprovalRequest.objects.filter(
        state=_State.OPEN, due_at__gt=now, due_at__lte=now + timedelta(days=DUE_DAYS)
    ).order_by("due_at")
    found = []
    for row in rows[:BATCH]:
        assert row.due_at is not None  # by the filter
        params = {"ref": row.ref, "days": str(days_between(now, row.due_at))}
        scope = f"stage {row.stage}"
        found.append(Matter("request.due_soon", f"request:{row.pk}", scope, None, params, rights.of_request(row)))
    return found


def _tokens(now: datetime) -> list[Matter]:
    """Tokens that were issued for longer than the warning."""
    warning = timedelta(days=TOKEN_DAYS)
    rows = Token.objects.filter(revoked_at__isnull=True, expires_at__gt=now, expires_at__lte=now + warning)
    return [
        Matter(
            "token.expires_soon",
            f"token:{row.pk}",
            "",
            None,
            {"days": str(days_between(now, row.expires_at))},
            frozenset({row.service_account.owner_id}),
        )
        for row in rows.select_related("service_account").order_by("expires_at")
        if row.expires_at - row.created_at > warning
    ]


def _alarms(rights: Rights) -> list[Matter]:
    indexes = standing_rows().order_by("id").values_list("id", flat=True)[:BATCH]
    people = rights.people(OPERATORS)
    return [Matter("ledger.alarm", f"alarm:{pk}", "", None, {}, people) for pk in indexes]


def _dead(rights: Rights) -> list[Matter]:
    rows = WebhookDelivery.objects.filter(state=WebhookDelivery.State.DEAD).order_by("created_at")
    people = rights.people(OPERATORS)
    return [
        Matter(
            "webhook.dead",
            f"delivery:{row.pk}",
            f"{row.next_at:%Y-%m-%d %H:%M:%S}",  # sent again and given up again is told again
            None,
            {},
            people,
            page=f"webhook:{row.endpoint_id}",
        )
        for row in rows[:BATCH]
    ]
