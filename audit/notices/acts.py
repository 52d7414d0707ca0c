"""Changes of keys and thaws become entries: the signer tells of them in its own tables, the app follows."""

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit import ledger
from audit.events import EventType
from audit.models import Entry, KeyStatement, Thaw
from audit.queries import section_facts
from audit.tlog.keyhistory import BEGINS
from audit.tlog.leaf import format_time

ACTOR: Final = "system:signer"
_KEY_TYPES: Final = (EventType.KEY_BEGUN, EventType.KEY_ENDED)
_log = logging.getLogger("audit.notices")


def record_acts() -> int:
    """Append an entry for every key statement and thaw that has none yet; how many were new."""
    events = [*map(_of_statement, _untold_statements()), *map(_of_thaw, _untold_thaws())]
    return sum(map(_record, events))


def _untold_statements() -> list[KeyStatement]:
    """Told by number, as an import brings the entries with the statements, and perhaps without the events' keys."""
    known = Entry.objects.filter(type__in=_KEY_TYPES, source="app").values_list("index", flat=True)
    numbers = [facts.get("statement") for facts in section_facts(list(known)).values()]
    missing = [row for row in KeyStatement.objects.order_by("number") if row.number not in numbers]
    # Entries whose facts were erased or left out of an import tell of the first ones that no other tells of.
    return missing[len(known) - len(numbers) :]


def _untold_thaws() -> list[Thaw]:
    """Told by the microsecond, which is a column of the entry: one signer at a time holds the pen."""
    told = Entry.objects.filter(type=EventType.LOG_THAWED, source="app", occurred_at=OuterRef("thawed_at"))
    return list(Thaw.objects.exclude(Exists(told)).order_by("id"))


def _record(event: ledger.Event) -> bool:
    # A transaction for each: one that cannot be recorded must not hold up the others.
    try:
        with transaction.atomic(durable=True):
            (appended,) = ledger.append(events=[event])
    except ledger.IdempotencyConflict as error:
        _log.error("an entry %s of the signer cannot be recorded: %s", event.type, error)
        return False
    return appended.status == "created"


def _of_statement(row: KeyStatement) -> ledger.Event:
    if row.kind == BEGINS:
        kind, key, other = EventType.KEY_BEGUN, row.new_key, row.old_key
        facts = {"key": key, "beside": other, "first_size": row.size}
    else:
        kind, key, other = EventType.KEY_ENDED, row.old_key, row.new_key
        facts = {"key": key, "goes_on": other, "last_size": row.size}
    facts |= {"fingerprint": hashlib.sha256(key.encode()).hexdigest(), "statement": row.number}
    return _event(kind, facts, name=f"key_statement:{row.number}", content=row.note, at=row.stated_at)


def _of_thaw(row: Thaw) -> ledger.Event:
    facts = {
        "size": row.size,
        "frozen_because": row.frozen_reason,
        "reason": row.reason,
        "operator": row.operator,
        "alarms": list(row.alarms),
    }
    # Not the row's id: those begin again when a log moves to a new database, and its entries come along.
    said = json.dumps([row.size, format_time(row.thawed_at), row.operator, row.reason])
    name = f"thaw:{hashlib.sha256(said.encode()).hexdigest()}"
    return _event(EventType.LOG_THAWED, facts, name=name, content=row.reason, at=row.thawed_at)


def _event(kind: EventType, facts: Mapping[str, object], *, name: str, content: str, at: datetime) -> ledger.Event:
    return ledger.Event(
        type=kind,
        subject="log",
        source="app",
        actor=ACTOR,
        occurred_at=at,
        sections=(ledger.facts(facts),),
        idempotency=ledger.Idempotency(name, content.encode()),
    )
