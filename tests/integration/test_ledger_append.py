"""The write path on a real database: order, exact idempotency, the guard, and agreement with a naive tree."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection, transaction
from msgspec.structs import replace

from audit import ledger, queries
from audit.ledger.head import HeadMoved
from audit.models import Entry, Head, Tile
from audit.tlog.leaf import parse_leaf
from audit.tlog.proof import verify_consistency, verify_inclusion
from audit.tlog.section import opens
from audit.tlog.tree import leaf_hash, node_hash
from tests.services.databases import Database
from tests.waiting import until

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def event(name: str, content: bytes = b"{}", *, source: str = "source:a") -> ledger.Event:
    return ledger.Event(
        type="client.event",
        subject="x:" + "ab" * 32,
        source=source,
        actor="service:a",
        occurred_at=NOW,
        sections=(ledger.Section("facts", content),),
        idempotency=ledger.Idempotency(name, content),
    )


def record(*events: ledger.Event) -> list[ledger.Appended]:
    with transaction.atomic(durable=True):
        return ledger.append(events=events)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def stored_leaves() -> list[bytes]:
    return [bytes(leaf) for leaf in Entry.objects.order_by("index").values_list("leaf", flat=True)]


@pytest.mark.django_db
def test_indexes_are_contiguous_and_the_root_is_the_naive_one() -> None:
    start = queries.head_size()
    sizes = [1, 2, 255, 1, 300, 17]
    for number, size in enumerate(sizes):
        appended = record(*(event(f"{number}-{item}") for item in range(size)))
        assert [item.status for item in appended] == ["created"] * size
    head = Head.objects.get()
    assert head.size == start + sum(sizes)
    leaves = stored_leaves()
    assert len(leaves) == head.size
    assert bytes(head.root) == naive_root(leaves)
    assert Tile.objects.count() == head.size // 256
    tile = Tile.objects.order_by("n").first()
    assert tile is not None
    assert bytes(tile.data) == b"".join(leaf_hash(leaf) for leaf in leaves[:256])


@pytest.mark.django_db
def test_proofs_from_tiles_and_edge_verify_against_naive_roots() -> None:
    record(*(event(f"p-{item}") for item in range(600)))
    leaves = stored_leaves()
    for index, size in [(0, 1), (0, 600), (255, 256), (256, 600), (511, 513), (599, 600), (599, len(leaves))]:
        verify_inclusion(
            leaf_hash(leaves[index]), index, size, queries.inclusion(index, size), naive_root(leaves[:size])
        )
    for first, second in [(1, 600), (256, 257), (255, 600), (512, 600), (600, 600)]:
        verify_consistency(
            first,
            second,
            naive_root(leaves[:first]),
            naive_root(leaves[:second]),
            queries.consistency(first, second),
        )


@pytest.mark.django_db
def test_the_leaf_says_what_was_given_and_commits_to_the_section() -> None:
    (appended,) = record(event("one", b'{"steps": 3}'))
    entry = queries.entry(appended.index)
    leaf = parse_leaf(entry.leaf)
    assert leaf_hash(entry.leaf) == appended.leaf_hash == entry.leaf_hash
    assert (leaf.id, leaf.type, leaf.actor) == (appended.id, "client.event", "service:a")
    (section,) = queries.sections_of(appended.index)[appended.index]
    assert section.body == b'{"steps": 3}'
    assert opens(leaf.sections["facts"].commitment, section.salt, leaf.origin, leaf.id, "facts", section.body)
    assert b"steps" not in entry.leaf


@pytest.mark.django_db
def test_a_repeat_answers_with_the_first_entry_and_writes_nothing() -> None:
    (first,) = record(event("again", b"content"))
    size = queries.head_size()
    (second,) = record(event("again", b"content"))
    assert (second.status, second.index, second.id) == ("duplicate", first.index, first.id)
    assert queries.head_size() == size


@pytest.mark.django_db
def test_a_repeat_within_one_call_becomes_one_entry() -> None:
    first, second = record(event("twin", b"c"), event("twin", b"c"))
    assert (first.status, second.status) == ("created", "duplicate")
    assert first.index == second.index


@pytest.mark.django_db
def test_the_same_id_from_another_source_is_another_event() -> None:
    first, second = record(event("n", source="source:a"), event("n", source="source:b"))
    assert first.index + 1 == second.index


@pytest.mark.django_db
def test_other_content_under_a_known_id_is_refused_and_nothing_of_the_call_is_written() -> None:
    (first,) = record(event("taken", b"one"))
    size = queries.head_size()
    with pytest.raises(ledger.IdempotencyConflict) as caught:
        record(event("new"), event("taken", b"two"))
    assert (caught.value.first_index, caught.value.position) == (first.index, 1)
    assert queries.head_size() == size


@pytest.mark.django_db
def test_received_at_never_falls() -> None:
    moments = [item.received_at for _ in range(3) for item in record(event(f"t-{_}"))]
    assert moments == sorted(moments)


@pytest.mark.django_db
def test_nothing_may_follow_append_in_its_transaction() -> None:
    with pytest.raises(ledger.StatementAfterAppend), transaction.atomic():
        ledger.append(events=[event("g")])
        Head.objects.get()
    assert Head.objects.get().size == queries.head_size(), "the guard ends with the rolled-back block"


@pytest.mark.django_db
def test_a_transaction_appends_once() -> None:
    with transaction.atomic():
        ledger.append(events=[event("once")])
        with pytest.raises(ledger.StatementAfterAppend, match="one call"):
            ledger.append(events=[event("twice")])


@pytest.mark.django_db
def test_one_id_twice_in_one_call_with_other_content_is_refused() -> None:
    size = queries.head_size()
    with pytest.raises(ledger.IdempotencyConflict, match="stands twice") as refused:
        record(event("a", b"one"), event("a", b"two"))
    assert (refused.value.first_index, refused.value.position) == (None, 1)
    assert queries.head_size() == size


@pytest.mark.django_db
def test_the_guard_ends_with_the_block() -> None:
    record(event("g2"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_append_needs_a_transaction(committed: object) -> None:
    with pytest.raises(ledger.NotInTransaction):
        ledger.append(events=[event("alone")])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (replace(event("bad"), subject="two\nlines"), "subject"),
        (replace(event("bad"), subject='quote"'), "subject"),
        (replace(event("bad"), occurred_at=datetime(2026, 1, 1)), "time zone"),
        (replace(event("bad"), sections=()), "sections"),
        (replace(event("bad"), sections=(ledger.Section("Facts", b""),)), "lower-case"),
        (replace(event("bad"), sections=(ledger.Section("facts", b"", "nonsense"),)), "media type"),
    ],
)
def test_what_may_not_stand_in_a_leaf_is_refused_by_name(bad: ledger.Event, said: str) -> None:
    with pytest.raises(ledger.EventRefused, match=said):
        record(bad)


def test_a_head_that_contradicts_its_edge_stops_the_writer(committed: object) -> None:
    record(event("h1"), event("h2"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE head SET size = size + 1, root = sha256('forged')")
    with pytest.raises((HeadMoved, ValueError)):
        record(event("h3"))


def test_concurrent_writers_keep_order_and_one_id_becomes_one_entry(committed: object) -> None:
    group = ledger.Group()

    def work(number: int) -> list[ledger.Appended]:
        try:
            return [
                answer
                for item in range(10)
                for answer in group.append([event(f"w{number}-{item}"), event(f"shared-{item}")])
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for part in pool.map(work, range(8), timeout=60) for answer in part]
    assert len(answers) == 160
    created = sorted(item.index for item in answers if item.status == "created")
    assert len(created) == 90, "80 own events and 10 shared ones"
    leaves = stored_leaves()
    assert created == list(range(len(leaves) - 90, len(leaves)))
    assert bytes(Head.objects.get().root) == naive_root(leaves)


def test_a_bad_job_harms_no_other_job_of_its_group(committed: object) -> None:
    group = ledger.Group()
    group.append([event("first", b"one")])
    barrier = threading.Barrier(4)

    def work(item: ledger.Event) -> object:
        barrier.wait(timeout=30)
        try:
            return group.append([item])[0].status
        except ledger.IdempotencyConflict as error:
            return error.first_index
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(work, [event("first", b"two"), event("a"), event("b"), event("c")], timeout=60))
    assert outcomes == [0, "created", "created", "created"]


def test_what_waits_too_long_is_turned_away_unwritten(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.ledger.group.MAX_WAIT_SECONDS", 0.05)
    group = ledger.Group()

    def work(name: str) -> str:
        try:
            return group.append([event(name)])[0].status
        finally:
            connection.close()

    with psycopg.connect(committed.admin_address()) as other, ThreadPoolExecutor(2) as pool:
        other.execute("SELECT FROM head FOR UPDATE")
        leader = pool.submit(work, "leads")
        with psycopg.connect(committed.admin_address(), autocommit=True) as admin:
            blocked = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            until(lambda: (admin.execute(blocked).fetchone() or (0,))[0], what="the leader's wait for the head")
        with pytest.raises(ledger.Overloaded, match="nothing was written"):
            pool.submit(work, "waits").result(timeout=30)
        other.rollback()
        assert leader.result(timeout=30) == "created"
    assert work("waits") == "created"
    assert Head.objects.get().size == 2


@pytest.mark.django_db
def test_a_group_takes_only_events_that_can_be_retried() -> None:
    with pytest.raises(ledger.EventRefused, match="client id"):
        ledger.Group().append([replace(event("x"), idempotency=None)])
