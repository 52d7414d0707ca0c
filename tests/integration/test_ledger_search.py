"""Looking through the log: every page of every filter together is the filtered log, and none reads the whole of it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

from django.db import connections, transaction
from django.test import Client
from django.utils import timezone
from psycopg import sql

from audit import ledger
from audit.queries.entries import EntryRow, entries, entries_after
from audit.queries.names import Candidate, candidates
from audit.queries.search import Found, Range, Wanted, places, search
from tests.integration.access import person, pipeline
from tests.services.databases import Database

TYPES = ("training.started", "agent.tool_call", "usage.reported")
SUBJECTS = ("model:1", "x:ab", "log")
SOURCES = ("app", "source:one")


def record(count: int, *, seed: int = 0) -> None:
    """Events of mixed types, subjects and sources; each of its own commit's time."""
    for number in range(seed, seed + count, 30):
        events = [
            ledger.Event(
                TYPES[(n * n + n // 7) % 3] if n % 5 else "training.completed",
                SUBJECTS[n % 2 + n // 50 % 2],
                SOURCES[n // 11 % 2],
                "system:test",
                timezone.now(),
                (ledger.facts({"n": n}),),
            )
            for n in range(number, min(number + 30, seed + count))
        ]
        with transaction.atomic(durable=True):
            ledger.append(events=events)


def turned(wanted: Wanted, inside: Range, *, rising: bool, limit: int, most: int) -> Iterator[Found]:
    """All pages, from the newest down or from the oldest up."""
    cursor: int | None = inside.low if rising else None
    while True:
        before, start = (None, cursor) if rising else (cursor, None)
        page = search(wanted, inside=inside, before=before, start=start, limit=limit, most=most)
        yield page
        cursor = page.newer if rising else page.older
        if cursor is None:
            return


def test_all_pages_of_a_filter_are_the_filtered_log(committed: Database) -> None:
    record(230)
    log = entries_after(0, limit=500)
    first, last = log[40].received_at, log[171].received_at
    times: list[tuple[datetime | None, datetime | None]] = [(None, None), (first, last), (last, None)]
    asked = product(("", TYPES[0], "nothing"), ("", SUBJECTS[1]), ("", SOURCES[1]), times)
    for kind, subject, source, (low, high) in asked:
        wanted = Wanted(kind, subject, source, low, high)
        inside = places(wanted)
        expected = [row.index for row in reversed(log) if matches(row, wanted)]
        for rising, limit, most in ((False, 9, 10_000), (True, 9, 10_000), (False, 9, 4), (True, 4, 9)):
            pages = list(turned(wanted, inside, rising=rising, limit=limit, most=most))
            found = [row.index for page in (reversed(pages) if rising else pages) for row in page.rows]
            assert found == expected, (wanted, rising, limit, most)
            assert all(len(page.rows) <= limit for page in pages)
            looked = [n for page in pages for n in range(page.low, page.end)]
            assert sorted(looked) == list(range(inside.low, inside.end)), "each entry is looked at on one page"
        assert [row.index for row in entries(type_=kind, subject=subject, source=source, limit=500,
                                             received_from=low, received_to=high)] == expected  # fmt: skip

    wanted = Wanted(type=TYPES[0], source=SOURCES[1], received_from=first, received_to=last + timedelta(microseconds=1))
    assert over_rest(wanted, until=last) == [row.index for row in reversed(log) if matches(row, wanted)]


def over_rest(wanted: Wanted, *, until: datetime) -> list[int]:
    """The same over REST, by its cursor; what cannot be read is told by field."""
    assert wanted.received_from
    query = {"type": wanted.type, "source": wanted.source, "limit": "7"}
    query |= {"received_from": wanted.received_from.isoformat(), "received_to": until.isoformat()}
    headers, found, before = pipeline("reader").headers, list[int](), "1000000000"
    while before:
        page = Client().get("/api/v1/entries", {**query, "before": before}, headers=headers).json()
        found += [row["index"] for row in page["entries"]]
        before = str(page["next_before"] or "")
    for field, value in (("received_from", "2026-02-30"), ("received_to", "soon"), ("source", "x" * 257)):
        answer = Client().get("/api/v1/entries", {field: value}, headers=headers)
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    return found


def matches(row: EntryRow, wanted: Wanted) -> bool:
    return (
        wanted.type in {"", row.type}
        and wanted.subject in {"", row.subject}
        and wanted.source in {"", row.source}
        and (wanted.received_from is None or row.received_at >= wanted.received_from)
        and (wanted.received_to is None or row.received_at < wanted.received_to)
    )


def test_no_filter_reads_more_than_it_shows(committed: Database) -> None:
    record(90)
    with connections["admin"].cursor() as cursor:
        cursor.execute("ANALYZE entry")
    moments = Wanted(received_from=timezone.now() - timedelta(hours=1), received_to=timezone.now())
    alone = [
        (Wanted(), "entry_pkey"),
        (Wanted(type=TYPES[0]), "entry_type_index"),
        (Wanted(subject="log"), "entry_subject_index"),
        (Wanted(source="source:one"), "entry_source_index"),
    ]
    inside = places(Wanted())
    for wanted, index in alone:
        for before, start in ((None, None), (60, None), (None, 20)):
            (plan,) = plans(partial(search, wanted, inside=inside, limit=5, before=before, start=start))
            assert f"using {index} on entry" in plan
            assert "Sort" not in plan
            assert "Filter" not in plan
    (bisection,) = plans(partial(places, moments))
    assert "Index Scan using entry_pkey on entry e" in bisection
    both = Wanted(type="training.completed", source="app")
    bound, rows = plans(partial(search, both, inside=inside, limit=5))
    assert bound.count("Index Only Scan") == 2
    assert "using entry_type_index" in rows


def plans(ask: Callable[[], Any]) -> list[str]:
    """The plans of the statements that `ask` makes, on a machine that would rather not read a small table whole."""
    found: list[str] = []

    def explained(execute: Any, statement: Any, params: Any, many: bool, context: Any) -> Any:
        with context["connection"].connection.cursor() as cursor:
            asked = statement if isinstance(statement, sql.Composable) else sql.SQL(statement)
            cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
            cursor.execute(sql.SQL("EXPLAIN (COSTS OFF) ") + asked, params)
            found.append("\n".join(line for (line,) in cursor.fetchall()))
            cursor.execute("RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_sort")
        return execute(statement, params, many, context)

    with connections["default"].execute_wrapper(explained):
        ask()
    return found


def test_a_subject_is_found_by_what_people_have(committed: Database) -> None:
    kinds = ("person", "source", "model")
    ada, account = person("ada"), pipeline("ada-trainer")
    reference = ada.actor
    number = reference.partition(":")[2]
    for text in (reference, number, number[:6], f"{number[:8]}…", f"person:{number[:4]}", f" {number.upper()} ", "Ada"):
        meant = candidates(text, kinds=kinds)
        assert meant.one, text
        assert meant.one.reference == reference, text
    both = candidates("ada-train", kinds=kinds)
    assert both.one is None
    assert {item.reference.partition(":")[0] for item in both.others} == {"source", "service", "person"}
    assert candidates(f"source:{account.source_id}", kinds=kinds).one
    record(1)
    meant = candidates("a name of the pipeline", kinds=kinds, hidden="model:1")
    assert meant.one == Candidate("model:1", "a name of the pipeline")
    for text in ("nobody", "abc", "g" * 300, "%", "_", "\\", "person:", "0" * 36, "日本"):
        meant = candidates(text, kinds=kinds)
        assert meant.one is None, text
        assert meant.others == (), text
