"""Small doors that a review found open: each stays shut."""

import json
import time

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client

from audit import queries
from audit.api.body import BodyRefused, parse_json
from audit.queries.roles import AUDITORS
from governance.formats.strict_json import FormatError, read_object
from tests.integration.access import person, pipeline
from tests.integration.test_roles import tried
from tests.services.databases import Database

OURS = {"audit", "governance", "reports", "config", "demo"}


def test_the_admin_shows_only_models_of_our_own() -> None:
    """A page for groups would let an administrator rename a pool, and so decide who decides."""
    shown = {model._meta.app_label for model in admin.site._registry}
    assert shown <= OURS
    assert apps.get_model("auth", "Group") not in admin.site._registry


@pytest.mark.parametrize("statement", ["UPDATE auth_group SET name = 'X'", "DELETE FROM account_groups"])
def test_the_app_cannot_change_a_pool(committed: Database, statement: str) -> None:
    person("okafor", "Reviewers")
    assert tried(committed, "app", statement) == "42501"


def test_the_reader_cannot_borrow_a_session(committed: Database) -> None:
    assert tried(committed, "reader", "SELECT session_key FROM django_session") == "42501"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/entries?type=%00",
        "/admin/ledger/?type=%00",
        "/admin/reports/?state=%00",
        "/admin/governance/modelversion/?weight_dtype=%00",
        "/start/%00",
    ],
)
def test_nul_in_an_address_is_refused(path: str) -> None:
    client = Client()
    client.force_login(person("mori", AUDITORS))
    assert client.get(path).status_code == 400


@pytest.mark.django_db
def test_a_sign_in_with_a_password_is_an_entry() -> None:
    user = person("mori", AUDITORS)
    client = Client()
    fields = {"username": "mori", "password": "wrong", "next": "/admin/"}
    assert client.post("/admin/login/", fields).status_code == 200
    assert queries.entries(type_="session.started") == []
    assert client.post("/admin/login/", {**fields, "password": "correct horse"}).status_code == 302
    (entry,) = queries.entries(type_="session.started")
    assert entry.actor == user.actor


@pytest.mark.django_db
def test_what_a_pipeline_sent_is_withheld_in_the_explorer_as_over_rest() -> None:
    sender = pipeline()
    event = {
        "id": "e",
        "type": "evaluation.completed",
        "subject": "m",
        "occurred_at": "2026-11-24T09:00:00Z",
        "data": {"summary": "private words"},
    }
    client = Client()
    answer = client.post("/api/v1/events", json.dumps(event), content_type="application/json", headers=sender.headers)
    index = answer.json()["index"]
    for username, group, shown in (("watanabe", "Requesters", False), ("mori", AUDITORS, True)):
        client.force_login(person(username, group))
        for path in ("/admin/ledger/", f"/admin/ledger/{index}/"):
            assert (b"private words" in client.get(path).content) is shown, (username, path)


def test_many_keys_with_one_twice_are_refused_at_once() -> None:
    """The refusal must not compare every key with every other: measured by steps, not by a clock."""
    body = ("{" + ",".join(f'"k{number}":0' for number in range(200_000)) + ',"k199999":1}').encode()
    began = time.process_time()
    with pytest.raises(BodyRefused, match="k199999"):
        parse_json(body)
    with pytest.raises(FormatError, match="k199999"):
        read_object(body, name="config.json", limit=1 << 24)
    assert time.process_time() - began < 20, "a quadratic search takes minutes"


def test_a_long_key_over_many_items_costs_no_text() -> None:
    body = json.dumps({"k" * 100_000: [0] * 200_000, "x": "[" * 40}).encode()
    began = time.process_time()
    assert parse_json(body)["x"] == "[" * 40
    assert time.process_time() - began < 20, "a path text for every item takes minutes"


@pytest.mark.django_db
def test_subjects_are_known_only_by_entries_of_ours() -> None:
    user = person("mori")
    assert queries.known_subjects([user.actor, "deployment:nobody"]) == {user.actor}
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname = 'entry_state_index'")
        assert cursor.fetchone()
