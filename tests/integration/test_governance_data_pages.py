"""Pages of data sets, evaluations and evidence: the whole way by form, refusals at their field, no GET that writes."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from governance import operations
from governance.admin import data_forms
from governance.models import Dataset, DatasetVersion, EvaluationRun, Evidence, MetricThreshold
from governance.operations import Measured
from tests.integration.data_story import SHA, VERSION, dataset_version, evaluated, evaluated_model, evidence, limited
from tests.integration.data_story import use_case as use_case_of
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_pages import browser, contents, queries_of

pytestmark = pytest.mark.django_db

EVALUATION: dict[str, Any] = {"protocol": "zero shot", "tool": "lm-eval", "run_at": "2026-11-24T08:00"}
EVIDENCE: dict[str, Any] = {
    "title": "Red team",
    "kind": "red_team",
    "classification": "internal",
    "address": "shelf 4",
    "collected_at": "2026-11-20",
}


@pytest.fixture
def story() -> Story:
    return tell()


def told(story: Story) -> list[str]:
    """Addresses of every page, with something on each."""
    version = dataset_version(story)
    operations.record_dataset_use(
        by=story.requester, dataset_version_id=version.pk, model_version_id=story.version, purpose="rag", now=NOW
    )
    case = use_case_of(story)
    limited(story)
    limited(story, use_case_id=case, limit="0.95")
    run = evaluated(story, Measured("accuracy", "0.9"), use_case_id=case, dataset_version_id=version.pk)
    row = evidence(story, subject_kind="evaluation_run", subject_id=run.pk)
    evidence(story, subject_kind="evaluation_run", subject_id=run.pk, supersedes_id=row.pk)
    evidence(story)
    evidence(story, subject_kind="dataset_version", subject_id=version.pk, kind="data_sheet")
    return pages(version.dataset_id, run.pk, row.pk, story.version)


def pages(dataset: UUID, run: UUID, row: UUID, version: UUID) -> list[str]:
    lists = ("dataset", "evaluationrun", "metricthreshold", "evidence")
    found = [reverse(f"admin:governance_{name}_changelist") for name in lists]
    found += [reverse("admin:governance_dataset_change", args=[dataset])]
    found += [reverse(f"admin:desk_{name}_new") for name in ("dataset", "evaluation", "threshold", "evidence")]
    found += [reverse(f"admin:desk_{name}", args=[dataset]) for name in ("dataset", "dataset_version_new")]
    found += [reverse("admin:desk_dataset_use_new", args=[dataset])]
    found += [reverse("admin:desk_dataset_change", args=[dataset]) + "?seen=1"]
    found += [reverse("admin:desk_evaluation", args=[run]), reverse("admin:desk_model_evaluations", args=[version])]
    found += [reverse("admin:desk_evidence", args=[row]), reverse("admin:desk_evidence_gaps")]
    filters = ("", "?kind=test_report&standing=superseded", "?standing=x&page=-1", "?page=2", "?page=x")
    return found + [reverse("admin:desk_evidence_list") + words for words in filters]


def test_pages_open_change_nothing_and_are_behind_a_log_in(story: Story) -> None:
    addresses = told(story)
    before = contents()
    for user in (story.requester, story.reviewer, story.bystander):
        client = browser(user)
        for address in addresses:
            page = client.get(address)
            assert page.status_code == 200, address
            for forbidden in ("<style", " style=", " onclick="):
                assert forbidden not in page.content.decode(), address
    for address in addresses:
        assert Client().get(address).status_code == 302, address
    assert contents() == before
    client = browser(story.requester)
    for name in ("dataset", "dataset_change", "dataset_use_new", "evaluation", "model_evaluations", "evidence"):
        assert client.get(reverse(f"admin:desk_{name}", args=[uuid4()])).status_code == 404, name


def test_pages_cost_the_same_with_more_rows(story: Story) -> None:
    addresses = told(story)
    client = browser(story.requester)
    for address in addresses:
        client.get(address)
    before = [queries_of(client, address) for address in addresses]
    run, row = EvaluationRun.objects.get(), Evidence.objects.earliest("number")
    dataset = Dataset.objects.get()
    for number in range(3):
        version = operations.register_dataset_version(
            by=story.requester, dataset_id=dataset.pk, now=NOW, **{**VERSION, "version": str(number)}
        )
        for purpose in ("training", "testing"):
            operations.record_dataset_use(
                by=story.requester,
                dataset_version_id=version.id,
                model_version_id=story.version,
                purpose=purpose,
                now=NOW,
            )
        evaluated(story, Measured("a", "1"), Measured("b", "2"), weight_dtype="awq")
        evidence(story, subject_kind="evaluation_run", subject_id=run.pk)
        evidence(story)
        limited(story, metric=f"m{number}")
    assert addresses == pages(dataset.pk, run.pk, row.pk, story.version)
    assert [queries_of(client, address) for address in addresses] == before
    assert max(before) <= 30


def test_a_data_set_by_its_forms(story: Story) -> None:
    client = browser(story.requester)
    form = {"name": "claims-eval", "dataset_type": "text", "intended_use": "Tests."}
    address = client.post(reverse("admin:desk_dataset_new"), form).headers["Location"]
    row = Dataset.objects.get()
    assert address == reverse("admin:desk_dataset", args=[row.pk])
    assert "No version is registered yet." in client.get(address).content.decode()
    new = reverse("admin:desk_dataset_version_new", args=[row.pk])
    refused = client.post(new, {**VERSION, "sha256": "abc"})
    assert refused.status_code == 400
    assert "must be 64 hexadecimal digits" in refused.content.decode()
    assert client.post(new, {**VERSION, "sha256": SHA, "dataset_size": "17"}).headers["Location"] == address
    use = {"dataset_version": DatasetVersion.objects.get().pk, "model_version": story.version, "purpose": "testing"}
    uses = reverse("admin:desk_dataset_use_new", args=[row.pk])
    assert client.post(uses, use).headers["Location"] == address
    assert "is told already" in client.post(uses, use).content.decode()
    change = reverse("admin:desk_dataset_change", args=[row.pk])
    assert client.get(change).headers["Location"] == f"{change}?seen=1"
    said = {"dataset_type": "text", "intended_use": "Tests and drafts.", "reason": "Wider."}
    assert client.post(f"{change}?seen=1", said).headers["Location"] == address
    stale = client.post(f"{change}?seen=1", {**said, "intended_use": "Else."})
    assert "the data set has changed since" in stale.content.decode()
    page = client.get(address).content.decode()
    for words in (
        "Tests and drafts.",
        SHA,
        "Llama 3.1 8B 2024-07",
        "Sensitive personal information unknown",
        "Testing",
        reverse("admin:desk_standing", args=["dataset_version", use["dataset_version"]]),
        f'href="{reverse("admin:desk_model_version", args=[story.version])}"',
    ):
        assert words in page
    auditor = browser(story.bystander).get(address).content.decode()
    assert "Only members of the pools" in auditor


def test_an_evaluation_and_a_threshold_by_their_forms(story: Story) -> None:
    client = browser(story.requester)
    new = reverse("admin:desk_threshold_new")
    model = evaluated_model(story)
    limit = {"model": model, "metric": "accuracy", "shape": "lt", "limit": "0.9", "reason": "Policy."}
    assert client.post(new, limit).headers["Location"] == reverse("admin:governance_metricthreshold_changelist")
    assert "is no decimal" not in client.get(new).content.decode()
    assert "is not a decimal number" in client.post(new, {**limit, "limit": "ninety"}).content.decode()
    record = reverse("admin:desk_evaluation_new")
    assert str(story.version) in client.get(f"{record}?version={story.version}").content.decode()
    sent = {**EVALUATION, "model_version": story.version, "weight_dtype": "awq"}
    for lines, words in (
        ("accuracy", "Line 1: a name and a value are needed."),
        ("a, 1\nb, x", "Line 2, value: is not a decimal number"),
        ("\n".join(f"m{n},1" for n in range(201)), "At most 200 metrics"),
    ):
        refused = client.post(record, {**sent, "metrics": lines})
        assert refused.status_code == 400
        assert words in refused.content.decode()
    metrics = 'accuracy, 0.89, , , 0.88, 0.90\r\n\r\n"f1, macro",0.5,language=ja\r\n'
    answer = client.post(record, {**sent, "metrics": metrics})
    run = EvaluationRun.objects.get()
    assert answer.headers["Location"] == reverse("admin:desk_evaluation", args=[run.pk])
    page = client.get(answer.headers["Location"]).content.decode()
    for words in ("0.89", "f1, macro", "language=ja", "fails below 0.9", "failed", "no threshold", "0.88 – 0.90"):
        assert words in page
    version = f'href="{reverse("admin:desk_model_version", args=[story.version])}"'
    assert version in page
    assert version in client.get(reverse("admin:governance_evaluationrun_changelist")).content.decode()
    page = client.get(reverse("admin:desk_model_evaluations", args=[story.version])).content.decode()
    for words in (run.ref, "0 passed, 1 failed, 1 without threshold", "evaluated, and failed", "fails below 0.9"):
        assert words in page
    assert client.post(new, {**limit, "limit": ""}).status_code == 302
    assert MetricThreshold.objects.latest("version").limit_value == ""
    page = client.get(reverse("admin:desk_model_evaluations", args=[story.version])).content.decode()
    assert "Nobody has set a threshold for this model." in page


def test_evidence_by_its_form(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(story.requester)
    new = reverse("admin:desk_evidence_new")
    assert "model_version:x" in client.get(f"{new}?subject=model_version:x").content.decode()
    sent = {**EVIDENCE, "subject": "Llama 3.1 8B 2024-07"}

    def file(content: bytes = b"abc") -> SimpleUploadedFile:
        return SimpleUploadedFile("report.pdf", content, content_type="application/pdf")

    for other, words in (
        ({}, "Choose a file, or fill this in."),
        ({"file": file(), "sha256": SHA}, "Is not the digest of the file."),
        ({"file": file(), "subject": "Llama"}, "may mean several things"),
        ({"file": file(), "subject": "no such thing"}, "is nothing that is registered."),
        ({"file": file(), "subject": f"use_case:{uuid4()}"}, "is not registered."),
        ({"file": file(), "supersedes": "EV-99"}, "is no number of evidence"),
        ({"file": file(), "address": "http://a.example"}, "must be an https address"),
    ):
        refused = client.post(new, {**sent, **other})
        assert refused.status_code == 400
        assert words in refused.content.decode(), words
    with monkeypatch.context() as patch:
        patch.setattr(data_forms, "LARGEST_UPLOAD", 2)
        assert "Is larger than 20 MiB" in client.post(new, {**sent, "file": file()}).content.decode()
    answer = client.post(new, {**sent, "file": file()})
    row = Evidence.objects.get()
    assert answer.headers["Location"] == reverse("admin:desk_evidence", args=[row.pk])
    assert (row.sha256[:8], row.size_bytes, row.media_type) == ("ba7816bf", 3, "application/pdf")
    typed = {**sent, "sha256": SHA, "size_bytes": "9", "media_type": "text/plain", "supersedes": row.ref}
    assert client.post(new, typed).status_code == 302
    page = client.get(answer.headers["Location"]).content.decode()
    for words in ("Superseded", "superseded", "Llama 3.1 8B", row.sha256):
        assert words in page
    listed = client.get(reverse("admin:desk_evidence_list") + "?standing=superseded").content.decode()
    assert row.ref in listed
    assert listed.count("<tr>") == 2
    newest = Evidence.objects.latest("number")
    revoke = reverse("admin:desk_evidence_revoke", args=[newest.pk])
    assert client.get(revoke).status_code == 405
    assert "is missing." in client.post(revoke, {"reason": " "}).content.decode()
    auditor = browser(story.bystander).post(revoke, {"reason": "It is wrong."})
    assert (auditor.status_code, Evidence.objects.filter(revocation__isnull=False).count()) == (400, 0)
    assert client.post(revoke, {"reason": "It is of another model."}).status_code == 302
    page = client.get(reverse("admin:desk_evidence", args=[newest.pk])).content.decode()
    for words in ("revoked", "It is of another model.", "It is revoked already."):
        assert words in page
    assert client.post(reverse("admin:desk_evidence_revoke", args=[uuid4()]), {"reason": "a"}).status_code == 404
