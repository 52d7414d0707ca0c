"""POST /api/v1/events: what a pipeline may send, what it is answered, and what it is refused."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from audit import queries
from audit.tlog.leaf import parse_leaf
from tests.integration.access import Pipeline, pipeline

pytestmark = pytest.mark.django_db
URL = "/api/v1/events"
EVENT = {
    "id": "e-1",
    "type": "training.completed",
    "subject": "credit-memo",
    "occurred_at": "2026-11-24T09:00:00Z",
    "data": {"steps": 3},
}


@pytest.fixture
def sender(db: None) -> Pipeline:
    return pipeline()


def post(client: Client, sender: Pipeline, body: object, **headers: str) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.generic(
        "POST", URL, content, content_type="application/json", headers={**sender.headers, **headers}
    )
    assert isinstance(answer, HttpResponse)
    return answer


def answer_of(response: HttpResponse) -> Mapping[str, Any]:
    value: Mapping[str, Any] = json.loads(response.content)
    return value


def test_one_event_becomes_one_entry_with_the_exact_bytes(client: Client, sender: Pipeline) -> None:
    body = (
        b'{"id":"e-1","type":"training.completed", "subject":"mine",'
        b'"occurred_at":"2026-11-24T09:00:00+09:00","data":{"x":1.50}}'
    )
    response = post(client, sender, body)
    assert response.status_code == 201
    index = answer_of(response)["index"]
    entry = queries.entry(index)
    assert queries.sections_of(index)[index][0].body == body
    leaf = parse_leaf(entry.leaf)
    assert leaf.source == f"source:{sender.source_id}"
    assert leaf.actor == f"service:{sender.service_account_id}"
    assert leaf.occurred_at == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert answer_of(response)["leaf_hash"] == entry.leaf_hash.hex()


def test_a_batch_keeps_each_events_own_slice(client: Client, sender: Pipeline) -> None:
    one, two = json.dumps({**EVENT, "id": "a"}).encode(), json.dumps({**EVENT, "id": "b"}, indent=2).encode()
    response = post(client, sender, b"[" + one + b" , " + two + b"]")
    assert response.status_code == 201
    first, second = (item["index"] for item in answer_of(response)["events"])
    opened = queries.sections_of([first, second])
    assert [opened[first][0].body, opened[second][0].body] == [one, two]


def test_a_repeat_is_answered_with_the_first_receipt(client: Client, sender: Pipeline) -> None:
    first = post(client, sender, EVENT)
    size = queries.head_size()
    again = post(client, sender, EVENT)
    assert (first.status_code, again.status_code) == (201, 200)
    assert answer_of(again) == {**answer_of(first), "status": "duplicate"}
    assert queries.head_size() == size


def test_other_content_under_the_same_id_names_the_first_entry(client: Client, sender: Pipeline) -> None:
    first = answer_of(post(client, sender, EVENT))
    response = post(client, sender, {**EVENT, "data": {"steps": 4}})
    assert response.status_code == 409
    assert answer_of(response)["first_index"] == first["index"]


def test_client_words_never_stand_in_a_leaf(client: Client, sender: Pipeline) -> None:
    body = {**EVENT, "id": "secret-id", "type": "secret.type", "subject": "secret-subject"}
    index = answer_of(post(client, sender, body))["index"]
    entry = queries.entry(index)
    assert b"secret" not in entry.leaf
    assert entry.type.startswith("x:")
    assert entry.subject.startswith("x:")
    assert len({entry.type, entry.subject}) == 2


def test_a_subject_that_assay_issued_stands_in_clear(client: Client, sender: Pipeline) -> None:
    known = f"service:{sender.service_account_id}"
    index = answer_of(post(client, sender, {**EVENT, "subject": known}))["index"]
    assert queries.entry(index).subject == known


def test_a_pipeline_cannot_write_a_decision(client: Client, sender: Pipeline) -> None:
    response = post(client, sender, {**EVENT, "type": "request.approved"})
    assert response.status_code == 400
    assert answer_of(response)["field"] == "type"


BAD_BODIES = {
    "not json": (b"{", 400, "not JSON"),
    "not utf-8": (b'{"id":"\xc0\xa0"}', 400, "UTF-8"),
    "a key twice": (json.dumps(EVENT)[:-1].encode() + b',"id":"e-2"}', 400, "twice"),
    "a key twice inside": (
        json.dumps({**EVENT, "data": {}}).replace("{}", '{"a":1,"a":2}').encode(),
        400,
        "twice",
    ),
    "NaN": (json.dumps(EVENT).replace("3", "NaN").encode(), 400, "NaN"),
    "1e400": (json.dumps({**EVENT, "data": {"n": 7}}).replace("7", "1e400", 1).encode(), 400, ""),
    "an integer beyond 2^53": (json.dumps({**EVENT, "data": {"n": 1 << 53}}).encode(), 400, "2^53"),
    "a 5,000-digit integer": (
        json.dumps(EVENT).replace('"steps": 3', '"steps": ' + "9" * 5000).encode(),
        400,
        "2^53",
    ),
    "NUL": (json.dumps({**EVENT, "data": {"n": "\x00"}}).encode(), 400, "U+0000"),
    "a lone surrogate": (
        json.dumps({**EVENT, "data": {"n": "x"}}).replace('"x"', '"\\ud800"').encode(),
        400,
        "surrogate",
    ),
    "deep nesting": (b"[" * 100_000 + b"]" * 100_000, 400, "nested"),
    "nesting of 40": (
        json.dumps(EVENT).replace("3", "[" * 40 + "]" * 40).encode(),
        400,
        "nested",
    ),
    "an empty batch": (b"[]", 400, "1 to 1000"),
    "too many": (json.dumps([EVENT] * 1001).encode(), 400, "1001"),
    "a number": (b"7", 400, ""),
    "an unknown field": (json.dumps({**EVENT, "actor": "ceo"}).encode(), 400, "actor"),
    "a number as id": (json.dumps({**EVENT, "id": 7}).encode(), 400, "str"),
    "no time zone": (json.dumps({**EVENT, "occurred_at": "2026-11-24T09:00:00"}).encode(), 400, "timezone"),
    "year 1": (json.dumps({**EVENT, "occurred_at": "0001-01-01T00:00:00+14:00"}).encode(), 400, ""),
    "too large an event": (json.dumps({**EVENT, "data": {"n": "x" * 70_000}}).encode(), 413, "65536"),
    "too large a body": (json.dumps({**EVENT, "data": {"n": "x" * 5_000_000}}).encode(), 413, "larger"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_bad_input_is_refused_by_name_and_nothing_is_written(client: Client, sender: Pipeline, case: str) -> None:
    body, status, said = BAD_BODIES[case]
    post(client, sender, {**EVENT, "id": "warm-up"})
    size = queries.head_size()
    response = post(client, sender, body)
    problem = answer_of(response)
    assert response.status_code == problem["status"] == status, problem
    assert said in problem["reason"] + problem["field"]
    assert set(problem) == {"status", "field", "reason"}
    assert queries.head_size() == size


@pytest.mark.parametrize(
    "data",
    [
        '{"n":1.0,"m":1e2,"z":-0.0,"long":0.10000000000000000555}',
        '{"nfc":"\u00e9","nfd":"e\u0301"}',
        '{"\U0001f600":1,"\uff5e":2,"a":3}',
        '{ "spaces" :\t[ 1 ,2 ] , "escaped":"\\u00e9\\/\\ud83d\\ude00" }',
    ],
)
def test_unusual_json_is_kept_to_the_byte(client: Client, sender: Pipeline, data: str) -> None:
    body = json.dumps(EVENT).replace('{"steps": 3}', data).encode()
    answer = answer_of(post(client, sender, body))
    (section,) = queries.sections_of(answer["index"])[answer["index"]]
    assert bytes(section.body) == body


def test_one_bad_event_of_a_batch_is_named_and_nothing_is_written(client: Client, sender: Pipeline) -> None:
    post(client, sender, {**EVENT, "id": "warm-up"})
    size = queries.head_size()
    response = post(client, sender, [EVENT, {**EVENT, "id": "b", "occurred_at": "yesterday"}])
    assert response.status_code == 400
    assert answer_of(response)["field"] == "[1].occurred_at"
    assert queries.head_size() == size


def test_gzip_is_taken_and_a_bomb_is_refused(client: Client, sender: Pipeline) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert post(client, sender, gzip.compress(json.dumps(EVENT).encode()), **headers).status_code == 201
    assert post(client, sender, gzip.compress(b" " * 50_000_000), **headers).status_code == 413
    assert post(client, sender, b"not gzip", **headers).status_code == 400
    assert post(client, sender, gzip.compress(b"{}")[:-4], **headers).status_code == 400
    assert post(client, sender, b"{}", **{"Content-Encoding": "br"}).status_code == 415


def test_tokens_that_open_nothing(client: Client, sender: Pipeline) -> None:
    expired = pipeline("old", issued_at=datetime.now(UTC) - timedelta(days=2), lifetime=timedelta(days=1))
    narrow = pipeline("narrow", scopes=("registry:read",))
    body = json.dumps(EVENT).encode()
    assert client.generic("POST", URL, body, content_type="application/json").status_code == 401
    for token in ("assay_aaaaaaaa_" + "A" * 43, "nonsense", sender.token[:-1] + "_", expired.token):
        response = client.generic(
            "POST",
            URL,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert response.status_code == 401
    assert post(client, narrow, EVENT).status_code == 403


def test_the_first_use_of_a_day_is_an_entry_and_the_rest_is_noise(client: Client, sender: Pipeline) -> None:
    post(client, sender, EVENT)
    post(client, sender, {**EVENT, "id": "e-2"})
    used = queries.entries(type_="token.used")
    assert len(used) == 1
    assert used[0].actor == f"service:{sender.service_account_id}"
