"""Evidence: recorded by its digest, standing by clock, successor and revocation, and what is missing of it."""

import json
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from audit import queries as log
from audit.admin.labels import event_label, kind_label
from governance import operations, queries
from governance.classification import Answer, newest, walk
from governance.models import Evidence
from governance.operations import Refused
from governance.queries.evidence import SOON, judged, standing_filter, standing_of
from governance.queries.subjects import subject_meant
from governance.snapshot import snapshot
from tests.integration.data_story import SHA, evidence, use_case
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_api import Pipeline

Standing = queries.Standing


@pytest.fixture
def story(db: None) -> Story:
    return tell()


def high_risk(story: Story) -> UUID:
    """A use case that ranks applicants: high risk by Annex III 4(a)."""
    case = use_case(story, "Hiring")
    said = {"s1": "yes", "s2": "yes", "h1": "no", "a0": "area_4", "a4a": "yes", "e1": "yes"}
    answers: dict[str, Answer] = {}
    while (question := walk(newest(), answers).waits_for) is not None:
        answers[question.id] = Answer(question.id, said.get(question.id, "no"), "as the owner says")
    operations.classify_use_case(
        by=story.requester,
        use_case_id=case,
        tree_version=newest().version,
        answers=list(answers.values()),
        seen=1,
        now=NOW,
    )
    return case


def test_evidence_is_recorded_about_a_registered_thing(story: Story) -> None:
    row = evidence(story, sha256=f"sha256:{SHA.upper()}")
    assert (row.ref, row.sha256, row.owner_id) == (f"EV-{row.number:04}", SHA, story.requester.person_id)
    (entry,) = log.history(f"evidence:{row.pk}")
    assert (event_label(entry.type), kind_label(entry.subject)) == ("Evidence recorded", "Evidence")
    assert log.section_facts([entry.index])[entry.index]["after"] == snapshot("evidence", row)
    (line,) = queries.evidence_about(f"model_version:{story.version}", now=NOW)
    assert (line.id, line.subject, line.word) == (row.pk, "Llama 3.1 8B", "valid")
    assert queries.reconcile() == []


def test_evidence_that_cannot_be(story: Story) -> None:
    row = evidence(story)
    replaced = evidence(story, supersedes_id=row.pk)
    size = log.head_size()
    for other, field in (
        ({"title": ""}, "title"),
        ({"kind": "rumour"}, "kind"),
        ({"subject_kind": "finding"}, "subject_kind"),
        ({"subject_id": uuid4()}, "subject_id"),
        ({"subject_kind": "use_case"}, "subject_id"),
        ({"sha256": ""}, "sha256"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"address": "http://documents.example/a"}, "address"),
        ({"address": "https://me:secret@documents.example/a"}, "address"),
        ({"address": "JavaScript:alert(1)"}, "address"),
        ({"classification": "secret"}, "classification"),
        ({"collected_at": NOW.date() + timedelta(days=1)}, "collected_at"),
        ({"valid_until": date(2026, 11, 19)}, "valid_until"),
        ({"supersedes_id": row.pk}, "supersedes"),
        ({"supersedes_id": uuid4()}, "supersedes"),
        ({"supersedes_id": replaced.pk, "kind": "dpia"}, "supersedes"),
        ({"supersedes_id": replaced.pk, "subject_kind": "use_case", "subject_id": use_case(story)}, "supersedes"),
    ):
        with pytest.raises(Refused) as caught:
            evidence(story, **other)
        assert caught.value.field == field
    with pytest.raises(Refused, match="Only members"):
        operations.revoke_evidence(by=story.bystander, evidence_id=row.pk, reason="It is wrong.", now=NOW)
    assert log.head_size() == size + 1, "the use case alone"


def test_where_evidence_stands(story: Story) -> None:
    until = date(2027, 3, 1)
    lasting, ending = evidence(story), evidence(story, valid_until=until)
    first = evidence(story, valid_until=until)
    second = evidence(story, valid_until=until, supersedes_id=first.pk)
    wrong = evidence(story, supersedes_id=second.pk)
    operations.revoke_evidence(by=story.requester, evidence_id=wrong.pk, reason="Of another model.", now=NOW)
    rows = (lasting, ending, first, second, wrong)
    kept = {lasting.pk: Standing.VALID, first.pk: Standing.SUPERSEDED, second.pk: Standing.SUPERSEDED}
    kept[wrong.pk] = Standing.REVOKED
    end = datetime(2027, 3, 1, 23, 59, 59, tzinfo=NOW.tzinfo)
    for now, standing in (
        (NOW, Standing.VALID),
        (end - SOON - timedelta(days=1), Standing.VALID),
        (end - SOON, Standing.EXPIRES_SOON),
        (end, Standing.EXPIRES_SOON),
        (end + timedelta(seconds=1), Standing.EXPIRED),
    ):
        found = queries.evidence_standing([row.pk for row in rows], now)
        assert found == {**kept, ending.pk: standing}
        asked = {row.pk: value for value in Standing for row in standing_filter(judged(), value, now)}
        assert asked == {row.pk: standing_of(row, now) for row in judged()}, "the database says the same"
    with pytest.raises(Refused, match="is revoked already"):
        operations.revoke_evidence(by=story.requester, evidence_id=wrong.pk, reason="Again.", now=NOW)
    with pytest.raises(Refused, match="is not recorded"):
        operations.revoke_evidence(by=story.requester, evidence_id=uuid4(), reason="Again.", now=NOW)
    page = queries.evidence_page(wrong.pk, now=NOW)
    assert (page.word, page.revoked_reason, page.superseded_by) == ("revoked", "Of another model.", None)
    assert page.supersedes is not None
    assert [line.what.partition(" by ")[0] for line in page.history] == ["Evidence revoked", "Evidence recorded"]
    following = queries.evidence_page(first.pk, now=NOW).superseded_by
    assert following is not None
    assert following.id == second.pk
    assert queries.reconcile() == []


def test_an_approval_names_evidence_by_what_never_changes_of_it(story: Story) -> None:
    row = evidence(story, valid_until=date(2026, 12, 1))
    (now,) = queries.evidence_uses([row.pk, uuid4()], NOW)
    (later,) = queries.evidence_uses([row.pk], NOW + timedelta(days=30))
    assert (now.standing, now.reliable) == (Standing.EXPIRES_SOON, True)
    assert (later.standing, later.reliable) == (Standing.EXPIRED, False)
    assert now.digest == later.digest == queries.evidence_page(row.pk, now=NOW).facts_digest
    assert now.facts() == {
        "id": str(row.pk),
        "number": row.number,
        "title": "Test report",
        "kind": "test_report",
        "sha256": SHA,
        "valid_until": "2026-12-01",
    }


def test_what_is_missing(story: Story) -> None:
    case = high_risk(story)
    evidence(story, valid_until=date(2026, 12, 1))
    words = [gap.words.partition(" ")[2] for gap in queries.evidence_gaps(NOW)]
    assert words == ["Test report expires soon.", "Hiring is high risk and has no valid impact assessment."]
    about = {"subject_kind": "use_case", "subject_id": case, "kind": "fria"}
    assessed = evidence(story, valid_until=date(2027, 11, 20), **about)
    assert [gap.mark for gap in queries.evidence_gaps(NOW)] == ["warn"]
    late = queries.evidence_gaps(datetime(2027, 11, 21, tzinfo=NOW.tzinfo))
    assert [(gap.mark, gap.word) for gap in late] == [("bad", "expired"), ("bad", "expired"), ("bad", "missing")]
    operations.revoke_evidence(by=story.requester, evidence_id=assessed.pk, reason="Not signed.", now=NOW)
    assert [gap.mark for gap in queries.evidence_gaps(NOW)] == ["warn", "bad"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "dpia"},
        {"subject_id": str(uuid4())},
        {"sha256": "0" * 63},
        {"valid_until": "2026-11-01"},
        {"supersedes_id": None, "size_bytes": -1},
        {"supersedes_id": "first"},
    ],
)
def test_the_database_refuses_it_too(story: Story, change: dict[str, Any]) -> None:
    row = evidence(story)
    newer = evidence(story, supersedes_id=row.pk)
    statement = (
        "INSERT INTO evidence SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(),"
        " 'number', 999, 'supersedes_id', %s::text) || %s::jsonb)).* FROM evidence e WHERE id = %s"
    )
    if change.get("supersedes_id") == "first":
        change = {"supersedes_id": str(row.pk)}
    with pytest.raises(IntegrityError, match="evidence_"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [str(newer.pk), json.dumps(change), str(row.pk)])
        connection.check_constraints()
    assert Evidence.objects.count() == 2


def test_what_a_text_means(story: Story) -> None:
    row = evidence(story)
    case = use_case(story)
    assert subject_meant(f" {row.ref.lower()} ").one == f"evidence:{row.pk}"
    assert subject_meant("Claims drafts").one == f"use_case:{case}"
    assert subject_meant(f"model_version:{story.version}").one == f"model_version:{story.version}"
    assert subject_meant("Llama 3.1 8B 2024-07").one == f"model_version:{story.version}"
    assert str(subject_meant("Llama 3.1 8B").one).startswith("model:")
    assert len(subject_meant("Llama").others) > 1
    for text in ("EV-9999", "XX-1", "model_version:x", "nothing of that name"):
        assert subject_meant(text).one is None


def test_a_command_prints_what_the_address_wants(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(b"abc")
    out = StringIO()
    call_command("evidence_digest", str(file), stdout=out)
    assert json.loads(out.getvalue()) == {
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "size_bytes": 3,
        "media_type": "application/pdf",
        "address": "report.pdf",
    }
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("evidence_digest", str(tmp_path / "none"))


def test_evidence_over_rest(story: Story) -> None:
    pipeline = Pipeline(story)
    body: dict[str, Any] = {
        "title": "Red team",
        "kind": "red_team",
        "subject_kind": "model_version",
        "subject_id": str(story.version),
        "sha256": SHA,
        "size_bytes": 5,
        "media_type": "application/pdf",
        "address": "shelf 4",
        "collected_at": "2026-11-20",
        "classification": "confidential",
    }
    made = pipeline.post(reverse("api-evidence"), body)
    assert made.status_code == 201, made.content
    address = reverse("api-one-evidence", args=[made.json()["id"]])
    found = pipeline.get(address).json()
    assert (found["standing"], found["revocation"], len(found["facts_digest"])) == ("valid", None, 64)
    newer = pipeline.post(reverse("api-evidence"), {**body, "supersedes_id": made.json()["id"]})
    assert newer.status_code == 201, newer.content
    assert pipeline.get(address).json()["standing"] == "superseded"
    revoke = reverse("api-evidence-revocation", args=[newer.json()["id"]])
    assert pipeline.post(revoke, {"reason": "Of another model."}).status_code == 201
    found = pipeline.get(reverse("api-one-evidence", args=[newer.json()["id"]])).json()
    assert (found["standing"], found["revocation"]["reason"]) == ("revoked", "Of another model.")
    assert len(pipeline.get(reverse("api-evidence"), name="Red team").json()["items"]) == 2
    for other, field in (
        ({"sha256": "x"}, "sha256"),
        ({"size_bytes": "5"}, "size_bytes"),
        ({"collected_at": "20 November"}, "collected_at"),
        ({"subject_id": str(uuid4())}, "subject_id"),
        ({"content": "x"}, "content"),
    ):
        refused = pipeline.post(reverse("api-evidence"), {**body, **other})
        assert (refused.status_code, refused.json()["field"]) == (400, field), refused.content
    assert pipeline.post(revoke, {"reason": "Again."}).json()["field"] == "evidence"
    for name in ("api-one-evidence", "api-evidence-revocation"):
        unknown = reverse(name, args=[uuid4()])
        answer = pipeline.get(unknown) if name == "api-one-evidence" else pipeline.post(unknown, {"reason": "a"})
        assert answer.status_code == 404
    assert Pipeline(story, "registry:read").post(revoke, {"reason": "a"}).status_code == 403
