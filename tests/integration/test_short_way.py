"""The short way for events answers what the site answers, and leaves to the site what is not its own."""

import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import override_settings

from audit.models import Entry
from config import shortway
from config.shortway import ShortWay
from tests.integration.access import Pipeline, pipeline
from tests.services.databases import Database

EVENT = {
    "id": "e-1",
    "type": "training.completed",
    "subject": "credit-memo",
    "occurred_at": "2026-11-24T09:00:00Z",
    "data": {"steps": 3},
}
RECORDED_ALONE = ("index", "id", "leaf_hash", "received_at")

Answer = tuple[str, dict[str, str], bytes]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def ask(application: Application, body: bytes = b"", **changes: str) -> Answer:
    """One request as a web server hands it over; `changes` are of its WSGI environment."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/events",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **changes,
    }
    told: list[tuple[str, dict[str, str]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        told.append((status, dict(headers)))

    content = b"".join(application(environ, start))
    [(status, headers)] = told
    return status, headers, content


@pytest.fixture
def site() -> Application:
    return get_wsgi_application()


@pytest.fixture
def sender(committed: Database) -> Pipeline:
    return pipeline()


def bearer(sender: Pipeline) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": sender.headers["Authorization"]}


def recorded(sender: Pipeline) -> int:
    """How many events of the sender are entries."""
    return Entry.objects.filter(source=f"source:{sender.source_id}").count()


def refuse_to_answer(_environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
    raise AssertionError("the request went to the site")


def one(**changes: object) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def test_what_is_recorded_is_answered_alike(site: Application, sender: Pipeline) -> None:
    short = ShortWay(refuse_to_answer)
    batch = b"[" + one(id="{}") + b"," + one(id="{}-b") + b"]"
    for number, body in enumerate((one(id="{}"), batch)):
        answers = [
            ask(application, body.replace(b"{}", f"{name}-{number}".encode()), **bearer(sender))
            for name, application in (("site", site), ("short", short))
        ]
        assert [status for status, _headers, _content in answers] == ["201 Created"] * 2
        of_site, of_short = (shape(json.loads(content)) for _status, _headers, content in answers)
        assert of_site == of_short
        for _status, headers, content in answers:
            assert int(headers.pop("Content-Length")) == len(content)
        assert answers[0][1] == answers[1][1]


def shape(answer: Any) -> Any:
    """An answer without what differs from one entry to the next."""
    if "events" in answer:
        return [shape(item) for item in answer["events"]]
    return {**answer, **dict.fromkeys(RECORDED_ALONE)}


def test_whatever_a_known_sender_is_refused_is_answered_and_logged_alike(
    caplog: pytest.LogCaptureFixture, site: Application, sender: Pipeline
) -> None:
    assert ask(site, one(), **bearer(sender))[0] == "201 Created"
    for body, changes in (
        (one(), {}),
        (one(data={"steps": 4}), {}),
        (one(type="request.approved"), {}),
        (b"[]", {}),
        (b"nonsense", {}),
        (one(data={"n": "x"}).replace(b'"x"', b"NaN"), {}),
        (gzip.compress(one()), {"HTTP_CONTENT_ENCODING": "gzip"}),
        (one(), {"HTTP_CONTENT_ENCODING": "br"}),
        (one(), {"CONTENT_LENGTH": "99999999"}),
        (one(), {"CONTENT_LENGTH": "9999"}),
        (one(), {"HTTP_ACCEPT_LANGUAGE": "ja"}),
    ):
        caplog.clear()
        expected = ask(site, body, **bearer(sender), **changes)
        assert ask(ShortWay(refuse_to_answer), body, **bearer(sender), **changes) == expected
        told = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "django.request"]
        assert len(told) in {0, 2} and len(set(told)) < 2, told


def test_everything_else_is_the_sites(site: Application, sender: Pipeline) -> None:
    for changes in (
        {"REQUEST_METHOD": "GET"},
        {"REQUEST_METHOD": "PUT"},
        {"HTTP_AUTHORIZATION": "Bearer assay_unknown"},
        {"HTTP_AUTHORIZATION": "Basic dTpw"},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_HOST": "elsewhere.example"},
        {"QUERY_STRING": "a=%00"},
        {"PATH_INFO": "/api/v1/events/"},
        {"PATH_INFO": "/api/v1/usage"},
    ):
        given = {**bearer(sender), **changes}
        status, _headers, content = ask(ShortWay(site), one(), **given)
        assert (status, content) == ask(site, one(), **given)[::2], changes
        assert int(status[:3]) >= 400, changes
        assert recorded(sender) == 0, changes


def test_a_token_without_the_scope_is_told_by_the_site(committed: Database, site: Application) -> None:
    given = bearer(pipeline(scopes=("log:read",)))
    assert ask(ShortWay(site), one(), **given) == ask(site, one(), **given)
    assert ask(site, one(), **given)[0] == "403 Forbidden"


@override_settings(SECURE_SSL_REDIRECT=True)
def test_an_unprotected_connection_is_sent_away(sender: Pipeline) -> None:
    status, headers, _content = ask(ShortWay(get_wsgi_application()), one(), **bearer(sender))
    assert status.startswith("301") and headers["Location"].startswith("https://")
    assert recorded(sender) == 0


def test_a_fault_of_ours_is_a_server_error_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sender: Pipeline
) -> None:
    def fail(_request: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(shortway, "answer_plainly", fail)
    with override_settings(DEBUG=False):
        status, _headers, content = ask(ShortWay(refuse_to_answer), one(), **bearer(sender))
    assert status.startswith("500") and b"secret" not in content
    assert any("ZeroDivisionError" in (record.exc_text or "") for record in caplog.records)
