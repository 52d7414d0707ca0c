"""Whether the database is as the migrations made it: what refuses changes stands, and nobody was given more.

None of this stops a database superuser; it shows that somebody opened the ledger. A rewritten row itself is found by
the signer and the self-check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.db import connections

from audit.queries.strangers import FUNCTIONS as FUNCTIONS_OF_RECORDS
from audit.queries.strangers import digest, strangers

LEDGER: Final = ("alarm", "checkpoint", "entry", "event_key", "section", "tile", "token_day")
ERASURES: Final = ("erasure", "erasure_decision", "erasure_request", "hold_release", "legal_hold", "retention_floor")
SIGNERS_ACTS: Final = ("key_statement", "thaw")
NOTICES: Final = ("notice", "notice_attempt")
RECORDS: Final = ("hardware_sample", "sealed_window", "slot_outcome", "usage_key", "usage_record")

REFUSES: Final = "assay_refuse_change"
HEAD_GROWS: Final = "assay_head_only_grows"
FUNCTIONS: Final = MappingProxyType(
    {
        REFUSES: "4380b1cbc7b37aec52683cec29d5e0dbe3007363faa0a4e67c069301c269c981",
        HEAD_GROWS: "f473bff88f0cc2032727a506a2aca69643f37421ee03fa7493a97b50b4585742",
        "assay_floor_ends": "3d433c80f8c104404623bad228975cd8654337bdb77978c9f000f93d449919ad",
        "assay_section_guard": "53fa92802d159242576e0fb3ddb041e663e08647dc2725353e71a1b018b967a1",
        "assay_section_not_again": "d8b99dede245056b45247686fb59bc464209bc4a9af1edc68222dde92e296a48",
        "assay_is_in": "d5efe87b97d1c1427a1dd78d5b53c96901e5a8c522e23d7419c5f168e690bf3e",
        "assay_erasure_request_guard": "e3772b31efd2ae2f877399f63677748eadecc031dbb2c429de2b8c0edece8e2e",
        "assay_erasure_decision_guard": "967b3788400da3bbf93a19952112391c50a9f563073f9ee6297b18592de6a1a0",
        "assay_erasure_approved": "d51f4c0b7888d6740893510fec59791fc344820f1b8bb02cee0eda26f27ac1d7",
        "assay_hold_guard": "f0c35574c389a7ccdc5aa72930f4c61ce891f7c191ba5c3b8183035be4b493a7",
        "assay_hold_release_guard": "a76ad5a83a0324e802ac63b10345bf1330e2dd9844d499c96aecaa8ac6c69c4c",
        "assay_erasure_guard": "071332d9e96f92d51d1fc6e86776ad3ed762e73c9d86e916bfe3ccb4d4293838",
        "assay_erasure_told": "a45f6871f63a845de27acd7e68f72eda9b083d3ea2fd1d0ef2febfc1f2cd2652",
        "erase_section": "7fbe06bb6cb5d70f3a7c9c490ef2473624cd21160db1ac987f8945af1297f620",
        "import_erasure": "59a47de66f983ae9b79212efdf34df932e0c97e165fcc1e4a4c9ebabaf9f2de9",
    }
)
"""SHA-256 of the body of each function that guards, as migrations 0002, 0007 and 0014 write it."""

GUARDED_BY: Final[Mapping[str, str]] = MappingProxyType({"head": HEAD_GROWS, "section": "assay_section_guard"})
"""Tables whose rows may change in one way, and the function that knows which; all others refuse every change."""

# pg_trigger.tgtype, include/catalog/pg_trigger.h: ROW 1, BEFORE 2, DELETE 8, UPDATE 16, TRUNCATE 32.
_EACH_ROW: Final = 1 | 2 | 8 | 16
_TRUNCATE: Final = 2 | 32
# BEFORE INSERT of each row 1 | 2 | 4, AFTER INSERT of each row (a deferred constraint) 1 | 4, of a statement 4.
_MORE: Final[Mapping[str, frozenset[tuple[int, str]]]] = MappingProxyType(
    {
        "section": frozenset({(4, "assay_section_not_again")}),
        "erasure": frozenset({(7, "assay_erasure_guard"), (5, "assay_erasure_told")}),
        "erasure_decision": frozenset({(7, "assay_erasure_decision_guard"), (5, "assay_erasure_approved")}),
        "erasure_request": frozenset({(7, "assay_erasure_request_guard")}),
        "hold_release": frozenset({(7, "assay_hold_release_guard")}),
        "legal_hold": frozenset({(7, "assay_hold_guard")}),
    }
)

WRITES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = MappingProxyType(
    {
        "app": {
            "head": frozenset({"UPDATE"}),
            **dict.fromkeys(set(LEDGER) - {"checkpoint"}, frozenset({"INSERT"})),
            **dict.fromkeys((*RECORDS, *NOTICES), frozenset({"INSERT"})),
            **dict.fromkeys(set(ERASURES) - {"erasure", "retention_floor"}, frozenset({"INSERT"})),
        },
        "signer": {
            **dict.fromkeys(("checkpoint", "alarm", *SIGNERS_ACTS), frozenset({"INSERT"})),
            "signer_lease": frozenset({"INSERT", "UPDATE"}),
        },
        "reader": {},
    }
)
"""What each role may write, by table; everything else on these tables is too much."""

GUARDED: Final = (*LEDGER, *ERASURES, *RECORDS, *SIGNERS_ACTS, *NOTICES, "head")
_TABLES: Final = (*GUARDED, "signer_lease", "django_migrations")

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
        rewritten: functions that guard and are gone or have another body.
        grants: privileges of a role that go beyond the design.
        added: what no migration made and what gets between the ledger and those who use it.
        missing: privileges that a role needs and lacks, as after a restore without them.
    """

    unguarded: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def fallen(self) -> tuple[str, ...]:
        """Evidence of somebody at work, where a loose grant may be a mistake of set-up."""
        return self.unguarded + self.rewritten + self.added


def protection(using: str = "default") -> Protection:
    """The state of triggers, their functions and grants, in four queries."""
    with connections[using].cursor() as cursor:
        cursor.execute(_GUARDS, {"tables": list(GUARDED)})
        unguarded = _unguarded(cursor.fetchall())
        functions = {**FUNCTIONS, **FUNCTIONS_OF_RECORDS}
        cursor.execute(_BODIES, {"names": list(functions)})
        bodies = {str(name): digest(str(body)) for name, body in cursor.fetchall()}
        roles = {word: settings.DATABASE_ROLES[word] for word in WRITES}
        cursor.execute(_GRANTS, {"words": list(roles), "names": list(roles.values()), "tables": list(_TABLES)})
        held = cursor.fetchall()
        found = strangers(cursor, tables=GUARDED, functions=functions)
    return Protection(
        unguarded=unguarded,
        rewritten=tuple(f"function {name}" for name, made in functions.items() if bodies.get(name) != made),
        grants=_beyond(held, roles) + found.open,
        added=found.added,
        missing=_short(held, roles),
    )


def _unguarded(rows: Sequence[tuple[str, str, int | None, str | None]]) -> tuple[str, ...]:
    standing: dict[str, set[tuple[int | None, str | None]]] = {}
    parents = {}
    for table, parent, kind, function in rows:
        standing.setdefault(table, set()).add((kind, function))
        parents[table] = parent
    fallen = []
    for table in sorted({*GUARDED, *standing}):
        each_row = GUARDED_BY.get(parents.get(table, ""), REFUSES)
        if not {(_EACH_ROW, each_row), (_TRUNCATE, REFUSES), *_MORE.get(table, ())} <= standing.get(table, set()):
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


def _short(rows: Sequence[tuple[str, str, str]], roles: Mapping[str, str]) -> tuple[str, ...]:
    """Writes that the design gives and the database does not; who lacks them lacks the right to read as well."""
    held = set(rows)
    return tuple(
        f"{roles[word]} may not {privilege} {table}"
        for word, tables in WRITES.items()
        for table in sorted(tables)
        for privilege in sorted(tables[table])
        if (word, table, privilege) not in held
    )
