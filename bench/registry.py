"""Registries with many rows: one of each kind is made by the product's own operations, the server multiplies them.

A copy takes every column of the row it is made from, but for those named here, so that a new column needs no line. Rows
are made inside the server: COPY would carry the same bytes over a socket first. What refuses a row that is born closed
(triggers) is off only while the owner loads, and is back before anything is measured.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from django.db import connections
from psycopg import sql

from bench import databases
from bench.figure import progress
from bench.preload import schema_digest

OPEN: Final = 120
"""Requests that are open, whatever the size: a desk that grows does not leave more undecided."""

ACCOUNT: Final = "bench-reviewer"
WORDS: Final = 5_000
"""Different words of the documents; each document has a dozen of them, and one that all have."""

EVERYWHERE: Final = "everywhere"
TABLES: Final = ("model", "model_version", "deployment", "revision", "approval_request", "finding", "search_document")

_ID: Final = "md5({kind} || n)::uuid"
_SHA: Final = "encode(sha256(convert_to({text}, 'UTF8')), 'hex')"
_CLOSED: Final = f"n > {OPEN}"


def registry(rows: int) -> str:
    """The name of a database with so many deployments, requests, model versions, findings and documents; in use
    afterwards. One that `--keep` kept is used again.
    """
    name = f"bench_lists_{rows}_{schema_digest()}"
    if databases.exists(name):
        progress(f"using the kept registry of {rows:,} rows")
        databases.use(name)
        return name
    draft, started = f"{name}_draft", time.perf_counter()
    databases.make(draft)
    fill(rows)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    databases.rename(draft, name)
    progress(f"a registry of {rows:,} rows in {time.perf_counter() - started:.0f} s")
    return name


def fill(rows: int) -> None:
    """Put a registry of so many rows of each kind into the empty database in use."""
    _one_of_each()
    with connections["owner"].cursor() as cursor, _without_triggers():
        for table, values in _copies(rows).items():
            _multiply(table, rows, values)
        cursor.execute(
            "UPDATE deployment d SET approved_revision_id = r.revision_id FROM approval_request r"
            " WHERE r.deployment_id = d.id AND r.state = 'approved'"
        )
        _documents(rows)


def _one_of_each() -> None:
    from audit.access.people import register_login
    from audit.queries.roles import REQUESTERS, REVIEWERS
    from governance import operations
    from governance.models import Finding

    now = datetime(2026, 1, 1, tzinfo=UTC)
    asks, decides = (
        register_login(
            username=username, display_name=username, password=None, groups=groups, actor="system:bench", now=now
        )
        for username, groups in (("bench-requester", [REQUESTERS]), (ACCOUNT, [REVIEWERS]))
    )
    assert decides.pk != asks.pk
    operations.load_catalogue(now=now)
    version = operations.register_from_catalogue(by=asks, name="Llama 3.1 8B", version="1", now=now)
    pool = operations.register_gpu_pool(
        by=asks, name="bench", gpu_model="H100 SXM5", count=8, node="n", region="jp", hosting="on_prem", now=now
    )
    ask = operations.DeploymentAsk(
        name="bench",
        purpose="Drafts credit memos for officers; a person decides.",
        justification="Officers wait two days for a first draft.",
        model_version_id=version.id,
        gpu_pool_id=pool.id,
        gpu_count=1,
        context=8192,
        concurrency=8,
        reasoning_cap=None,
    )
    operations.request_deployment(by=asks, ask=ask, now=now)
    Finding.objects.create(
        kind="unregistered_subject", subject="x", scope="x", entry_index=0, detail="Usage was reported.", raised_at=now
    )


def _copies(rows: int) -> Mapping[str, Mapping[str, str]]:
    """For each table, in the order of their references: the columns of row `n` that are not those of the first row."""
    models = max(1, rows // 20)
    moment = "timestamptz '2026-01-01' + n * interval '10 seconds'"
    short = """(evidence::jsonb || '{"terms": [], "assumptions": []}')::text"""
    evidence = f"CASE WHEN {_CLOSED} THEN {short} ELSE evidence END"
    return {
        "model": {"id": _id("model"), "name": "'model-' || n", "hf_id": "'bench/model-' || n"},
        "model_version": {
            "id": _id("model_version"),
            "model_id": f"md5('model' || (n %% {models} + 1))::uuid",
            "version": "'v' || n",
            "registered_at": moment,
        },
        "deployment": {
            "id": _id("deployment"),
            "number": "1000 + n",
            "name": "'deployment-' || n",
            "approved_revision_id": "NULL",
            "registered_at": moment,
        },
        "revision": {
            "id": _id("revision"),
            "deployment_id": _id("deployment"),
            "content": "'bench ' || n",
            "digest": _SHA.format(text="'bench ' || n"),
        },
        "approval_request": {
            "id": _id("request"),
            "number": "1000 + n",
            "deployment_id": _id("deployment"),
            "revision_id": _id("revision"),
            "revision_digest": _SHA.format(text="'bench ' || n"),
            "decision_digest": _SHA.format(text="'decision ' || n"),
            "evidence": evidence,
            "evidence_digest": _SHA.format(text=evidence),
            "state": f"CASE WHEN NOT {_CLOSED} THEN 'open' WHEN n %% 10 = 0 THEN 'rejected'"
            " WHEN n %% 10 = 1 THEN 'withdrawn' ELSE 'approved' END",
            "submitted_at": moment,
            "closed_at": f"CASE WHEN {_CLOSED} THEN {moment} + interval '1 day' END",
        },
        "finding": {
            "id": _id("finding"),
            "subject": "'deployment:' || " + _id("deployment"),
            "scope": "'scope ' || n",
            "entry_index": "n",
            "raised_at": moment,
        },
    }


def _id(kind: str) -> str:
    return _ID.format(kind=f"'{kind}'")


def _multiply(table: str, rows: int, values: Mapping[str, str]) -> None:
    count = max(1, rows // 20) if table == "model" else rows
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
            " AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position",
            [table],
        )
        names = [str(name) for (name,) in cursor.fetchall()]
        statement = sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM (SELECT * FROM {table} ORDER BY ctid LIMIT 1) first"
            " CROSS JOIN generate_series(1, %s) n"
        ).format(
            table=sql.Identifier(table),
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ").join(
                sql.SQL(values[name]) if name in values else sql.Identifier(name) for name in names
            ),
        )
        started = time.perf_counter()
        cursor.execute(statement, [count])
        progress(f"{table}: {count:,} rows in {time.perf_counter() - started:.0f} s")


def _documents(rows: int) -> None:
    """As many documents as rows, a fifth of each kind, in the form of `governance.queries.words`."""
    from governance.queries.words import SHELF

    kinds = ["deployment", "request", "revision", "model_version", "finding"]
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM search_document")
        cursor.execute(
            "INSERT INTO search_document (subject, kind, number, label, detail, entry_index, words)"
            " SELECT kind || ':' || md5(kind || (n + 1))::uuid, kind, n, kind || '-' || (n + 1), 'One of many.', n,"
            " (SELECT array_to_tsvector(array_agg(DISTINCT kind || '/' || n / %(shelf)s || '/' || word))"
            "  FROM (SELECT unnest(ARRAY[kind, (n + 1)::text, %(everywhere)s]) UNION ALL"
            "   SELECT 'w' || (hashint8(n * 31 + place) & 2147483647) %% %(words)s FROM generate_series(1, 12) place"
            "  ) w (word))"
            " FROM unnest(%(kinds)s::text[]) kind, generate_series(0, %(count)s - 1) n",
            {
                "shelf": SHELF,
                "everywhere": EVERYWHERE,
                "words": WORDS,
                "kinds": kinds,
                "count": max(1, rows // len(kinds)),
            },
        )


@contextmanager
def _without_triggers() -> Iterator[None]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled = 'A' AND c.relname = ANY(%s)",
            [list(TABLES)],
        )
        triggers = [tuple(map(sql.Identifier, row)) for row in cursor.fetchall()]
        for table, trigger in triggers:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(table, trigger))
        yield
        for table, trigger in triggers:
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(table, trigger))
