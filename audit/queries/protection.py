"""Whether the database is as the migrations made it: what refuses changes stands, and nobody was given more.

None of this stops a database superuser; it shows that somebody opened the ledger. A rewritten row itself is found by
the signer and the self-check.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.db import connections

LEDGER: Final = ("alarm", "checkpoint", "entry", "event_key", "section", "tile", "token_day")
RECORDS: Final = ("hardware_sample", "sealed_window", "slot_outcome", "usage_key", "usage_record")

REFUSES: Final = "assay_refuse_change"
HEAD_GROWS: Final = "assay_head_only_grows"
FUNCTIONS: Final = MappingProxyType(
    {
        REFUSES: "4380b1cbc7b37aec52683cec29d5e0dbe3007363faa0a4e67c069301c269c981",
        HEAD_GROWS: "f473bff88f0cc2032727a506a2aca69643f37421ee03fa7493a97b50b4585742",
    }
)
"""SHA-256 of the body of each trigger function, as migration 0002 writes it."""

# pg_trigger.tgtype, include/catalog/pg_trigger.h: ROW 1, BEFORE 2, DELETE 8, UPDATE 16, TRUNCATE 32.
_EACH_ROW: Final = 1 | 2 | 8 | 16
_TRUNCATE: Final = 2 | 32

WRITES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = MappingProxyType(
    {
        "app": {
            "head": frozenset({"UPDATE"}),
            **dict.fromkeys(set(LEDGER) - {"checkpoint"}, frozenset({"INSERT"})),
            **dict.fromkeys(RECORDS, frozenset({"INSERT"})),
        },
        "signer": {
            "checkpoint": frozenset({"INSERT"}),
            "alarm": frozenset({"INSERT"}),
            "signer_lease": frozenset({"INSERT", "UPDATE"}),
        },
        "reader": {},
    }
)
"""What each role may write, by table; everything else on these tables is too much."""

_TABLES: Final = (*LEDGER, *RECORDS, "head", "signer_lease", "django_migrations")

# The tables and the partitions they have.
_GUARDS = """
WITH guarded AS (
  SELECT c.oid, c.relname, c.relname AS parent FROM pg_class c
   WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
  UNION ALL
  SELECT c.oid, c.relname, p.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class p ON p.oid = i.inhparent
   WHERE p.relnamespace = current_schema()::regnamespace AND p.relname = ANY(%(tables)s)
)
SELECT g.relname, g.parent, t.tgtype, f.proname FROM guarded g
  LEFT JOIN pg_trigger t ON t.tgrelid = g.oid AND t.tgenabled = 'A' AND t.tgqual IS NULL
  LEFT JOIN pg_proc f ON f.oid = t.tgfoid AND f.pronamespace = current_schema()::regnamespace
 ORDER BY g.relname
"""
_BODIES = """
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = ANY(%(names)s)
"""
_GRANTS = """
SELECT r.word, t.name, p.privilege FROM unnest(%(words)s::text[], %(names)s::text[]) AS r(word, name)
  JOIN pg_roles ON pg_roles.rolname = r.name
  CROSS JOIN unnest(%(tables)s::text[]) AS t(name)
  CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'REFERENCES', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS p(privilege)
 WHERE to_regclass(t.name) IS NOT NULL
   AND CASE WHEN p.privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
            THEN has_any_column_privilege(r.name, to_regclass(t.name), p.privilege)
            ELSE has_table_privilege(r.name, to_regclass(t.name), p.privilege) END
UNION ALL
SELECT r.word, '', CASE WHEN a.rolsuper THEN 'SUPERUSER' ELSE 'MEMBER OF OWNER' END
  FROM unnest(%(words)s::text[], %(names)s::text[]) AS r(word, name) JOIN pg_roles a ON a.rolname = r.name
 WHERE a.rolsuper OR pg_has_role(r.name, (SELECT relowner FROM pg_class WHERE oid = to_regclass('entry')), 'MEMBER')
"""


@dataclass(frozen=True, slots=True)
class Protection:
    """Sentences about what is not as it should be; all empty when the database guards the ledger.

    Attributes:
        unguarded: tables (or partitions) that no longer refuse changes.
        rewritten: trigger functions that are gone or have another body.
        grants: privileges of a role that go beyond the design.
    """

    unguarded: tuple[str, ...]
    rewritten: tuple[str, ...]
    grants: tuple[str, ...]

    @property
    def fallen(self) -> tuple[str, ...]:
        """What was taken down: evidence of somebody at work, where a loose grant may be a mistake of set-up."""
        return self.unguarded + self.rewritten


def protection(using: str = "default") -> Protection:
    """The state of triggers, their functions and grants, in three queries."""
    with connections[using].cursor() as cursor:
        cursor.execute(_GUARDS, {"tables": [*LEDGER, *RECORDS, "head"]})
        unguarded = _unguarded(cursor.fetchall())
        cursor.execute(_BODIES, {"names": list(FUNCTIONS)})
        bodies = {str(name): hashlib.sha256(str(body).encode()).hexdigest() for name, body in cursor.fetchall()}
        roles = {word: settings.DATABASE_ROLES[word] for word in WRITES}
        cursor.execute(_GRANTS, {"words": list(roles), "names": list(roles.values()), "tables": list(_TABLES)})
        grants = _beyond(cursor.fetchall(), roles)
    rewritten = tuple(f"function {name}" for name, digest in FUNCTIONS.items() if bodies.get(name) != digest)
    return Protection(unguarded, rewritten, grants)


def _unguarded(rows: Sequence[tuple[str, str, int | None, str | None]]) -> tuple[str, ...]:
    standing: dict[str, set[tuple[int | None, str | None]]] = {}
    parents = {}
    for table, parent, kind, function in rows:
        standing.setdefault(table, set()).add((kind, function))
        parents[table] = parent
    fallen = []
    for table in sorted({*LEDGER, *RECORDS, "head", *standing}):
        each_row = HEAD_GROWS if parents.get(table) == "head" else REFUSES
        if not {(_EACH_ROW, each_row), (_TRUNCATE, REFUSES)} <= standing.get(table, set()):
            fallen.append(f"table {table}")
    return tuple(fallen)


def _beyond(rows: Sequence[tuple[str, str, str]], roles: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        sorted(
            f"{roles[word]} may {privilege} {table}" if table else f"{roles[word]} is {privilege}"
            for word, table, privilege in rows
            if privilege not in WRITES[word].get(table, frozenset())
        )
    )
