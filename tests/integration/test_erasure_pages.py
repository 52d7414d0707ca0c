"""Erasures as people and programs meet them: the pages, single sections over REST, bundles, and a retry after."""

import json
from base64 import b64decode
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import erasure, ledger, queries
from audit.models import ErasureRequest, HoldRelease, LegalHold, Section, User
from audit.queries.roles import OPERATORS, REQUESTERS
from audit.tlog.bundle import verify_bundle
from audit.tlog.leaf import parse_leaf
from audit.tlog.section import opens
from tests.integration.access import Pipeline, pipeline
from tests.integration.erasure_story import NOW, PERSONAL, REASON, Erasing, at_once, person, record, tell_erasures
from tests.integration.reports_story import sign
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database


@pytest.fixture
def story(committed: Database) -> Erasing:
    return tell_erasures()


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_from_the_request_to_the_erasure_by_pages(story: Erasing) -> None:
    auditor, officer = browser(story.auditor), browser(story.officer)
    new = reverse("admin:erasure_new")
    assert "There is no such entry" in auditor.get(new, {"entry": "9,999"}).content.decode()
    page = auditor.get(f"{new}?entry={story.young_log}&section=personal").content.decode()
    assert '<option value="personal" selected>' in page and "not passed: two persons" in page
    address = f"{new}?entry={story.young_log}"
    bad = auditor.post(address, {"section": "personal", "legal_basis": "", "reason": "short"})
    assert bad.status_code == 400 and "Correct what is marked below" in bad.content.decode()
    assert not ErasureRequest.objects.exists()
    good = {"section": "personal", "legal_basis": "order", "reason": REASON}
    there = auditor.post(address, good)["Location"]
    again = auditor.post(address, good)
    assert again.status_code == 400 and "asked for already" in again.content.decode()

    assert 'value="approve" disabled' in auditor.get(there).content.decode()
    refused = auditor.post(there, {"decision": "approve", "reason": REASON})
    assert refused.status_code == 400 and "Only members" in refused.content.decode()
    page = officer.get(there).content.decode()
    assert REASON in page and 'value="approve" disabled' not in page
    done = officer.post(there, {"decision": "approve", "reason": REASON}, follow=True).content.decode()
    told = queries.erasures_of([story.young_log])[story.young_log]["personal"]
    assert f"Erased; entry {told} tells it." in done and "Erased before its floor" in done
    listed = officer.get(reverse("admin:erasures")).content.decode()
    assert "Erased before its floor" in listed and there in listed
    # The entry itself, and the page that offers the next erasure, show what is gone.
    assert "Erased" in auditor.get(reverse("admin:ledger_entry", args=[story.young_log])).content.decode()
    page = officer.get(new, {"entry": story.young_log}).content.decode()
    assert '<option value="personal"' not in page and '<option value="facts"' in page
    assert "Nothing of this entry can be erased now" not in page


def test_holds_by_pages(story: Erasing) -> None:
    officer, second, auditor = browser(story.officer), browser(story.second), browser(story.auditor)
    asked = story.ask(story.young_log)
    holds = reverse("admin:holds")
    bad = officer.post(holds, {"reference": "case 7", "first": "5", "last": "2"})
    assert bad.status_code == 400 and "before the first" in bad.content.decode()
    bad = officer.post(holds, {"reference": "case 7"})
    assert bad.status_code == 400 and "Say what is held" in bad.content.decode()
    officer.post(holds, {"reference": "case 7", "type": "client.event", "first": "0", "last": "99"})
    placed = LegalHold.objects.get()
    there = reverse("admin:hold", args=[placed.pk])
    assert "case 7" in officer.get(reverse("admin:erasures")).content.decode()
    assert "0-99" in officer.get(there).content.decode()
    page = second.get(reverse("admin:erasure", args=[asked])).content.decode()
    assert 'value="approve" disabled' in page and "release it first" in page
    page = second.get(reverse("admin:erasure_new"), {"entry": story.young_log}).content.decode()
    assert "Nothing of this entry can be erased now" in page
    release = reverse("admin:hold_release", args=[placed.pk])
    for client, words in ((officer, "another person"), (auditor, "Only members")):
        answer = client.post(release, {"reason": REASON})
        assert answer.status_code == 400 and words in answer.content.decode()
    assert second.post(release, {"reason": "no"}).status_code == 400
    second.post(release, {"reason": REASON})
    assert HoldRelease.objects.get().released_by == story.second.person_id
    assert "Released" in auditor.get(holds).content.decode()
    assert REASON in auditor.get(there).content.decode()


def test_who_sees_the_pages(story: Erasing) -> None:
    asked = story.ask(story.young_log)
    requester, root = browser(person("watanabe", REQUESTERS)), browser(person("root", superuser=True))
    names = [("erasures", []), ("erasure_new", []), ("holds", []), ("erasure", [asked])]
    for client in (requester, root):
        assert {client.get(reverse(f"admin:{name}", args=args)).status_code for name, args in names} == {403}
        assert reverse("admin:erasures") not in client.get(reverse("admin:ledger_list")).content.decode()
    operator = browser(person("lindqvist", OPERATORS))
    page = operator.get(reverse("admin:erasure", args=[asked])).content.decode()
    assert REASON not in page and "Reasons are for auditors" in page
    assert reverse("admin:erasures") in page
    for name in ("erasure", "hold"):
        assert operator.get(reverse(f"admin:{name}", args=[uuid4()])).status_code == 404
    assert operator.post(reverse("admin:hold_release", args=[uuid4()]), {"reason": REASON}).status_code == 404
    assert operator.get(reverse("admin:hold_release", args=[uuid4()])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(story.officer)
    assert strict.post(reverse("admin:erasure", args=[asked]), {"decision": "approve"}).status_code == 403
    assert Section.objects.filter(entry_index=story.young_log).count() == 2


def test_single_sections_over_rest(story: Erasing) -> None:
    auditor, officer = browser(story.auditor), browser(story.officer)
    address = f"/api/v1/entries/{story.young_log}/sections/personal"
    answer = auditor.get(address)
    assert answer.content == PERSONAL.body
    assert answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"] == f'attachment; filename="entry-{story.young_log}-personal.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    leaf = parse_leaf(queries.entry(story.young_log).leaf)
    salt = b64decode(answer["Assay-Salt"])
    assert opens(leaf.sections["personal"].commitment, salt, ORIGIN, leaf.id, "personal", answer.content)
    # What a pipeline sent is for auditors and itself; what Assay says of it is for everybody.
    assert officer.get(address).status_code == 403
    told = story.erase(story.young_log)
    assert officer.get(f"/api/v1/entries/{told}/sections/facts").status_code == 200
    assert officer.get(f"/api/v1/entries/{told}/sections/restricted").status_code == 403
    gone = auditor.get(address)
    assert gone.status_code == 410
    assert gone.json()["erased_by"] == told and f"see entry {told}" in gone.json()["reason"]
    assert officer.get(address).status_code == 403
    entry = auditor.get(f"/api/v1/entries/{story.young_log}").json()
    assert entry["erased"] == {"personal": told} and list(entry["sections"]) == ["facts"]
    for place in ("9999/sections/facts", f"{story.young_log}/sections/never"):
        assert auditor.get(f"/api/v1/entries/{place}").status_code == 404
    assert Client().get(address).status_code == 401


def test_a_bundle_with_an_erased_section_verifies_as_erased(story: Erasing) -> None:
    told = story.erase(story.young_log)
    sign()
    auditor, officer = browser(story.auditor), browser(story.officer)

    def bundle(client: Client, **asked: object) -> bytes:
        answer = client.post("/api/v1/bundles", json.dumps(asked), content_type="application/json")
        assert answer.status_code == 200, answer.content
        return answer.content

    result = verify_bundle(bundle(auditor, indexes=[story.young_log]), [SIGNING_KEY.verifier])
    assert result.ok, result.failures
    assert [entry.index for entry in result.entries] == [story.young_log, told]
    assert result.entries[0].sections == {"facts": "disclosed", "personal": f"erased, see entry {told}"}
    assert result.entries[1].sections == {"facts": "disclosed", "restricted": "not disclosed"}
    assert result.checks[-1].detail.endswith("which tells it. It was before its retention floor, by two persons.")
    # Chosen sections only: nothing of the others, and no erasure that was not asked about.
    data = bundle(auditor, indexes=[story.young_log, story.old_log], sections=["facts"])
    assert PERSONAL.body not in data and b"erased" not in data
    result = verify_bundle(data, [SIGNING_KEY.verifier])
    assert [entry.sections for entry in result.entries] == [{"facts": "disclosed", "personal": "not disclosed"}] * 2
    # Facts of Assay's own are for everybody; the words beside them and what pipelines sent are not.
    assert verify_bundle(bundle(officer, indexes=[told], sections=["facts"]), [SIGNING_KEY.verifier]).ok
    for asked in (
        {"indexes": [told], "sections": ["facts", "restricted"]},
        {"indexes": [told]},
        {"indexes": [story.old_log], "sections": ["facts"]},
    ):
        assert officer.post("/api/v1/bundles", json.dumps(asked), content_type="application/json").status_code == 403
    for sections in ([], ["A"], "facts", [1], ["x"] * 9):
        wrong = json.dumps({"indexes": [told], "sections": sections})
        assert auditor.post("/api/v1/bundles", wrong, content_type="application/json").status_code == 400


def send(sender: Pipeline, steps: int) -> tuple[int, dict[str, object]]:
    body = {
        "id": "e-1",
        "type": "agent.tool_call",
        "subject": "mine",
        "occurred_at": "2026-11-24T09:00:00Z",
        "data": {"steps": steps},
    }
    answer = Client().post("/api/v1/events", json.dumps(body), content_type="application/json", headers=sender.headers)
    return answer.status_code, answer.json()


def test_an_event_sent_again_after_its_erasure_changes_nothing(story: Erasing) -> None:
    sender = pipeline()
    created = send(sender, 3)
    assert created[0] == 201
    index = created[1]["index"]
    assert isinstance(index, int)
    asked = story.ask(index, "facts")
    # While the erasure is made, retries come: each finds the entry, with its content or after it.
    results = at_once(lambda: story.decide(asked), *[lambda: send(sender, 3)] * 4)
    assert isinstance(results[0], erasure.Decided)
    for found in results[1:]:
        assert isinstance(found, tuple)
        assert (found[0], found[1]["index"]) == (200, index)
        assert found[1]["status"] in {"duplicate", "erased"}
    status, answer = send(sender, 3)
    assert (status, answer["status"], answer["index"]) == (200, "erased", index)
    status, answer = send(sender, 4)
    assert status == 409 and f"entry {index}" in str(answer["reason"])
    assert not Section.objects.filter(entry_index=index).exists()


def test_what_reads_facts_stands_an_erasure(story: Erasing) -> None:
    told = story.erase(record(ledger.facts({"after": {"name": "x"}}), kind="model.registered", source="app"), "facts")
    auditor = browser(story.auditor)
    for address in (reverse("admin:ledger_list"), reverse("admin:ledger_entry", args=[told]), reverse("admin:index")):
        assert auditor.get(address).status_code == 200
    erasure.place_hold(reference="case", scope=erasure.Scope(subject="x:abc"), by=story.officer, now=NOW)
    assert auditor.get("/api/v1/entries?type=hold.placed").status_code == 200
