"""Every way round the ledger's guards that somebody thought of, as each database role: what is refused, and what only
detection catches. `test_roles_bypasses` tries them all; docs/threat-model.md shows this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ROLES: Final = ("app", "signer", "reader", "owner", "superuser")
GUARDED: Final = (
    "alarm", "checkpoint", "entry", "erasure", "erasure_decision", "erasure_request", "event_key", "hardware_sample",
    "head", "hold_release", "key_statement", "legal_hold", "notice", "notice_attempt", "retention_floor",
    "sealed_window", "section", "slot_outcome", "thaw", "tile", "token_day", "usage_key", "usage_record",
)  # fmt: skip

REFUSED: Final = "refused"
CHECK: Final = "health check"
START: Final = "start-up check"
SIGNER: Final = "signer freezes"
SELF_CHECK: Final = "self-check"
BOTH: Final = "signer freezes, self-check, kept receipt"
OWN: Final = "no effect on others"
WARNED: Final = "no effect: a warning"
READS: Final = "no row changes: reads what the server can"
IS_ONE: Final = "is one already"

Outcomes = tuple[str, str, str, str, str]
NOBODY: Final[Outcomes] = (REFUSED,) * 5
ABOVE: Final[Outcomes] = (REFUSED, REFUSED, REFUSED, CHECK, CHECK)
ABOVE_UNSEEN: Final[Outcomes] = (REFUSED, REFUSED, REFUSED, SELF_CHECK, SELF_CHECK)
BY_WRITERS: Final[Outcomes] = (SIGNER, REFUSED, REFUSED, SIGNER, SIGNER)
BY_OWNERS: Final[Outcomes] = (WARNED, WARNED, WARNED, START, START)
UP_TO_ONE: Final[Outcomes] = (REFUSED, REFUSED, REFUSED, REFUSED, IS_ONE)
BY_SUPERUSER: Final[Outcomes] = (REFUSED, REFUSED, REFUSED, REFUSED, READS)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way, and what comes of it for each of ROLES.

    Attributes:
        sql: the statements; {table} stands for each of `tables`, {partition} for the current month's of usage_record,
            {app} and {owner} for roles, {stronger} for a role above the one that tries.
        states: SQLSTATEs that count as a refusal: 42501 insufficient_privilege, which the triggers raise too, and
            23505 for a second row with the same key.
    """

    name: str
    sql: str
    outcomes: Outcomes = NOBODY
    tables: tuple[str, ...] = ("entry",)
    states: tuple[str, ...] = ("42501",)

    def outcome(self, role: str) -> str:
        return self.outcomes[ROLES.index(role)]


_FORGED_ENTRY: Final = (
    "INSERT INTO entry SELECT index + {far}, leaf, leaf_hash, gen_random_uuid(), type, source, subject, actor,"
    " occurred_at, received_at FROM entry WHERE index = 0"
)
_HOLLOW: Final = (
    "CREATE OR REPLACE FUNCTION assay_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN OLD; END$$"
)

ATTEMPTS: Final = (
    # Plain changes of rows, by every statement that can change one.
    Attempt("UPDATE", "UPDATE {table} SET {change of table}", tables=tuple(t for t in GUARDED if t != "head")),
    Attempt("DELETE", "DELETE FROM {table}", tables=GUARDED),
    Attempt("TRUNCATE of a table", "TRUNCATE {table} CASCADE", tables=GUARDED),
    Attempt("TRUNCATE of a partition", "TRUNCATE {partition}"),
    Attempt("UPDATE and DELETE in a partition", "UPDATE {partition} SET resets = 0; DELETE FROM {partition}"),
    Attempt("the head set back", "UPDATE head SET size = size - 1"),
    Attempt(
        "INSERT … ON CONFLICT DO UPDATE",
        "INSERT INTO entry SELECT * FROM entry WHERE index = 0 ON CONFLICT (index) DO UPDATE SET actor = 'x'",
    ),
    Attempt(
        "MERGE",
        "MERGE INTO section s USING entry e ON s.entry_index = e.index WHEN MATCHED THEN DELETE",
    ),
    Attempt("a CTE that deletes", "WITH gone AS (DELETE FROM entry RETURNING *) SELECT * FROM gone"),
    Attempt("COPY over rows", "COPY entry FROM STDIN", states=("42501", "23505")),
    Attempt("a section removed without an erasure", "DELETE FROM section WHERE entry_index = 1"),
    Attempt(
        "a section added to an old entry",
        "INSERT INTO section SELECT entry_index, 'late', salt, body, media FROM section WHERE entry_index = 1",
        (SELF_CHECK, REFUSED, REFUSED, SELF_CHECK, SELF_CHECK),
    ),
    # Taking the guards down.
    Attempt("session_replication_role", "SET session_replication_role = replica; UPDATE entry SET actor = 'x'"),
    Attempt("DISABLE TRIGGER", "ALTER TABLE {table} DISABLE TRIGGER USER", ABOVE, tables=GUARDED),
    Attempt("ENABLE TRIGGER without ALWAYS", "ALTER TABLE entry ENABLE TRIGGER USER", ABOVE),
    Attempt("ENABLE REPLICA TRIGGER", "ALTER TABLE entry ENABLE REPLICA TRIGGER entry_append_only", ABOVE),
    Attempt("DISABLE TRIGGER of a partition", "ALTER TABLE {partition} DISABLE TRIGGER USER", ABOVE),
    Attempt("DROP TRIGGER", "DROP TRIGGER entry_append_only ON entry", ABOVE),
    Attempt("DROP TABLE", "DROP TABLE {table} CASCADE", ABOVE, tables=GUARDED),
    Attempt("DROP TABLE of a partition", "DROP TABLE {partition}", ABOVE_UNSEEN),
    Attempt("another body for a trigger function", _HOLLOW, ABOVE),
    Attempt("DROP FUNCTION … CASCADE", "DROP FUNCTION assay_head_only_grows CASCADE", ABOVE),
    Attempt(
        "triggers switched off in the catalogue",
        "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgrelid = 'entry'::regclass",
        (REFUSED, REFUSED, REFUSED, REFUSED, CHECK),
    ),
    # Getting in between.
    Attempt(
        "a trigger of one's own",
        "CREATE TRIGGER mine BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        ABOVE,
    ),
    Attempt("a rule", "CREATE RULE mine AS ON INSERT TO section DO INSTEAD NOTHING", ABOVE),
    Attempt("row security", "ALTER TABLE entry ENABLE ROW LEVEL SECURITY", ABOVE),
    Attempt(
        "a view in the table's place",
        "ALTER TABLE entry RENAME TO entry_old; CREATE VIEW entry AS SELECT * FROM entry_old",
        ABOVE,
    ),
    Attempt("a table that inherits, whose rows show as entries", "CREATE TABLE more () INHERITS (entry)", ABOVE),
    Attempt("DETACH PARTITION", "ALTER TABLE usage_record DETACH PARTITION {partition}", ABOVE),
    Attempt(
        "ATTACH PARTITION of forged rows",
        "CREATE TABLE forged (LIKE usage_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS);"
        "ALTER TABLE usage_record ATTACH PARTITION forged FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')",
        ABOVE,
    ),
    Attempt(
        "a temporary table of the same name",
        "CREATE TEMPORARY TABLE entry (index bigint)",
        (REFUSED, REFUSED, REFUSED, OWN, OWN),
    ),
    Attempt(
        "a schema earlier in the search path",
        "CREATE SCHEMA evil; CREATE TABLE evil.entry (LIKE public.entry); SET LOCAL search_path = evil, public",
        ABOVE,
    ),
    Attempt("a search path for every session", "ALTER DATABASE {database} SET search_path = evil, public", ABOVE),
    Attempt(
        "a function that acts as the owner",
        "CREATE FUNCTION door() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'ALTER TABLE entry DISABLE TRIGGER ALL'",
        ABOVE,
    ),
    Attempt(
        "the erasing function without its search path", "ALTER FUNCTION erase_section(uuid) RESET search_path", ABOVE
    ),
    # Becoming somebody else, giving rights away.
    Attempt("SET ROLE", "SET ROLE {stronger}", UP_TO_ONE),
    Attempt("SET SESSION AUTHORIZATION", "SET SESSION AUTHORIZATION {stronger}", UP_TO_ONE),
    Attempt("GRANT to the app", "GRANT UPDATE, DELETE, TRUNCATE ON entry TO {app}", BY_OWNERS),
    Attempt("rights taken from the app", "REVOKE INSERT ON entry FROM {app}", BY_OWNERS),
    # The machine.
    Attempt("COPY to a file or a program", "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'", BY_SUPERUSER),
    Attempt("lo_import of a file", "SELECT lo_import('/etc/hostname')", BY_SUPERUSER),
    # Rows past the ledger, and rewriting.
    Attempt("an entry past the ledger", _FORGED_ENTRY.format(far=9), BY_WRITERS),
    Attempt("the head moved past the ledger", "UPDATE head SET size = size + 1", BY_WRITERS),
    Attempt(
        "a checkpoint that nobody signed",
        "INSERT INTO checkpoint VALUES (2, (SELECT root FROM head), 'not a note', now())",
        (REFUSED, SELF_CHECK, REFUSED, SELF_CHECK, SELF_CHECK),
    ),
    Attempt(
        "ALTER COLUMN … USING, which fires no trigger",
        "ALTER TABLE section ALTER COLUMN body TYPE bytea USING '{}'",
        ABOVE_UNSEEN,
    ),
    Attempt(
        "triggers off, a leaf rewritten with its hash, triggers on again",
        "ALTER TABLE entry DISABLE TRIGGER entry_append_only;"
        "UPDATE entry SET actor = 'system:evil',"
        " leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'system:test', 'system:evil'), 'UTF8') WHERE index = 1;"
        "UPDATE entry SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE index = 1;"
        "ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_append_only",
        (REFUSED, REFUSED, REFUSED, BOTH, BOTH),
    ),
)  # fmt: skip

RESTORE: Final = Attempt("pg_restore --disable-triggers", "", ABOVE)
"""Tried by the program itself: it leaves triggers behind that are not ALWAYS on."""


def table() -> str:
    """The Markdown of docs/threat-model.md between its two markers."""
    lines = [f"| attempt | {' | '.join(ROLES)} |", "|---|" + "---|" * len(ROLES)]
    lines += [f"| {attempt.name} | {' | '.join(attempt.outcomes)} |" for attempt in (*ATTEMPTS, RESTORE)]
    return "\n".join(lines) + "\n"


def statements(attempt: Attempt, *, role: str, names: Mapping[str, str]) -> list[str]:
    """What to run as `role`, one text for each table; `names` holds what the braces stand for."""
    stronger = names["superuser"] if role == "owner" else names["owner"]
    filled = []
    for table in attempt.tables:
        text = attempt.sql
        change = names.get(f"change of {table}", "")
        for word, value in {**names, "stronger": stronger, "table": table, "change of table": change}.items():
            text = text.replace(f"{{{word}}}", value)
        filled.append(text)
    return filled
