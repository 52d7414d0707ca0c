"""People, service accounts and tokens for tests, made through the product's own operations."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from audit import ledger
from audit.access.people import register_login, register_service_account
from audit.access.pools import join_at_installation
from audit.access.tokens import issue_token
from audit.models import User

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A service account with a token, and what a request of it carries."""

    service_account_id: uuid.UUID
    source_id: uuid.UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def person(username: str, *groups: str) -> User:
    """A log-in with the password `correct horse`."""
    return register_login(
        username=username,
        display_name=username.title(),
        password="correct horse",
        groups=groups,
        actor="system:test",
        now=NOW,
    )


def join(user: User, *pools: str) -> None:
    """Let a log-in that was never used join pools, as at its registration."""
    with transaction.atomic():
        events = join_at_installation(user, pools, actor="system:test", now=NOW)
        if events:
            ledger.append(events=events)


def pipeline(
    name: str = "trainer",
    *,
    scopes: tuple[str, ...] = ("events:write", "usage:write"),
    issued_at: datetime | None = None,
    lifetime: timedelta = timedelta(days=30),
) -> Pipeline:
    """A service account of its own source, owned by a person of its own."""
    owner = person(f"owner-of-{name}")
    account = register_service_account(
        name=name, source_name=name, owner_id=owner.person_id, actor=owner.actor, now=NOW
    )
    token = issue_token(
        service_account_id=account.id,
        scopes=scopes,
        lifetime=lifetime,
        actor=owner.actor,
        now=issued_at or datetime.now(UTC),
    )
    return Pipeline(account.id, account.source_id, token.text)
