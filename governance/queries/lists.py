"""Lists of the registry for programs: whole snapshots, by keyset, filtered by name."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Model as Table
from psycopg import sql

from governance.models import ApprovalRequest
from governance.queries.reconciling import TABLES
from governance.snapshot import snapshot
from governance.snapshot.rows import Value

MAX_LIMIT: Final = 200
NAMES: Final = MappingProxyType(
    {
        "model": "name",
        "model_version": "model__name",
        "adapter": "name",
        "gpu_model": "name",
        "gpu_pool": "name",
        "deployment": "name",
        "request": "deployment__name",
        "use_case": "name",
    }
)
"""Kinds that are listed, and the column their `name` filter looks at."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of snapshots; `next` is what to ask after, None on the last page."""

    items: tuple[dict[str, Value], ...]
    next: str | None


def listed(kind: str, *, name: str = "", after: UUID | None = None, limit: int = 50) -> Listed:
    """Rows of a kind in the order of their ids, in one query."""
    table: type[Table] = TABLES[kind]
    rows = table._default_manager.order_by("pk")
    if name:
        rows = rows.filter(**{NAMES[kind]: name})
    if after is not None:
        rows = rows.filter(pk__gt=after)
    limit = max(1, min(limit, MAX_LIMIT))
    found = list(rows[: limit + 1])
    last = str(found[limit - 1].pk) if len(found) > limit else None
    return Listed(tuple(snapshot(kind, row) for row in found[:limit]), last)


def request_snapshot(request_id: UUID) -> dict[str, Value] | None:
    """The full snapshot of one request, None when there is none."""
    row = ApprovalRequest.objects.filter(pk=request_id).first()
    return snapshot("request", row) if row else None


def known_values(table: type[Table], column: str, *, limit: int = 50) -> list[str]:
    """The first different values of an indexed text column, by one look-up each and in one query."""
    names = {"table": sql.Identifier(table._meta.db_table), "column": sql.Identifier(column)}
    statement = sql.SQL(
        "WITH RECURSIVE held (value, place) AS (SELECT (SELECT min({column}) FROM {table}), 1 UNION ALL"
        " SELECT (SELECT min({column}) FROM {table} WHERE {column} > held.value), place + 1"
        " FROM held WHERE value IS NOT NULL AND place < %s)"
        " SELECT value FROM held WHERE value IS NOT NULL"
    ).format(**names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit])
        return [str(value) for (value,) in cursor.fetchall()]
