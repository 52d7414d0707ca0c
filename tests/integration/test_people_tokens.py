"""Service accounts and tokens: who may, rotation with overlap, revocation, networks on every way, a closed owner."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit import queries as log
from audit.access import services
from audit.access import tokens as texts
from audit.access.base import Refused
from audit.models import ServiceAccount, Token, User
from audit.queries.tokens import service_account, token
from tests.integration.people_story import REASON, People, tell_people
from tests.integration.test_governance_pages import browser, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> People:
    return tell_people()


@pytest.fixture
def account(story: People) -> ServiceAccount:
    return services.create_service_account(
        by=story.operator, name="trainer", source_name="mlops", owner_id=story.asker.person_id, now=timezone.now()
    )


@pytest.fixture(autouse=True)
def forget() -> None:
    """Every test looks its tokens up anew: a process remembers a valid one for a second."""
    texts._valid.clear()


def issued(story: People, account: ServiceAccount, **other: Any) -> texts.IssuedToken:
    fields = {"by": story.asker, "scopes": ["events:write", "registry:read"], "days": 30, **other}
    return services.issue(service_account_id=account.pk, now=timezone.now(), **fields)


def works(text: str, *, later: timedelta = timedelta(0)) -> bool:
    texts._valid.clear()
    try:
        texts.check_token(text, now=timezone.now() + later)
    except texts.TokenRefused:
        return False
    return True


def refusal(by: User, act: Any, **fields: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        act(by=by, now=timezone.now(), **fields)
    return caught.value.field, caught.value.reason


def test_who_creates_and_who_issues(story: People, account: ServiceAccount) -> None:
    fields = {"name": "x", "source_name": "y", "owner_id": story.asker.person_id}
    for user in (story.asker, story.first, story.auditor):
        assert refusal(user, services.create_service_account, **fields)[0] == ""
    for wrong, field in (
        ({"name": "trainer"}, "name"),
        ({"name": "\x00"}, "name"),
        ({"owner_id": story.auditor.person_id}, "owner_id"),
        ({"source_name": " "}, "source_name"),
    ):
        assert refusal(story.operator, services.create_service_account, **{**fields, **wrong})[0] == field
    good: dict[str, Any] = {"service_account_id": account.pk, "scopes": ["log:read"], "days": 366}
    for user in (story.auditor, story.first):
        assert refusal(user, services.issue, **good)[0] == ""
    never: dict[str, Any] = {"days": 367, "scopes": ["root"], "networks": ["x"]}
    for field, value in never.items():
        assert refusal(story.asker, services.issue, **{**good, field: value})[0] == field
    assert works(services.issue(by=story.operator, now=timezone.now(), **good).text)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO token (id, prefix, digest, scopes, created_at, expires_at, service_account_id)"
            " SELECT gen_random_uuid(), 'aaaaaaaa', digest, scopes, now(), now() + interval '400 days',"
            " service_account_id FROM token LIMIT 1"
        )


def test_rotation_overlaps_and_revocation_is_at_once(story: People, account: ServiceAccount) -> None:
    old = issued(story, account, networks=["10.0.0.0/8"])
    rotate: dict[str, Any] = {"token_id": old.id, "days": 60, "overlap_days": 7, "seen": 1}
    assert refusal(story.asker, services.rotate, **{**rotate, "overlap_days": 31})[0] == "overlap_days"
    assert refusal(story.asker, services.rotate, **{**rotate, "seen": 2})[0] == "row_version"
    assert refusal(story.first, services.rotate, **rotate)[0] == ""
    fresh = services.rotate(by=story.asker, now=timezone.now(), **rotate)
    assert works(old.text) and works(fresh.text)
    assert not works(old.text, later=timedelta(days=7, minutes=1)) and works(fresh.text, later=timedelta(days=8))
    row = token(fresh.id, now=timezone.now())[1]
    assert (row.networks, row.scopes) == (("10.0.0.0/8",), ("events:write", "registry:read"))
    assert [entry.type for entry in log.history(f"token:{old.id}")] == ["token.rotated", "token.issued"]
    assert row.rotated_from == token(old.id, now=timezone.now())[1].prefix
    revoke: dict[str, Any] = {"token_id": fresh.id, "reason": REASON, "seen": 1}
    assert refusal(story.auditor, services.revoke, **revoke)[0] == ""
    assert refusal(story.asker, services.revoke, **{**revoke, "reason": "no"})[0] == "reason"
    services.revoke(by=story.asker, now=timezone.now(), **revoke)
    assert not works(fresh.text)
    assert refusal(story.asker, services.revoke, **{**revoke, "seen": 2})[0] == "token"
    state = log.state_at(f"token:{fresh.id}", log.head_size())
    assert state is not None and state.after["revoked_at"]
    # A token may only end sooner, whoever asks.
    for statement in (
        "UPDATE token SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        "UPDATE token SET expires_at = expires_at + interval '1 day' WHERE revoked_at IS NULL",
        "UPDATE token SET scopes = '[\"log:read\"]'",
        "UPDATE token SET networks = '[]' WHERE revoked_at IS NULL",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_nobody_answers_for_a_token_of_a_closed_owner(story: People, account: ServiceAccount) -> None:
    text = issued(story, account).text
    with CaptureQueriesContext(connection) as captured:
        assert works(text)
    assert len(captured) == 1  # the owner is asked for in the look-up itself
    User.objects.filter(pk=story.asker.pk).update(is_active=False)
    assert not works(text)
    found, [row] = service_account(account.pk, now=timezone.now())
    assert found.owner_closed and found.tokens == 0 and row.state == "closed"


def test_nothing_writes_in_the_name_of_an_auditor(story: People, account: ServiceAccount) -> None:
    """Whoever joins Auditors owns no token that writes, and gets none afterwards: by no page, command or statement."""
    text = issued(story, account, scopes=["registry:write", "log:read"])
    # Out of Requesters first: the rest is about tokens alone.
    story.propose(story.operator, story.asker, "Requesters", "remove")
    with pytest.raises(Refused, match="revoke them first"):
        story.propose(story.operator, story.asker, "Auditors")
    join = "INSERT INTO account_groups (user_id, group_id) SELECT %s, id FROM auth_group WHERE name = 'Auditors'"
    with pytest.raises(DatabaseError, match="write in the name"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(join, [story.asker.pk])
    reads = issued(story, account, scopes=["log:read"])
    services.revoke(by=story.asker, token_id=text.id, reason=REASON, seen=1, now=timezone.now())
    assert story.propose(story.operator, story.asker, "Auditors").state == "carried_out"
    assert works(reads.text)
    for scope in texts.WRITES:
        field, reason = refusal(
            story.operator, services.issue, service_account_id=account.pk, scopes=[scope, "log:read"], days=3
        )
        assert field == "scopes" and "auditor" in reason
        with pytest.raises(texts.ScopeRefused, match="auditor"):
            texts.issue_token(
                service_account_id=account.pk,
                scopes=[scope],
                lifetime=timedelta(days=3),
                actor="system:test",
                now=timezone.now(),
            )
        with (
            pytest.raises(DatabaseError, match="nothing writes in their name"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO token (id, prefix, digest, scopes, created_at, expires_at, service_account_id)"
                " SELECT gen_random_uuid(), 'aaaaaaaa', digest, jsonb_build_array(%s::text), now(),"
                " now() + interval '4 days', service_account_id FROM token LIMIT 1",
                [scope],
            )
    assert works(
        services.issue(
            by=story.operator, service_account_id=account.pk, scopes=["reports:read"], days=3, now=timezone.now()
        ).text
    )


def test_a_suspended_log_in_changes_no_tokens(story: People, account: ServiceAccount) -> None:
    made = issued(story, account)
    owner = User.objects.get(pk=story.asker.pk)
    owner.decisions_suspended_at, owner.suspended_because = timezone.now(), "reset"
    owner.save()
    good: dict[str, Any] = {"service_account_id": account.pk, "scopes": ["log:read"], "days": 3}
    rotate: dict[str, Any] = {"token_id": made.id, "days": 3, "overlap_days": 0, "seen": 1}
    for act, fields in (
        (services.issue, good),
        (services.rotate, rotate),
        (services.revoke, {"token_id": made.id, "reason": REASON, "seen": 1}),
    ):
        assert "another person of your pools" in refusal(owner, act, **fields)[1]
    assert "disabled" in browser(owner).get(reverse("admin:token", args=[made.id])).content.decode()
    assert works(services.rotate(by=story.operator, now=timezone.now(), **rotate).text)


def test_pages_of_tokens(story: People, account: ServiceAccount) -> None:
    owner, operator, auditor = browser(story.asker), browser(story.operator), browser(story.auditor)
    page = operator.post(reverse("admin:service_new"), {"name": "sync", "owner_id": str(story.asker.person_id)})
    assert page.status_code == 400 and "This field is required" in page.content.decode()
    made = operator.post(
        reverse("admin:service_new"),
        {"name": "sync", "owner_id": str(story.asker.person_id), "source_name": "crm"},
    )
    assert made.status_code == 302
    here = reverse("admin:service", args=[account.pk])
    bad = owner.post(here, {"scopes": ["events:write"], "days": "30", "networks": "10.0.0.1/8"})
    assert bad.status_code == 400 and "bits beyond" in bad.content.decode()
    shown = owner.post(here, {"scopes": ["events:write"], "days": "30", "networks": "10.0.0.0/8\n"})
    assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
    row = Token.objects.get()
    assert f"assay_{row.prefix}_" in shown.content.decode()
    there = reverse("admin:token", args=[row.pk])
    for client in (owner, operator, auditor):
        for address in (reverse("admin:tokens"), here, there):
            text = client.get(address).content.decode()
            assert "assay_" not in text and " style=" not in text and "<script>" not in text
        assert "sync" in client.get(reverse("admin:tokens")).content.decode()
    text = auditor.get(there).content.decode()
    assert text.count("disabled") >= 2 and "change nothing" in text
    assert "sync" not in browser(story.first).get(reverse("admin:tokens")).content.decode()
    for address in (here, there):
        assert browser(story.first).get(address).status_code == 403
    # An auditor reads all of it and changes nothing.
    for address, body in (
        (reverse("admin:service_new"), {"name": "z", "owner_id": str(story.asker.person_id), "source_name": "z"}),
        (here, {"scopes": ["events:write"], "days": "30"}),
        (reverse("admin:token_rotate", args=[row.pk]), {"seen": "1", "days": "30", "overlap_days": "1"}),
        (reverse("admin:token_revoke", args=[row.pk]), {"seen": "1", "reason": REASON}),
    ):
        assert auditor.post(address, body).status_code == 400, address
        assert Client().post(address, body).status_code == 302
    assert Token.objects.count() == 1 and ServiceAccount.objects.count() == 2
    rotated = owner.post(reverse("admin:token_rotate", args=[row.pk]), {"seen": "1", "days": "9", "overlap_days": "0"})
    assert rotated.status_code == 200 and "assay_" in rotated.content.decode()
    fresh = Token.objects.exclude(pk=row.pk).get()
    revoke = reverse("admin:token_revoke", args=[fresh.pk])
    assert owner.post(revoke, {"seen": "1", "reason": "no"}).status_code == 400
    assert "is revoked" in owner.post(revoke, {"seen": "1", "reason": REASON}, follow=True).content.decode()
    first = queries_of(operator, reverse("admin:tokens"))
    for number in range(4):
        services.create_service_account(
            by=story.operator, name=f"n{number}", source_name="s", owner_id=story.first.person_id, now=timezone.now()
        )
    assert queries_of(operator, reverse("admin:tokens")) == first


def test_rest_of_tokens(story: People, account: ServiceAccount) -> None:
    owner, operator, auditor = browser(story.asker), browser(story.operator), browser(story.auditor)

    def post(client: Client, route: str, pk: object, **body: object) -> Any:
        address = reverse(route, args=[pk] if pk else [])
        return client.post(address, json.dumps(body), content_type="application/json")

    made = post(operator, "api-service-accounts", None, name="a", source_name="b", owner_id=str(story.first.person_id))
    assert made.status_code == 201
    assert post(operator, "api-service-accounts", None, name="a", more=1).status_code == 400
    answer = post(owner, "api-tokens", account.pk, scopes=["registry:write"], days=10, networks=["10.0.0.0/8"])
    assert answer.status_code == 201 and answer["Cache-Control"] == "no-store"
    text, pk = answer.json()["token"], answer.json()["id"]
    assert post(owner, "api-tokens", account.pk, scopes=["registry:write"], days=10.5).json()["field"] == "days"
    acts = (
        ("api-service-accounts", None, {"name": "q", "source_name": "b", "owner_id": str(story.first.person_id)}),
        ("api-tokens", account.pk, {"scopes": ["log:read"], "days": 1}),
        ("api-token-rotation", pk, {"days": 1, "overlap_days": 0, "row_version": 1}),
        ("api-token-revocation", pk, {"reason": REASON, "row_version": 1}),
    )
    bearer = Client(headers={"Authorization": f"Bearer {text}"}, REMOTE_ADDR="10.0.0.1")
    for name, key, body in acts:
        assert post(auditor, name, key, **body).status_code == 403
        assert post(bearer, name, key, **body).status_code == 403
        assert post(Client(), name, key, **body).status_code in {401, 403}
    assert bearer.get(reverse("api-service-accounts")).status_code == 403
    found = auditor.get(reverse("api-service-account", args=[account.pk])).json()
    assert found["tokens"][0]["networks"] == ["10.0.0.0/8"] and "digest" not in json.dumps(found)
    assert browser(story.first).get(reverse("api-service-account", args=[account.pk])).status_code == 403
    assert len(auditor.get(reverse("api-service-accounts")).json()["service_accounts"]) == 2
    assert len(owner.get(reverse("api-service-accounts")).json()["service_accounts"]) == 1
    stale = post(owner, "api-token-rotation", pk, days=1, overlap_days=0, row_version=9)
    assert stale.status_code == 409
    fresh = post(owner, "api-token-rotation", pk, days=1, overlap_days=0, row_version=1)
    assert fresh.status_code == 201
    assert post(owner, "api-token-revocation", fresh.json()["id"], reason=REASON, row_version=1).status_code == 204
