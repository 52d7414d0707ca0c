"""Lists of the registry for programs: whole snapshots, by keyset, filtered by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
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
        "approval_policy": "name",
        "dataset": "name",
        "dataset_version": "dataset__name",
        "dataset_use": "dataset_version__dataset__name",
        "metric_threshold": "metric",
        "evaluation_run": "model_version__model__name",
        "metric": "name",
        "evidence": "title",
        "model_artefact": "name",
        "model_relation": "parent_name",
        "quantisation": "model_version__model__name",
        "standing": "subject_kind",
        "agent": "name",
        "agent_version": "agent__name",
        "tool": "name",
        "tool_version": "tool__name",
        "tool_grant": "tool",
        "tool_grant_revocation": "grant__tool",
        "gpu_node": "name",
        "gpu_device": "node__name",
        "mig_slice": "device__node__name",
        "pool_device": "pool__name",
        "oversight_assignment": "use_case__name",
        "oversight_end": "assignment__use_case__name",
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


def requests_of_state(state: str) -> tuple[str, Iterator[dict[str, Value]]]:
    """Snapshots of all requests in a state, oldest first; an unknown state is taken for `open`, as in the queue."""
    states = ApprovalRequest.State
    asked = state if state in states.values else str(states.OPEN.value)
    rows = ApprovalRequest.objects.filter(state=asked).order_by("submitted_at", "number")
    return asked, (snapshot("request", row) for row in rows.iterator(chunk_size=MAX_LIMIT))


def request_snapshot(request_id: UUID) -> dict[str, Any] | None:
    """The full snapshot of one request with those of its parts, None when there is none.

    `sealed` is how many decisions of the current stage are sealed; what they say stands nowhere before all are in.
    """
    row = ApprovalRequest.objects.filter(pk=request_id).first()
    if row is None:
        return None
    return {
        **snapshot("request", row),
        "stages": [snapshot("request_stage", part) for part in row.stages.order_by("sequence")],
        "exclusions": [
            {"person_id": str(row.requester_id), "stage": None, "why": "requester"},
            *(
                {"person_id": str(part.person_id), "stage": part.stage, "why": part.why}
                for part in row.exclusions.order_by("stage", "pk")
            ),
        ],
        "decisions": [snapshot("decision", part) for part in row.decisions.order_by("decided_at", "pk")],
        "sealed": row.sealed_decisions.filter(stage=row.stage, opened__isnull=True).count(),
        "conditions": [snapshot("condition", part) for part in row.conditions.order_by("number")],
    }


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
