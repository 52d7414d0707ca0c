"""The front door against whatever can be sent: every body is recorded exactly as sent, or refused by name with nothing
written.
"""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import queries
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
REFUSALS = frozenset({400, 409, 413, 415})

# What breaks parsers and databases, each by itself a value of JSON text.
NASTY = st.sampled_from(
    [
        *(
            "NaN",
            "-Infinity",
            "1e400",
            "-0",
            "0.10000000000000000555",
            "9007199254740993",
            "9" * 400,
            "1E9",
            "01",
            "+1",
        ),
        *(r'"\u0000"', r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', '"\x00"', '"\u2028"', '"\ufeff"'),
        *('{"a":1,"a":2}', '{"":{}}', '{"__proto__":1}', "[" * 40 + "]" * 40, "[" * 20 + "]" * 20, "\ufeff{}", "nul"),
        *(r'{"\ud800":1,"\ud800":2}', r'{"\ud800":' + "[" * 40 + "]" * 40 + "}", r'{"\u0000":1}'),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=10,
).map(lambda value: json.dumps(value, ensure_ascii=False))
FIELDS = st.dictionaries(
    st.sampled_from([*EVENT, "actor", "source", "received_at", ""]),
    NASTY | VALUES | st.datetimes().map(lambda moment: json.dumps(moment.isoformat() + "Z")),
    max_size=3,
)
SPACES = st.sampled_from(["", " ", "\n", "\t \r\n", "\u00a0"])


@st.composite
def events(draw: st.DrawFn) -> str:
    """An event of which some fields are other than they should be, in somebody's spelling."""
    fields = {name: json.dumps(value) for name, value in EVENT.items()}
    if draw(st.booleans()):
        fields.update(draw(FIELDS))
    space = draw(SPACES)
    return "{" + f",{space}".join(f"{json.dumps(name)}{space}:{value}" for name, value in fields.items()) + "}"


BODIES = (
    st.binary(max_size=60)
    | (NASTY | VALUES).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | events().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.lists(events(), max_size=3).map(lambda texts: f"[{','.join(texts)}]".encode("utf-8", "surrogatepass"))
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    """A body, perhaps damaged or packed on the way, and its headers."""
    body = draw(BODIES)
    if body and draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(body) - 1))
        body = body[:at] + draw(st.binary(max_size=2)) + body[at + draw(st.integers(0, 2)) :]
    kind = draw(st.sampled_from(["plain"] * 6 + ["gzip", "cut gzip", "gzip twice", "lie", "br"]))
    if kind == "plain":
        return body, {}
    if kind == "br":
        return body, {"Content-Encoding": "br"}
    packed = gzip.compress(body, 1)
    sent = {"gzip": packed, "cut gzip": packed[:-3], "gzip twice": packed * 2, "lie": body}[kind]
    return sent, {"Content-Encoding": "gzip"}


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests())
def test_every_body_is_recorded_as_sent_or_refused_by_name(
    client: Client, sender: Pipeline, request: tuple[bytes, dict[str, str]]
) -> None:
    content, headers = request
    size = queries.head_size()
    response = client.generic(
        "POST", URL, content, content_type="application/json", headers={**sender.headers, **headers}
    )
    assert isinstance(response, HttpResponse)
    answer: Mapping[str, Any] = json.loads(response.content)
    if response.status_code in REFUSALS:
        assert set(answer) - {"first_index"} == {"status", "field", "reason"}
        assert answer["status"] == response.status_code
        assert answer["reason"]
        assert queries.head_size() == size
        return
    assert response.status_code in {200, 201}
    body = gzip.decompress(content) if headers else content
    answers = answer.get("events", [answer])
    assert queries.head_size() == size + sum(item["status"] == "created" for item in answers)
    for item in answers:
        (section,) = queries.sections_of(item["index"])[item["index"]]
        assert bytes(section.body) in body
        assert queries.entry(item["index"]).leaf_hash.hex() == item["leaf_hash"]


@pytest.fixture
def sender(db: None, client: Client) -> Pipeline:
    """A token that was used today: its first use is an entry of its own."""
    sender = pipeline()
    first = json.dumps({**EVENT, "id": "warm-up"})
    answer = client.generic("POST", URL, first, content_type="application/json", headers=sender.headers)
    assert answer.status_code == 201
    return sender
