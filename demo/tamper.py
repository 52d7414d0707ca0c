"""Change stored evidence as a database superuser would, to watch it being noticed. Demo databases only."""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from audit.events import EventType

What = Literal["section", "leaf", "row"]
_FORGED_REASON: Final = "Looks fine, approved without reading."


class TamperRefused(RuntimeError):
    """This is no demo database, or there is nothing to change yet."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """What was changed, and which entry tells the truth."""

    what: What
    entry_index: int
    detail: str


def tamper(what: What) -> Tampered:
    """Change the newest approval: its content (`section`), its leaf, or the registry row it is about.

    The superuser switches the triggers off for one transaction, which no role of Assay can.

    Raises:
        TamperRefused: DEMO is off, no superuser address, or no approval stands in the log.
    """
    if not settings.DEMO or not str(settings.LEDGER_ORIGIN).endswith("/demo"):
        raise TamperRefused("Only the demo database can be tampered with.")
    wrapper = connections["admin"]
    wrapper.ensure_connection()
    connection: psycopg.Connection[tuple[Any, ...]] = wrapper.connection
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT index, subject FROM entry WHERE type = %s ORDER BY index DESC LIMIT 1",
            [EventType.DECISION_RECORDED.value],
        )
        found = cursor.fetchone()
        if found is None:
            raise TamperRefused("No approval stands in the log yet: start the demo and let it seed first.")
        index, subject = found
        changes = {"section": _section, "leaf": _leaf, "row": _row}
        return changes[what](cursor, index, subject)


def _unlocked(cursor: psycopg.Cursor[tuple[Any, ...]], table: str, statement: str, values: list[object]) -> int:
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    cursor.execute(statement.encode(), values)
    changed = cursor.rowcount
    cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table])
    for (trigger,) in cursor.fetchall():
        cursor.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(name, sql.Identifier(trigger)))
    return changed


def _section(cursor: psycopg.Cursor[tuple[Any, ...]], index: int, subject: str) -> Tampered:
    cursor.execute("SELECT body FROM section WHERE entry_index = %s AND name = 'facts'", [index])
    row = cursor.fetchone()
    if row is None:
        raise TamperRefused(f"Entry {index} has no content any more.")
    content = json.loads(bytes(row[0]))
    content["reason"] = _FORGED_REASON
    forged = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    statement = "UPDATE section SET body = %s WHERE entry_index = %s AND name = 'facts'"
    _unlocked(cursor, "section", statement, [forged, index])
    return Tampered("section", index, f"The reason of the decision in entry {index} now says: {_FORGED_REASON}")


def _leaf(cursor: psycopg.Cursor[tuple[Any, ...]], index: int, subject: str) -> Tampered:
    cursor.execute("SELECT leaf FROM entry WHERE index = %s", [index])
    row = cursor.fetchone()
    assert row is not None
    leaf = json.loads(bytes(row[0]))
    leaf["actor"] = "person:00000000-0000-0000-0000-000000000000"
    forged = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    statement = "UPDATE entry SET leaf = %s, leaf_hash = sha256('\\x00'::bytea || %s), actor = %s WHERE index = %s"
    _unlocked(cursor, "entry", statement, [forged, forged, leaf["actor"], index])
    return Tampered("leaf", index, f"Entry {index} now names somebody else as the one who decided.")


def _row(cursor: psycopg.Cursor[tuple[Any, ...]], index: int, subject: str) -> Tampered:
    cursor.execute(
        "SELECT r.id, r.justification, (SELECT max(e.index) FROM entry e WHERE e.subject = 'request:' || r.id"
        " AND e.type <> %s) FROM approval_request r JOIN decision d ON d.request_id = r.id"
        " ORDER BY d.decided_at DESC LIMIT 1",
        [EventType.DECISION_RECORDED.value],
    )
    row = cursor.fetchone()
    if row is None:
        raise TamperRefused("No decided request stands in the registry.")
    request_id, _justification, newest = row
    statement = "UPDATE approval_request SET justification = %s WHERE id = %s"
    _unlocked(cursor, "approval_request", statement, ["Urgent, ordered from above.", request_id])
    return Tampered(
        "row", newest, f"The registry's row of request:{request_id} no longer says what entry {newest} says."
    )
