"""POST /api/v1/usage: what a pipeline may report, how often it may say so, and what it is refused."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from audit import queries
from audit.models import RecordKind, UsageRecord
from audit.windows import prove_record, seal_windows
from tests.integration.access import Pipeline, pipeline
from tests.integration.telemetry_story import LENGTH, subject

URL = "/api/v1/usage"
NOW = datetime.now(UTC)


@pytest.fixture
def sender(db: None) -> Pipeline:
    return pipeline()


@pytest.fixture
def deployment(db: None) -> str:
    return subject()


def record(about: str, **other: object) -> dict[str, object]:
    return {
        "id": "r-1",
        "subject": about,
        "occurred_at": (NOW - 6 * LENGTH).isoformat(),
        "model": "llama",
        "operation": "chat",
        "input_tokens": 100,
        "output_tokens": 50,
        "reasoning_tokens": 30,
        "cached_tokens": 10,
        "duration_ms": 900,
        "finish_reason": "stop",
        **other,
    }


def without(about: str, *names: str) -> dict[str, object]:
    return {name: value for name, value in record(about).items() if name not in names}


def post(client: Client, sender: Pipeline, body: object) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.generic("POST", URL, content, content_type="application/json", headers=sender.headers)
    return cast(HttpResponse, answer)


def answer_of(response: HttpResponse) -> Mapping[str, Any]:
    value: Mapping[str, Any] = json.loads(response.content)
    return value


def rows(about: str) -> int:
    return UsageRecord.objects.filter(subject=about).count()


@pytest.mark.django_db
def test_a_record_becomes_a_row_with_what_was_said(client: Client, sender: Pipeline, deployment: str) -> None:
    response = post(client, sender, [record(deployment)])
    assert response.status_code == 201, response.content
    row = UsageRecord.objects.get(subject=deployment)
    assert (row.method, row.source) == ("request", f"source:{sender.source_id}")
    assert (row.model, row.requests) == ("llama", 1)
    counts = (row.input_tokens, row.output_tokens, row.reasoning_tokens, row.cached_tokens, row.duration_ms)
    assert counts == (100, 50, 30, 10, 900)
    assert row.observed_at == NOW - 6 * LENGTH
    assert b"stop" in bytes(row.body)


@pytest.mark.django_db
def test_what_was_not_said_is_not_zero(client: Client, sender: Pipeline, deployment: str) -> None:
    body = [
        without(deployment, "reasoning_tokens", "cached_tokens", "duration_ms"),
        record(deployment, id="r-2", reasoning_tokens=0, cached_tokens=0, duration_ms=0),
    ]
    assert post(client, sender, body).status_code == 201
    silent, zero = UsageRecord.objects.filter(subject=deployment).order_by("id")
    assert (silent.reasoning_tokens, silent.cached_tokens, silent.duration_ms) == (None, None, None)
    assert (zero.reasoning_tokens, zero.cached_tokens, zero.duration_ms) == (0, 0, 0)


@pytest.mark.django_db
def test_reported_usage_is_sealed_and_every_record_is_proven(client: Client, sender: Pipeline, deployment: str) -> None:
    body = [record(deployment, id=f"r-{n}", reasoning_tokens=n) for n in range(5)]
    assert post(client, sender, body).status_code == 201
    seal_windows(now=NOW)
    (window,) = queries.windows(deployment, RecordKind.USAGE)
    assert (window.rows, window.totals["output_tokens"], window.reasoning_tokens_max) == (5, 250, 4)
    for row in UsageRecord.objects.filter(subject=deployment):
        proof = prove_record(kind=RecordKind.USAGE, record_id=row.id, observed_at=row.observed_at)
        assert (proof.entry_index, proof.body) == (window.entry, bytes(row.body))


@pytest.mark.django_db
def test_a_repeat_is_a_duplicate_and_changes_nothing(client: Client, sender: Pipeline, deployment: str) -> None:
    first, second = record(deployment), record(deployment, id="r-2")
    assert post(client, sender, [first]).status_code == 201
    again = post(client, sender, [first])
    assert (again.status_code, answer_of(again)["duplicates"]) == (200, 1)
    mixed = post(client, sender, [first, second, second])
    assert (mixed.status_code, answer_of(mixed)["duplicates"]) == (201, 2)
    assert rows(deployment) == 2


@pytest.mark.django_db
def test_an_id_belongs_to_its_source(client: Client, sender: Pipeline, deployment: str) -> None:
    other = pipeline("other")
    for who in (sender, other):
        assert post(client, who, [record(deployment)]).status_code == 201
    assert rows(deployment) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"output_tokens": 51}, {"model": "other"}, {"finish_reason": "length"}])
def test_other_content_under_a_known_id_is_refused_with_its_whole_batch(
    client: Client, sender: Pipeline, deployment: str, change: dict[str, object]
) -> None:
    assert post(client, sender, [record(deployment)]).status_code == 201
    response = post(client, sender, [record(deployment, id="new"), record(deployment, **change)])
    assert response.status_code == 409
    assert answer_of(response)["field"] == "[1].id"
    assert rows(deployment) == 1


@pytest.mark.django_db
def test_two_contents_under_one_id_of_a_batch_are_refused(client: Client, sender: Pipeline, deployment: str) -> None:
    response = post(client, sender, [record(deployment), record(deployment, output_tokens=51)])
    assert response.status_code == 409
    assert rows(deployment) == 0


BAD_FIELDS: dict[str, tuple[dict[str, object], str]] = {
    "more reasoning than output": ({"reasoning_tokens": 51}, "reasoning_tokens"),
    "more cached than input": ({"cached_tokens": 101}, "cached_tokens"),
    "a negative count": ({"input_tokens": -1}, "input_tokens"),
    "a count beyond every model": ({"input_tokens": (1 << 53) - 1}, "input_tokens"),
    "a fraction of a token": ({"output_tokens": 1.5}, "output_tokens"),
    "a count as text": ({"output_tokens": "50"}, "output_tokens"),
    "true as a count": ({"output_tokens": True}, "output_tokens"),
    "an empty id": ({"id": ""}, "id"),
    "a long id": ({"id": "x" * 300}, "id"),
    "a number as id": ({"id": 7}, "id"),
    "a subject in the sender's own words": ({"subject": "my deployment"}, "subject"),
    "no time zone": ({"occurred_at": "2026-11-24T09:00:00"}, "occurred_at"),
    "yesterday in words": ({"occurred_at": "yesterday"}, "occurred_at"),
    "six minutes ahead": ({"occurred_at": (NOW + timedelta(minutes=7)).isoformat()}, "occurred_at"),
    "the year 1": ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
    "the year 9999": ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
    "a month nobody keeps": ({"occurred_at": (NOW - timedelta(days=200)).isoformat()}, "occurred_at"),
    "no model": ({"model": ""}, "model"),
    "a long word": ({"finish_reason": "x" * 200}, "finish_reason"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_bad_record_is_named_and_nothing_of_its_batch_is_written(
    client: Client, sender: Pipeline, deployment: str, case: str
) -> None:
    change, field = BAD_FIELDS[case]
    response = post(client, sender, [record(deployment, id="good"), record(deployment, **change)])
    problem = answer_of(response)
    assert response.status_code == problem["status"] == 400, problem
    assert problem["field"] == f"[1].{field}"
    assert problem["reason"]
    assert rows(deployment) == 0


BAD_BODIES = {
    "not json": (b"[", 400),
    "an empty batch": (b"[]", 400),
    "a number": (b"7", 400),
    "a list of numbers": (b"[7]", 400),
    "a key twice": (b'[{"id":"a","id":"b"}]', 400),
    "NaN": (b'[{"id":"a","input_tokens":NaN}]', 400),
    "1e400": (b'[{"id":"a","input_tokens":1e400}]', 400),
    "beyond 2^53": (b'[{"id":"a","input_tokens":9007199254740993}]', 400),
    "NUL": (b'[{"id":"\\u0000"}]', 400),
    "a lone surrogate": (b'[{"id":"\\ud800"}]', 400),
    "deep nesting": (b"[" * 50 + b"]" * 50, 400),
    "a missing field": (b'[{"id":"a"}]', 400),
    "too large a body": (b" " * 5_000_000, 413),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_refused(client: Client, sender: Pipeline, case: str) -> None:
    body, status = BAD_BODIES[case]
    response = post(client, sender, body)
    assert response.status_code == answer_of(response)["status"] == status
    assert answer_of(response)["reason"]


@pytest.mark.django_db
def test_a_batch_has_at_most_a_thousand_records_and_no_strange_fields(
    client: Client, sender: Pipeline, deployment: str
) -> None:
    batch = [record(deployment, id=f"r-{n}") for n in range(1_001)]
    assert post(client, sender, batch).status_code == 400
    assert post(client, sender, [record(deployment, actor="ceo")]).status_code == 400
    assert rows(deployment) == 0
    assert post(client, sender, batch[:1_000]).status_code == 201
    assert rows(deployment) == 1_000


@pytest.mark.django_db
def test_only_a_token_for_usage_may_report(client: Client, sender: Pipeline, deployment: str) -> None:
    body = json.dumps([record(deployment)])
    assert client.generic("POST", URL, body, content_type="application/json").status_code == 401
    narrow = pipeline("narrow", scopes=("events:write",))
    assert post(client, narrow, body.encode()).status_code == 403
    assert rows(deployment) == 0


@pytest.mark.django_db
def test_a_record_just_ahead_of_our_clock_is_taken(client: Client, sender: Pipeline, deployment: str) -> None:
    ahead = record(deployment, occurred_at=(datetime.now(UTC) + timedelta(minutes=4)).isoformat())
    assert post(client, sender, [ahead]).status_code == 201


def test_senders_that_repeat_each_other_at_once_store_each_record_once(committed: object) -> None:
    sender, about = pipeline(), subject()
    batches = [[record(about, id=f"r-{n}") for n in order] for order in (range(40), reversed(range(40)), range(20, 60))]

    def send(batch: list[dict[str, object]]) -> int:
        try:
            response = post(Client(), sender, batch)
            assert response.status_code in {200, 201}, response.content
            return len(batch) - int(answer_of(response)["duplicates"])
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        stored = list(pool.map(send, batches * 2, timeout=60))
    assert sum(stored) == rows(about) == 60
