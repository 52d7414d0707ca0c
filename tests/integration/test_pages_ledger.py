"""The ledger explorer: what it shows is what is stored, what it hands out verifies, and it notices changes."""

import json

import pytest
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import ledger
from audit.models import User
from audit.queries.explorer import PAGE, entry_page, ledger_page
from audit.tlog.bundle import verify_bundle
from audit.tlog.receipt import Receipt
from tests.integration.reports_story import Reported, sign, tell_report
from tests.services.constants import SIGNING_KEY
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


def record(*sections: ledger.Section, subject: str = "log", count: int = 1) -> int:
    """Append `count` events; returns the index of the last."""
    kept = sections or (ledger.facts({"name": "probe"}),)
    event = ledger.Event("demo.note", subject, "app", "system:test", timezone.now(), kept)
    with transaction.atomic(durable=True):
        return ledger.append(events=[event] * count)[-1].index


def forge(statement: str, *values: bytes) -> None:
    """Change a row as a database superuser can: past the triggers."""
    with transaction.atomic(using="admin"), connections["admin"].cursor() as cursor:
        cursor.execute("ALTER TABLE entry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE section DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_append_only")
        cursor.execute("ALTER TABLE section ENABLE ALWAYS TRIGGER section_append_only")


def test_pages_follow_one_another_by_keyset(reported: Reported) -> None:
    last = record(count=2 * PAGE)
    first = ledger_page()
    assert [line.row.index for line in first.lines] == list(range(last, last - PAGE, -1))
    second = ledger_page(before=first.older)
    assert second.lines[0].row.index == last - PAGE


def test_filters_keep_what_matches(reported: Reported) -> None:
    subject = f"deployment:{reported.deployment}"
    assert {line.row.subject for line in ledger_page(subject=subject).lines} == {subject}
    assert {line.row.type for line in ledger_page(type_="decision.recorded").lines} == {"decision.recorded"}
    assert ledger_page(subject="deployment:nobody").lines == ()


def test_a_number_leads_to_its_entry(reported: Reported) -> None:
    client = browser(reported.auditor)
    answer = client.get(reverse("admin:ledger_list"), {"entry": "1,0"})
    assert answer["Location"] == reverse("admin:ledger_entry", args=[10])
    for text in ("x", "-1", "9" * 40, "٣"):
        assert client.get(reverse("admin:ledger_list"), {"entry": text}).status_code == 200
        assert client.get(reverse("admin:ledger_list"), {"before": text}).status_code == 200


def test_an_entry_shows_its_proof(reported: Reported) -> None:
    found = entry_page(3, sees_everything=False)
    assert found.proven
    assert found.proven.holds
    assert not found.changed
    html = browser(reported.story.reviewer).get(reverse("admin:ledger_entry", args=[3])).content.decode()
    assert found.hash.hex() in html
    assert found.proven.checkpoint.root.hex()[:16] in html


def test_an_entry_that_is_not_signed_yet_says_so(reported: Reported) -> None:
    index = record()
    client = browser(reported.auditor)
    assert "Waits for the signer" in client.get(reverse("admin:ledger_entry", args=[index])).content.decode()
    answer = client.post(reverse("admin:ledger_receipt", args=[index]), follow=True)
    assert "waits for the next signed checkpoint" in answer.content.decode()


def test_what_is_not_facts_is_for_auditors(reported: Reported) -> None:
    index = record(ledger.facts({"name": "x"}), ledger.Section("personal", b"born 1970", "text/plain"))
    sign()
    address = reverse("admin:ledger_entry", args=[index])
    assert "born 1970" in browser(reported.auditor).get(address).content.decode()
    reviewer = browser(reported.story.reviewer)
    assert "born 1970" not in reviewer.get(address).content.decode()
    assert reviewer.post(reverse("admin:ledger_bundle", args=[index])).status_code == 403


def test_content_of_pipelines_is_text_on_a_page(reported: Reported) -> None:
    index = record(ledger.facts({"name": "<script>alert(1)</script>"}))
    html = browser(reported.auditor).get(reverse("admin:ledger_entry", args=[index])).content.decode()
    assert "<script>alert" not in html
    assert "<script>alert" not in browser(reported.auditor).get(reverse("admin:ledger_list")).content.decode()


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"{not json", b""])
def test_any_bytes_can_be_shown(reported: Reported, body: bytes) -> None:
    index = record(ledger.Section("facts", body, "application/json"))
    client = browser(reported.auditor)
    assert client.get(reverse("admin:ledger_entry", args=[index])).status_code == 200
    assert client.get(reverse("admin:ledger_list")).status_code == 200


def test_what_is_taken_away_verifies(reported: Reported) -> None:
    client = browser(reported.auditor)
    bundle = client.post(reverse("admin:ledger_bundle", args=[3]))
    assert bundle["Content-Disposition"] == 'attachment; filename="entry-3.assay.json"'
    result = verify_bundle(bundle.content, [SIGNING_KEY.verifier])
    assert all(check.ok for check in result.checks)
    receipt = client.post(reverse("admin:ledger_receipt", args=[3]))
    assert Receipt.parse(receipt.content.decode()).index == 3


def test_taking_away_is_a_post(reported: Reported) -> None:
    client = browser(reported.auditor)
    for name in ("admin:ledger_bundle", "admin:ledger_receipt"):
        assert client.get(reverse(name, args=[3])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reported.auditor)
    assert strict.post(reverse("admin:ledger_bundle", args=[3])).status_code == 403


def test_an_index_beyond_the_log_is_not_there(reported: Reported) -> None:
    client = browser(reported.auditor)
    for index in (10**6, 10**30):
        assert client.get(reverse("admin:ledger_entry", args=[index])).status_code == 404
        assert client.post(reverse("admin:ledger_bundle", args=[index])).status_code == 404


def test_a_changed_section_is_named(reported: Reported) -> None:
    forge(
        "UPDATE section SET body = %s WHERE entry_index = 3 AND name = 'facts'", json.dumps({"name": "forged"}).encode()
    )
    found = entry_page(3, sees_everything=True)
    assert [section.kept for section in found.sections if section.name == "facts"] == ["differs"]
    assert found.changed
    html = browser(reported.auditor).get(reverse("admin:ledger_entry", args=[3])).content.decode()
    assert "changed after it was signed" in html


def test_a_changed_leaf_leads_nowhere(reported: Reported) -> None:
    forge("UPDATE entry SET leaf = %s WHERE index = 3", b"not a leaf")
    found = entry_page(3, sees_everything=True)
    assert found.proven
    assert not found.proven.holds
    assert found.fields == ()
    html = browser(reported.auditor).get(reverse("admin:ledger_entry", args=[3])).content.decode()
    assert "Does not lead to the signed root" in html


def test_an_erased_section_says_so(reported: Reported) -> None:
    forge("DELETE FROM section WHERE entry_index = 3")
    found = entry_page(3, sees_everything=True)
    assert {section.kept for section in found.sections} == {"erased"}
    assert not found.changed
