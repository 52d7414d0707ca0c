"""Registering people, log-ins, sources and service accounts, each with its entry."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.access.pools import join_at_installation
from audit.events import EventType
from audit.models import Person, ServiceAccount, Source, User


def register_login(
    *,
    username: str,
    display_name: str,
    password: str | None,
    groups: Sequence[str],
    actor: str,
    now: datetime,
    email: str = "",
    is_staff: bool = True,
    is_superuser: bool = False,
    person_id: uuid.UUID | None = None,
    set_by_other: bool = False,
) -> User:
    """A log-in for a person (a new one unless `person_id` is given) who belongs to the given groups.

    The name is kept in the erasable profile; the entry holds ids and groups only. Without a password the
    log-in cannot be used with one. `set_by_other`: it decides nothing until its owner changed the password.
    For whoever sets up the machine: a page adds log-ins by `audit.access.logins`.
    """
    with transaction.atomic(durable=True):
        person = (
            Person.objects.get(id=person_id)
            if person_id
            else Person.objects.create(display_name=display_name, email=email)
        )
        user = User(username=username, email=email, is_staff=is_staff, is_superuser=is_superuser, person=person)
        if set_by_other:
            user.password_set_by_other_at = now
        if password is None:
            user.set_unusable_password()
        else:
            user.set_password(password)
        user.save()
        joined = join_at_installation(user, sorted(set(groups)), actor=actor, now=now)
        after = {"groups": sorted(set(groups)), "log_in": user.pk, "staff": is_staff, "superuser": is_superuser}
        ledger.append(
            events=[
                ledger.Event(
                    type=EventType.PERSON_REGISTERED,
                    subject=f"person:{person.id}",
                    source="app",
                    actor=actor,
                    occurred_at=now,
                    sections=(ledger.facts({"after": after, "before": None}),),
                ),
                *joined,
            ]
        )
    return user


def record_session(*, actor: str, method: str, now: datetime) -> None:
    """That somebody logged in, and how they showed who they are."""
    with transaction.atomic(durable=True):
        ledger.append(
            events=[
                ledger.Event(
                    type=EventType.SESSION_STARTED,
                    subject=actor,
                    source="app",
                    actor=actor,
                    occurred_at=now,
                    sections=(ledger.facts({"method": method}),),
                )
            ]
        )


def register_service_account(
    *, name: str, source_name: str, owner_id: uuid.UUID, actor: str, now: datetime, description: str = ""
) -> ServiceAccount:
    """A service account and, when it is new, the source its events come from."""
    events = []
    with transaction.atomic(durable=True):
        source, created = Source.objects.get_or_create(name=source_name, defaults={"description": description})
        account = ServiceAccount.objects.create(name=name, owner_id=owner_id, source=source)
        if created:
            events.append(
                _registered(EventType.SOURCE_CREATED, f"source:{source.id}", {"name": source_name}, actor, now)
            )
        after = {"name": name, "owner": f"person:{owner_id}", "source": f"source:{source.id}"}
        events.append(_registered(EventType.SERVICE_ACCOUNT_CREATED, f"service:{account.id}", after, actor, now))
        ledger.append(events=events)
    return account


def _registered(kind: EventType, subject: str, after: Mapping[str, object], actor: str, now: datetime) -> ledger.Event:
    return ledger.Event(
        type=kind,
        subject=subject,
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts({"after": after, "before": None}),),
    )
