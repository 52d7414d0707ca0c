"""Requests that arrive broken, and what surrounds them: never a server error, never another's language."""

import json
from typing import Any

import pytest
from django.test import Client
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData

from tests.integration.access import pipeline

pytestmark = pytest.mark.django_db
EVENT = b'{"id":"e-1","type":"training.completed","subject":"s","occurred_at":"2026-11-24T09:00:00Z","data":{"a":3}}'


class Broken:
    """The input of a server whose client sends nonsense or is gone."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        raise self.error

    readline = read


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/usage", "/api/v1/bundles"])
def test_a_body_that_breaks_off_is_the_senders_fault(client: Client, path: str) -> None:
    headers = {**pipeline(scopes=("events:write", "usage:write", "log:read")).headers, "Transfer-Encoding": "chunked"}
    for error in (
        InvalidChunkSize(b"ZZ"),
        NoMoreData(None),
        ChunkMissingTerminator(b"XX"),
        ConnectionResetError(),
        TimeoutError(),
    ):
        extra: dict[str, Any] = {"wsgi.input": Broken(error)}
        answer = client.generic("POST", path, b"", content_type="application/json", headers=headers, **extra)
        assert answer.status_code == 400
        assert "cut off" in json.loads(answer.content)["reason"]


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/usage", "/api/v1/bundles"])
def test_a_refused_key_that_no_answer_can_hold_is_spelled_out(client: Client, path: str) -> None:
    headers = pipeline(scopes=("events:write", "usage:write", "log:read")).headers
    for body in (rb'{"\ud800":1,"\ud800":2}', rb'{"\ud800":' + b"[" * 40 + b"]" * 40 + b"}"):
        answer = client.generic("POST", path, body, content_type="application/json", headers=headers)
        assert answer.status_code == 400
        assert r"\ud800" in json.loads(answer.content)["field"]


def test_a_token_is_answered_in_one_language_whoever_came_before(client: Client) -> None:
    headers = {**pipeline().headers, "Accept-Language": "en"}
    assert client.get("/admin/login/", headers={"Accept-Language": "ja"})["Content-Language"] == "ja"
    answer = client.put("/api/v1/events", EVENT, content_type="application/json", headers=headers)
    assert answer.status_code == 405
    assert "not allowed" in json.loads(answer.content)["reason"]


@pytest.mark.parametrize("header", ["Bearer x", "bearer ", "Bearer", "Basic eA=="])
def test_pages_beside_the_interface_do_not_mind_a_token(client: Client, header: str) -> None:
    for path, status in (("/api/docs", 200), ("/api/schema.json", 200), ("/api/v1/entries", 401), ("/api/v1/no", 404)):
        answer = client.get(path, headers={"Authorization": header})
        assert answer.status_code == status if status != 401 else answer.status_code in {401, 403}


def test_other_content_under_one_id_is_named_where_it_stands(client: Client) -> None:
    headers = pipeline().headers
    other = EVENT.replace(b"3", b"4", 1).replace(b'"a":3', b'"a":5')

    def send(body: bytes) -> tuple[int, dict[str, Any]]:
        answer = client.generic("POST", "/api/v1/events", body, content_type="application/json", headers=headers)
        return answer.status_code, json.loads(answer.content)

    status, told = send(b"[" + EVENT + b"," + other + b"]")
    assert (status, told["field"], "first_index" in told) == (409, "[1].id", False)
    status, first = send(EVENT)
    assert status == 201
    status, told = send(other)
    assert (status, told["field"], told["first_index"]) == (409, "id", first["index"])
