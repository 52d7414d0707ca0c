"""Reading the log over REST: who may open what, proofs that verify, and answers to what cannot be."""

import json
from base64 import b64decode
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from audit import queries
from audit.queries.roles import AUDITORS
from audit.tlog.bundle import verify_bundle
from audit.tlog.proof import verify_consistency
from audit.tlog.receipt import Receipt
from audit.tlog.tree import leaf_hash
from tests.integration.access import person, pipeline
from tests.integration.test_selfcheck import record, sign
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database


def read(client: Client, path: str, **headers: str) -> tuple[int, Any]:
    answer = client.get(f"/api/v1{path}", headers=headers)
    is_json = answer.headers["Content-Type"].startswith("application/json")
    return answer.status_code, json.loads(answer.content) if is_json else answer.content.decode()


def test_an_auditor_takes_a_bundle_away_and_the_verifier_accepts_it(committed: Database) -> None:
    record(5)
    sign(committed)
    auditor = person("mori", AUDITORS)
    client = Client(enforce_csrf_checks=True)
    client.force_login(auditor)
    client.get("/admin/")
    token = client.cookies["csrftoken"].value
    body = json.dumps({"indexes": [0, 3]})
    refused = client.post("/api/v1/bundles", body, content_type="application/json")
    assert refused.status_code == 403, "a session needs its CSRF token"
    answer = client.post("/api/v1/bundles", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 200
    verified = verify_bundle(answer.content, [SIGNING_KEY.verifier])
    assert verified.ok, verified.failures


def test_content_is_opened_for_auditors_the_source_and_log_read_only(committed: Database) -> None:
    record(1)
    own, other, reader = pipeline("own"), pipeline("other"), pipeline("reader", scopes=("log:read",))
    event = {"id": "e", "type": "training.started", "subject": "m", "occurred_at": "2026-11-24T09:00:00Z", "data": {}}
    client = Client()
    posted = client.post("/api/v1/events", json.dumps(event), content_type="application/json", headers=own.headers)
    index = posted.json()["index"]
    sign(committed)
    for who, opened in ((own, True), (other, False), (reader, True)):
        status, entry = read(client, f"/entries/{index}", **who.headers)
        assert status == 200
        assert bool(entry["sections"]) is opened
        body = json.dumps({"indexes": [index]})
        answer = client.post("/api/v1/bundles", body, content_type="application/json", headers=who.headers)
        assert answer.status_code == (200 if opened else 403)
    requester = person("watanabe", "Requesters")
    client.force_login(requester)
    assert read(client, f"/entries/{index}")[1]["sections"] == {}
    assert read(Client(), f"/entries/{index}")[0] == 401


def test_receipts_and_consistency_proofs_verify(committed: Database) -> None:
    record(3)
    first = sign(committed)
    who = pipeline()
    second = sign(committed)
    client = Client()
    status, text = read(client, "/entries/1/receipt", **who.headers)
    receipt = Receipt.parse(text)
    assert (status, receipt.index) == (200, 1)
    status, proof = read(client, f"/log/consistency?first={first}&second={second}", **who.headers)
    assert status == 200
    roots = [queries.checkpoint_at(size) for size in (first, second)]
    assert roots[0] is not None
    assert roots[1] is not None
    hashes = [b64decode(item) for item in proof["proof"]]
    verify_consistency(first, second, roots[0].root, roots[1].root, hashes)


def test_the_newest_checkpoint_is_public(committed: Database, settings: LazySettings) -> None:
    settings.PUBLISH_TO = None
    client = Client()
    assert read(client, "/log/checkpoint")[0] == 404
    record(2)
    sign(committed)
    status, checkpoint = read(client, "/log/checkpoint")
    assert (status, checkpoint["size"], checkpoint["key"]) == (200, 2, SIGNING_KEY.verifier.to_text())
    assert client.get("/log/checkpoint").content.decode() == checkpoint["note"]


def test_the_list_goes_backwards_by_keyset(committed: Database) -> None:
    record(7)
    who = pipeline()
    client = Client()
    _status, page = read(client, "/entries?type=client.event&limit=3", **who.headers)
    assert [row["index"] for row in page["entries"]] == [6, 5, 4]
    assert leaf_hash(page["entries"][0]["leaf"].encode()).hex() == page["entries"][0]["leaf_hash"]
    _status, page = read(client, f"/entries?type=client.event&limit=10&before={page['next_before']}", **who.headers)
    assert [row["index"] for row in page["entries"]] == [3, 2, 1, 0]
    assert page["next_before"] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/entries/99", 404),
        ("/entries/99/receipt", 404),
        ("/entries/2/receipt", 404),
        ("/entries?limit=0", 400),
        ("/entries?limit=501", 400),
        ("/entries?before=-1", 400),
        ("/log/consistency?first=0&second=2", 400),
        ("/log/consistency?first=2&second=1", 400),
        ("/log/consistency?first=1&second=99", 404),
        ("/log/consistency?first=x&second=1", 400),
    ],
)
def test_what_cannot_be_answered_says_why(committed: Database, path: str, status: int) -> None:
    record(3)
    who = pipeline()
    found, answer = read(Client(), path, **who.headers)
    assert found == status == answer["status"]
    assert answer["reason"]


@pytest.mark.parametrize(
    "body", [b"{}", b'{"indexes": "1"}', b'{"indexes": [-1]}', b"[]", b'{"indexes": [99]}', b'{"indexes": []}']
)
def test_bad_bundle_requests_are_refused(committed: Database, body: bytes) -> None:
    record(1)
    sign(committed)
    reader = pipeline("reader", scopes=("log:read",))
    answer = Client().post("/api/v1/bundles", body, content_type="application/json", headers=reader.headers)
    assert answer.status_code in {400, 404}
    assert answer.json()["reason"]
