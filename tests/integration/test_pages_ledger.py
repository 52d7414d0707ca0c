"""The ledger explorer: what it shows is what is stored, what it hands out verifies, and it notices changes."""

import json
import re
from html import escape
from urllib.parse import quote

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit import ledger
from audit.models import User
from audit.queries.checkpointpages import checkpoint_list, checkpoint_page
from audit.queries.explorer import entry_page
from audit.queries.ledgerlist import PAGE, LedgerPage, ledger_page
from audit.queries.search import Wanted
from audit.tlog.bundle import verify_bundle
from audit.tlog.checkpoint import open_checkpoint
from audit.tlog.proof import verify_inclusion
from audit.tlog.receipt import Receipt
from audit.tlog.tree import leaf_hash
from tests.integration.reports_story import Reported, sign
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database

OF_THE_LOG = re.compile(r'(FROM|JOIN) "?(entry|checkpoint)"?\b')
"""A query that reads one of the two tables that grow for ever."""


@pytest.fixture
def committed(report_database: Database) -> Database:
    return report_database


@pytest.fixture
def reported(reported: Reported) -> Reported:
    sign()
    return reported


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


def forge(statement: str, *values: bytes | int) -> None:
    """Change a row as a database superuser can: past the triggers."""
    with transaction.atomic(using="admin"), connections["admin"].cursor() as cursor:
        cursor.execute("ALTER TABLE entry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE section DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_append_only")
        cursor.execute("ALTER TABLE section ENABLE ALWAYS TRIGGER section_append_only")


def test_the_list_is_filtered_and_turned(reported: Reported) -> None:
    client, address = browser(reported.auditor), reverse("admin:ledger_list")
    record(count=PAGE)
    subject = f"deployment:{reported.deployment}"

    def page(**query: str) -> tuple[LedgerPage, str]:
        answer = client.get(address, query)
        assert answer.status_code == 200
        assert answer.context is not None
        found = answer.context["page"]
        assert isinstance(found, LedgerPage)
        return found, answer.content.decode()

    for words in (
        subject,
        str(reported.deployment),
        str(reported.deployment)[:8] + "…",
        "credit-memo-draft",
    ):
        found, html = page(subject=words)
        assert {line.row.subject for line in found.lines} == {subject}, words
        assert subject in html
    found, _html = page(type="decision.recorded", source="app", **{"from": "1h", "to": "today"})
    assert {(line.row.type, line.row.source) for line in found.lines} == {("decision.recorded", "app")}
    newest, html = page(source="app")
    assert f"before={newest.older}" in html
    older, html = page(source="app", before=str(newest.older))
    assert older.lines[0].row.index < newest.lines[-1].row.index
    newer, _html = page(source="app", from_entry=str(older.newer))
    assert [line.row.index for line in newer.lines] == [line.row.index for line in newest.lines]
    oldest, _html = page(source="app", from_entry="0")
    assert oldest.lines[-1].row.index == 0
    assert "No entry from 0 to" in page(type="report.failed")[1]
    assert "was received in this time" in page(to="2001-01-01")[1]
    assert "is called “nobody”" in page(subject="nobody")[1]
    assert "Which one is meant?" in page(subject="re")[1]
    bounded = ledger_page(Wanted(type="decision.recorded", source="app"), limit=1, most=1)
    assert bounded.cut or bounded.lines


def test_bad_input_is_answered_beside_its_field(reported: Reported) -> None:
    client, address = browser(reported.auditor), reverse("admin:ledger_list")
    query = {"from": "yesterdy", "to": "2026-02-30", "subject": "kept words", "type": "decision.recorded"}
    html = client.get(address, {**query, "entry": "999,999"}).content.decode()
    assert 'id="f-from-wrong">Write a day as 2026-11-24' in html
    assert 'id="f-to-wrong">There is no such day' in html
    assert 'id="f-entry-wrong">There is no such entry yet' in html
    assert 'value="kept words"' in html
    assert 'value="decision.recorded" selected' in html
    assert "Nothing was looked for" in html
    html = client.get(address, {"from": "2026-11-24", "to": "2026-11-23"}).content.decode()
    assert 'id="f-to-wrong">This is before' in html
    answer = client.get(address, {"entry": "1,0"})
    assert answer["Location"] == reverse("admin:ledger_entry", args=[10])


NUMBERS = ("-1", "9" * 18, "9" * 40, "٣")
WORDS = ("%", "'\"><script>", "x" * 10_000, "\ud800", "a\x00b")


def test_hostile_parameters_do_no_harm(reported: Reported) -> None:
    client = browser(reported.auditor)
    asked = [("before", n) for n in NUMBERS] + [("from_entry", n) for n in NUMBERS] + [("entry", n) for n in NUMBERS]
    asked += [(field, words) for field in ("subject", "source", "from") for words in WORDS]
    queries = [f"/admin/ledger/?{field}={quote(text.encode('utf-8', 'surrogatepass'))}" for field, text in asked]
    for text in (*NUMBERS, *WORDS):
        value = quote(text.encode("utf-8", "surrogatepass"))
        for name in ("before", "type", "received_to"):
            queries.append(f"/api/v1/entries?{name}={value}")
        queries.append(f"/admin/ledger/checkpoints/?entry={value}&before={value}&start={value}")
    for address in queries:
        answer = client.get(address)
        assert answer.status_code in {200, 302, 400}, address[:80]
        assert "<script>" not in answer.content.decode()


def test_pages_cost_the_same_queries_at_any_size(reported: Reported) -> None:
    client = browser(reported.auditor)
    query = f"?type=demo.note&source=app&subject=log&from=1h&to=today&before={10**9}"
    addresses = ["/admin/ledger/", f"/admin/ledger/{query}", "/admin/ledger/3/", "/admin/ledger/checkpoints/"]

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        of_the_log = [query["sql"] for query in captured if OF_THE_LOG.search(query["sql"])]
        assert of_the_log
        assert not any("OFFSET" in said or "COUNT(*)" in said for said in of_the_log), address
        return len(captured)

    record(count=300)
    before = [*map(cost, addresses)]
    for _round in range(3):
        record(count=80)
        sign()
    assert [*map(cost, addresses)] == before
    assert max(before) <= 30
    # Its proofs read one row of each level of tiles.
    assert cost(f"/admin/ledger/checkpoints/{sign()}/") <= 30


def test_checkpoints_are_turned_and_checked(reported: Reported) -> None:
    sizes = [sign()]
    for _number in range(4):
        record(count=3)
        sizes.append(sign())
    down = [line.row.size for line in checkpoint_list(limit=2).lines]
    page = checkpoint_list(limit=2)
    while page.older is not None:
        page = checkpoint_list(before=page.older, limit=2)
        down += [line.row.size for line in page.lines]
    assert down == sizes[::-1]
    assert [line.added for line in checkpoint_list().lines] == [3, 3, 3, 3, sizes[0]]
    up: list[int] = []
    start: int | None = 0
    while start is not None:
        page = checkpoint_list(start=start, limit=2)
        up += [line.row.size for line in reversed(page.lines)]
        start = page.newer
    assert up == sizes
    client = browser(reported.auditor)
    assert client.get("/admin/ledger/checkpoints/", {"entry": "0"})["Location"].endswith(f"/{sizes[0]}/")
    assert "No checkpoint covers" in client.get("/admin/ledger/checkpoints/", {"entry": "99999"}).content.decode()
    missing = client.get(f"/admin/ledger/checkpoints/{sizes[1] - 1}/")
    assert missing.status_code == 404
    assert f"/admin/ledger/checkpoints/{sizes[1]}/" in missing.content.decode()
    found = checkpoint_page(sizes[1])
    assert found.sound
    assert found.since
    assert found.until
    html = client.get(f"/admin/ledger/checkpoints/{sizes[1]}/").content.decode()
    assert "Signed, and the log bears it" in html
    assert all(item.hex() in html for item in (*found.since.hashes, *found.until.hashes, found.row.root))
    forge("UPDATE entry SET leaf_hash = sha256('x') WHERE index = %s", sizes[1] - 1)
    assert checkpoint_page(sizes[1]).computed != found.row.root
    assert "Contradicts the log" in client.get(f"/admin/ledger/checkpoints/{sizes[1]}/").content.decode()


def test_an_entry_shows_its_proof(reported: Reported) -> None:
    found = entry_page(3, sees_everything=False)
    assert found.proven
    assert found.proven.holds
    assert not found.changed
    html = browser(reported.story.reviewer).get(reverse("admin:ledger_entry", args=[3])).content.decode()
    assert found.hash.hex() in html
    assert found.proven.checkpoint.root.hex()[:16] in html
    assert all(item.hex() in html for item in found.proven.hashes), "the path stands there as text too"
    assert escape(found.leaf) in html
    assert f"/admin/ledger/checkpoints/{found.proven.checkpoint.size}/" in html


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


def test_any_bytes_can_be_shown(reported: Reported) -> None:
    client = browser(reported.auditor)
    for body in (b"\xff\xfe\x00", b"{not json", b""):
        index = record(ledger.Section("facts", body, "application/json"))
        assert client.get(reverse("admin:ledger_entry", args=[index])).status_code == 200
        assert client.get(reverse("admin:ledger_list")).status_code == 200


def test_what_is_taken_away_verifies(reported: Reported) -> None:
    client = browser(reported.auditor)
    bundle = client.post(reverse("admin:ledger_bundle", args=[3]))
    assert bundle["Content-Disposition"] == 'attachment; filename="entry-3.assay.json"'
    result = verify_bundle(bundle.content, [SIGNING_KEY.verifier])
    assert all(check.ok for check in result.checks)
    receipt = client.post(reverse("admin:ledger_receipt", args=[3]))
    proven = Receipt.parse(receipt.content.decode())
    assert proven.index == 3
    leaf = client.post(reverse("admin:ledger_leaf", args=[3]))
    assert leaf["Content-Disposition"] == 'attachment; filename="entry-3.json"'
    checkpoint = open_checkpoint(proven.checkpoint_note, [SIGNING_KEY.verifier])
    verify_inclusion(leaf_hash(leaf.content), 3, checkpoint.size, proven.hashes, checkpoint.root)


def test_taking_away_is_a_post(reported: Reported) -> None:
    client = browser(reported.auditor)
    for name in ("admin:ledger_bundle", "admin:ledger_receipt", "admin:ledger_leaf"):
        assert client.get(reverse(name, args=[3])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reported.auditor)
    assert strict.post(reverse("admin:ledger_bundle", args=[3])).status_code == 403


def test_an_index_beyond_the_log_is_not_there(reported: Reported) -> None:
    client = browser(reported.auditor)
    for index in (10**6, 10**30):
        assert client.get(reverse("admin:ledger_entry", args=[index])).status_code == 404
        for name in ("bundle", "receipt", "leaf"):
            assert client.post(reverse(f"admin:ledger_{name}", args=[index])).status_code == 404
    assert "was never recorded" in client.get(reverse("admin:ledger_entry", args=[10**6])).content.decode()


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
    assert "But the path leads to" in html
    forge("DELETE FROM entry WHERE index = 2")
    html = browser(reported.auditor).get(reverse("admin:ledger_entry", args=[3])).content.decode()
    assert "There is no proof: hashes of the log are missing." in html


def test_an_erased_section_says_so(reported: Reported) -> None:
    forge("DELETE FROM section WHERE entry_index = 3")
    found = entry_page(3, sees_everything=True)
    assert {section.kept for section in found.sections} == {"erased"}
    assert not found.changed
