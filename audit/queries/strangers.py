"""What stands in the database that no migration made: a trigger, a rule, a table or a function that gets in between.

The guards can all stand and the ledger be got round all the same: by a rule that swallows what is added, a partition
that was taken out, a function that does as its owner what the caller may not.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.db.backends.utils import CursorWrapper

PARTITIONED: Final = ("hardware_sample", "slot_outcome", "usage_record")
DEFINERS: Final = ("erase_section", "import_erasure", "telemetry_partitions")
"""Functions that act as the owner. Each fixes its search path, or the caller could slip a table under it."""

FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "telemetry_partitions": "5024300773d447be6b361653e198a5c7f22d789fb5eaf74a5c766d264c28014e",
        "telemetry_settled": "f2e99e54ee9979f0c1443c89d141ab34abbad5431e0ff6d350d633e5931b6fdd",
        "telemetry_writer": "27a7969e262fb58bb1be344e5e4e8a69347e739caf2d9fcc64abe59ee12ad506",
    }
)
"""SHA-256 of the bodies of migration 0004, with role words in braces instead of the roles' names."""

_FOUND: Final = """
WITH family AS (
  SELECT c.oid, c.relname FROM pg_class c
   WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
  UNION
  SELECT c.oid, c.relname FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
   WHERE p.relnamespace = current_schema()::regnamespace AND p.relname = ANY(%(tables)s)
)
SELECT 'added', format('trigger %%s of table %%s', t.tgname, g.relname)
  FROM family g JOIN pg_trigger t ON t.tgrelid = g.oid JOIN pg_proc f ON f.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND (f.pronamespace <> current_schema()::regnamespace OR f.proname <> ALL(%(functions)s))
UNION ALL
SELECT 'added', format('trigger %%s of table %%s, which is not always on,', t.tgname, c.relname)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'A' AND c.relnamespace = current_schema()::regnamespace
   AND c.oid NOT IN (SELECT oid FROM family)
UNION ALL
SELECT 'added', format('rule %%s of table %%s', r.rulename, g.relname)
  FROM family g JOIN pg_rewrite r ON r.ev_class = g.oid
UNION ALL
SELECT 'added', format('row security of table %%s', g.relname)
  FROM family g JOIN pg_class c ON c.oid = g.oid WHERE c.relrowsecurity OR c.relforcerowsecurity
UNION ALL
SELECT 'added', format('table %%s, which is no partition any more,', c.relname) FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
   AND c.relname ~ %(partitions)s
UNION ALL
SELECT 'added', format('function %%s, which acts as its owner,', p.oid::regprocedure)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
   AND (n.nspname <> current_schema() OR p.proname <> ALL(%(definers)s)
        OR NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=public, pg_temp'])
UNION ALL
SELECT 'added', format('setting %%s of %%s', s.setting, coalesce(nullif(d.setrole, 0)::regrole::text, 'the database'))
  FROM pg_db_role_setting d CROSS JOIN unnest(d.setconfig) AS s(setting)
 WHERE d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND (d.setrole = 0 OR d.setrole IN (SELECT oid FROM pg_roles WHERE rolname = ANY(%(roles)s)))
   AND (s.setting LIKE 'search\\_path=%%' OR s.setting LIKE 'session\\_replication\\_role=%%')
UNION ALL
SELECT 'open', r.name || ' may ' || p.privilege || ' in the database'
  FROM unnest(%(roles)s::text[]) AS r(name) JOIN pg_roles ON pg_roles.rolname = r.name
  CROSS JOIN unnest(ARRAY['CREATE', 'TEMPORARY']) AS p(privilege)
 WHERE has_database_privilege(r.name, current_database(), p.privilege)
UNION ALL
SELECT 'open', r.name || ' may CREATE in the schema' FROM unnest(%(roles)s::text[]) AS r(name)
  JOIN pg_roles ON pg_roles.rolname = r.name WHERE has_schema_privilege(r.name, current_schema(), 'CREATE')
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Strangers:
    """What was found.

    Attributes:
        added: what came between, each as a noun for "The … was not made by a migration".
        open: roles that may make objects, as sentences: with a table of the same name of its own a role hides the
            real one from itself.
    """

    added: tuple[str, ...]
    open: tuple[str, ...]


def strangers(cursor: CursorWrapper, *, tables: Sequence[str], functions: Collection[str]) -> Strangers:
    """One query.

    Args:
        tables: the guarded tables.
        functions: names of the trigger functions that the migrations made for them.
    """
    values: dict[str, str | list[str]] = {
        "tables": list(tables),
        "functions": [*functions, *FUNCTIONS],
        "partitions": f"^({'|'.join(PARTITIONED)})_[0-9]+$",
        "definers": list(DEFINERS),
        "roles": [settings.DATABASE_ROLES[word] for word in ("app", "signer", "reader")],
    }
    cursor.execute(_FOUND, values)
    rows = cursor.fetchall()
    return Strangers(*(tuple(text for category, text in rows if category == wanted) for wanted in ("added", "open")))


def digest(body: str) -> str:
    """SHA-256 of a function's body, the same whatever the roles are called."""
    for word, name in settings.DATABASE_ROLES.items():
        body = body.replace(f'"{name}"', f"{{{word}}}")
    return hashlib.sha256(body.encode()).hexdigest()
