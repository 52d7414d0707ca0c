"""The frame, the home of each role, health and the error pages, on a ledger that commits."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib import admin
from django.core import signals
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Alarm, User
from audit.queries.pulse import pulse
from config import home
from tests.integration.governance_story import login
from tests.integration.reports_story import Reported, sign, tell_report
from tests.integration.signer_story import record
from tests.services.databases import Database


@pytest.fixture
def reported(committed: Database) -> Reported:
    found = tell_report()
    sign()
    return found


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def raise_alarm(entry: int | None, detail: str) -> None:
    Alarm.objects.create(kind="section", entry_index=entry, subject="", detail=detail, raised_at=timezone.now())


def test_each_role_has_its_home(reported: Reported) -> None:
    reported.story.submitted(name="call-summary")
    reviewer = page(browser(reported.story.reviewer), "/admin/")
    assert "One request waits for you." in reviewer
    assert "call-summary" in reviewer
    requester = page(browser(reported.story.requester), "/admin/")
    assert "Your request is open." in requester
    auditor = page(browser(reported.auditor), "/admin/")
    assert "without trusting this server" in auditor
    assert settings.LEDGER_VKEY in auditor


def test_pages_cost_the_same_however_much_there_is(reported: Reported) -> None:
    client = browser(reported.story.reviewer)

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, address)
        return len(captured)

    addresses = ("/admin/", "/admin/ledger/", "/admin/ledger/1/")
    page(client, "/admin/")
    reported.story.submitted(name="first-of-many")
    before = [cost(address) for address in addresses]
    for number in range(6):
        reported.story.submitted(name=f"another-{number}")
    sign()
    assert [cost(address) for address in addresses] == before
    assert max(before) <= 60


def test_the_pulse_follows_the_signer(reported: Reported) -> None:
    client = browser(reported.auditor)
    size = sign()
    assert f"{size:,}" in page(client, "/admin/")
    assert Client().get("/healthz").json()["status"] == "ok"


def test_an_entry_that_should_wait_and_is_gone_is_no_good_sign(committed: Database) -> None:
    record(2)
    now = datetime.now(UTC)
    assert pulse(now=now).state == "ok"
    assert pulse(now=now + timedelta(minutes=1)).state == "behind"
    with connections["admin"].cursor() as cursor:
        cursor.execute("ALTER TABLE entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM entry")
    connections["admin"].close()
    assert pulse(now=now).state == "behind"


def test_an_alarm_turns_every_page_red_and_home_says_which_entry(reported: Reported) -> None:
    raise_alarm(7, "Section facts does not open <its> commitment.")
    client = browser(reported.story.reviewer)
    found = page(client, "/admin/")
    assert 'class="alarm' in found
    assert "Entry 7" in found
    assert reverse("admin:ledger_entry", args=[7]) in found
    assert "&lt;its&gt;" in found
    assert "What to do" in found
    assert 'class="alarm' in page(client, "/admin/ledger/")
    assert 'class="flag"' in page(client, "/admin/ledger/?before=9")
    answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "frozen"


def test_a_missing_guard_is_a_broken_installation(reported: Reported) -> None:
    with connections["admin"].cursor() as cursor:
        cursor.execute("ALTER TABLE entry DISABLE TRIGGER entry_append_only")
    answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["triggers"]["fallen"] == ["table entry"]


def test_a_superuser_without_a_pool_is_offered_nothing(reported: Reported) -> None:
    reported.story.submitted(name="for-reviewers")
    user = login("root", superuser=True)
    assert set(home.counts_for(user).values()) == {0}
    assert "Nothing waits for you." in page(browser(user), "/admin/")


def test_public_pages_need_no_log_in(reported: Reported) -> None:
    client = Client()
    assert "POST" in page(client, "/api/docs")
    answer = client.get("/api/schema.json")
    assert answer.json()["openapi"].startswith("3.")
    assert "attachment" in answer["Content-Disposition"]
    assert "Model approvals" in page(client, "/admin/login/")
    assert client.post("/api/docs").status_code == 405


def test_nobody_sees_the_ledger_without_a_log_in(reported: Reported) -> None:
    for address in ("/admin/", "/admin/ledger/", "/admin/ledger/0/"):
        assert Client().get(address).status_code == 302


def test_the_page_speaks_japanese(reported: Reported) -> None:
    client = browser(reported.auditor)
    client.post("/i18n/setlang/", {"language": "ja", "next": "/admin/"})
    found = page(client, "/admin/")
    assert '<html lang="ja"' in found
    assert "台帳" in found


@pytest.mark.parametrize(("error", "status"), [(OperationalError("gone"), 503), (ValueError("ours"), 500)])
def test_a_failure_says_whose_fault_it_is(
    committed: Database, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fails(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(admin.site, "each_context", fails)
    monkeypatch.setattr(signals.got_request_exception, "receivers", [])
    client = Client(raise_request_exception=False)
    answer = client.get("/api/docs")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert answer.json()["reason"]


def test_unknown_addresses_get_our_page(committed: Database) -> None:
    found = page(Client(), "/nowhere", status=404)
    assert "There is nothing at this address" in found
