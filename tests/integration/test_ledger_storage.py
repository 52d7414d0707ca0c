"""The storage fails at every statement of an append, in both ways: nothing was stored; it was, but nobody heard."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import Client

from audit import ledger
from audit.models import Entry, EventKey, Head, Section
from tests.integration.access import pipeline
from tests.services.databases import Database
from tests.services.faults import BreakingProxy, Moment, breaking_proxy
from tests.unit.tlog_reference import mth

MOST_REQUESTS = 40


@pytest.fixture
def proxy(committed: Database) -> Iterator[BreakingProxy]:
    """Django's connection of the app role goes through it."""
    with breaking_proxy() as proxy:
        connections["default"].close()
        connections.settings["default"].update({"HOST": "127.0.0.1", "PORT": str(proxy.port)})
        yield proxy
        connections["default"].close()


def event(name: str) -> ledger.Event:
    body = name.encode()
    return ledger.Event(
        type="client.event",
        subject="x:" + "0" * 64,
        source="source:storage",
        actor="service:storage",
        occurred_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
        sections=(ledger.Section("facts", body),),
        idempotency=ledger.Idempotency(name, body),
    )


def check_log(names: list[str]) -> None:
    """Exactly these events, in this order, whole: entries, sections, keys, head and root."""
    leaves = [bytes(leaf) for leaf in Entry.objects.order_by("index").values_list("leaf", flat=True)]
    bodies = [bytes(body) for body in Section.objects.order_by("entry_index").values_list("body", flat=True)]
    assert bodies == [name.encode() for name in names]
    assert list(Entry.objects.order_by("index").values_list("index", flat=True)) == list(range(len(names)))
    assert EventKey.objects.count() == len(names)
    head = Head.objects.get()
    assert (head.size, bytes(head.root)) == (len(names), mth(leaves))


@pytest.mark.parametrize("moment", Moment)
def test_a_caller_that_repeats_what_failed_records_it_once(proxy: BreakingProxy, moment: Moment) -> None:
    names: list[str] = []
    for request in range(1, MOST_REQUESTS):
        # 100 events at once, so that tiles are completed on the way.
        batch = [f"{request}-{number}" for number in range(100)]
        connection.ensure_connection()
        proxy.arm(request, moment)
        try:
            with transaction.atomic(durable=True):
                ledger.append(events=[event(name) for name in batch])
        except OperationalError:
            proxy.arm(0, moment)
            with transaction.atomic(durable=True):
                again = ledger.append(events=[event(name) for name in batch])
            first = len(names)
            assert [item.index for item in again] == list(range(first, first + 100))
        assert proxy.cuts <= 1
        names += batch
        if not proxy.cuts:
            break
    else:
        pytest.fail("an append has more requests than this test breaks")
    proxy.arm(0, moment)
    check_log(names)


@pytest.mark.parametrize("moment", Moment)
def test_a_group_tries_once_more_by_itself(proxy: BreakingProxy, moment: Moment) -> None:
    group = ledger.Group()
    broken = 0
    names = []
    for request in range(1, MOST_REQUESTS):
        names.append(f"g{request}")
        connection.ensure_connection()
        proxy.arm(request, moment)
        (answer,) = group.append([event(names[-1])])
        assert answer.index == len(names) - 1
        broken += proxy.cuts
        if not proxy.cuts:
            break
    proxy.arm(0, moment)
    assert broken >= 5
    check_log(names)


def test_a_database_that_is_away_is_503_and_what_was_sent_is_taken_later(proxy: BreakingProxy, client: Client) -> None:
    sender = pipeline()
    recorded = Head.objects.get().size

    def send() -> tuple[int, dict[str, object]]:
        body = {"id": "e1", "type": "training.completed", "subject": "s", "occurred_at": "2026-11-24T09:00:00Z"}
        answer = client.generic(
            "POST", "/api/v1/events", json.dumps(body), content_type="application/json", headers=sender.headers
        )
        if answer.status_code == 503:
            assert answer["Retry-After"] == "1"
        return answer.status_code, json.loads(answer.content)

    connection.close()
    port = connections.settings["default"]["PORT"]
    connections.settings["default"]["PORT"] = "9"
    status, told = send()
    assert (status, told["field"]) == (503, "")
    assert "again later" in str(told["reason"])
    connections.settings["default"]["PORT"] = port
    connection.close()
    assert send()[0] == 201
    connection.close()
    assert send()[0] == 200
    # The token's first use of the day, and the event.
    assert Head.objects.get().size == recorded + 2
