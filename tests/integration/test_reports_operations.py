"""Reports end to end on a real database: asked for, rendered, entered, proven, downloaded, checked offline."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from audit import ledger
from audit import queries as log
from audit.events import EventType
from audit.queries.roles import DATA_PROTECTION
from audit.tlog.pdf import DATASET, FACTS, split, verify_pdf
from audit.tlog.pdfshape import read_attachment
from reports import operations, queries
from reports.models import Report
from tests.integration.erasure_story import Erasing, person, record
from tests.integration.governance_story import NOW, login
from tests.integration.reports_story import Reported, folder, sign
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database

KEYS = [SIGNING_KEY.verifier]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def committed(report_database: Database) -> Database:
    return report_database


def told(report: Report) -> list[str]:
    return [entry.type for entry in reversed(log.history(report.subject))]


def dataset_of(data: bytes) -> dict[str, Any]:
    revision, _ = split(data)
    content: dict[str, Any] = json.loads(read_attachment(data, revision, DATASET))
    return content


def test_a_report_from_request_to_verified_file(reported: Reported, report: Report) -> None:
    data = (folder() / f"{report.id}.pdf").read_bytes()
    assert report.state == "ready" and report.sha256 == sha256(data).hexdigest() and report.size == len(data)
    assert told(report) == ["report.requested", "report.rendered"]
    assert (folder() / f"{report.id}.pdf").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder().iterdir()) == [f"{report.id}.pdf"]
    result = verify_pdf(data, KEYS)
    assert result.ok, result.failures
    address = operations.download(report_id=report.id, person=reported.auditor, now=NOW)
    found = operations.open_download(signed=address.rstrip("/").rpartition("/")[2], opener=reported.auditor)
    assert found.data == data and found.name == f"assay-report-{report.id}.pdf"
    (entry,) = log.entries(type_=EventType.REPORT_DOWNLOADED, subject=report.subject)
    said = log.section_facts([entry.index])[entry.index]
    assert entry.actor == said["recipient"] == reported.auditor.actor
    assert said["sha256"] == report.sha256 and said["classification"] == report.classification


def test_the_dataset_says_what_the_ledger_says(reported: Reported, report: Report) -> None:
    data = (folder() / f"{report.id}.pdf").read_bytes()
    content = dataset_of(data)
    groups = {group["key"]: {field["key"]: field for field in group["fields"]} for group in content["groups"]}
    assert groups["deployment"]["name"]["value"] == "credit-memo-draft"
    assert groups["revision"]["reasoning_cap"]["value"] == 4096
    assert groups["gpu_pool"]["node"]["value"] == "tky2-gpu-07"
    assert groups["model_version"]["parameters"]["state"] == "derived"
    assert groups["model_version"]["training_data"]["state"] == "missing"
    assert groups["revision"]["runtime_image"]["state"] == "missing"
    assert [(step["step"], step["person"]["name"]) for step in content["approvals"]] == [
        ("submitted", "Watanabe"),
        ("approved", "Okafor"),
    ]
    assert content["fit"]["verdict"] in {"fits", "tight"} and content["fit"]["terms"]
    assert [(call["tool"], call["granted"]) for call in content["tool_calls"]] == [
        ("crm.read", True),
        ("mail.send", False),
    ]
    assert [found["kind"] for found in content["findings"]] == ["tool_call_outside_grant"]
    (comparison,) = content["comparisons"]
    assert [option["hosting"] for option in comparison["options"]] == ["on_prem", "cloud", "api"]
    assert [option["chosen"] for option in comparison["options"]] == [True, False, False]
    assert content["checkpoint"]["size"] == report.tree_size
    assert max(row["index"] for row in content["register"]) < report.tree_size


def test_every_entry_of_the_register_is_in_the_attached_bundle(reported: Reported, report: Report) -> None:
    data = (folder() / f"{report.id}.pdf").read_bytes()
    revision, _ = split(data)
    bundle = json.loads(read_attachment(data, revision, FACTS))
    assert [entry["index"] for entry in bundle["entries"]] == [row["index"] for row in dataset_of(data)["register"]]


def test_the_same_report_is_made_again_from_the_same_tree(reported: Reported, report: Report) -> None:
    first = report.revision1_sha256
    Report.objects.filter(pk=report.pk).update(state="queued")
    reported.story.submitted("another")
    sign()
    assert operations.render_report(report_id=report.id, now=NOW + timedelta(days=3))
    assert Report.objects.get(pk=report.pk).revision1_sha256 == first


def test_the_command_line_accepts_the_file_and_refuses_a_changed_one(report: Report, tmp_path: Path) -> None:
    path = folder() / f"{report.id}.pdf"
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(path.read_bytes().replace(b"/FlateDecode", b"/FlateDecodf", 1))
    for file, status in ((path, 0), (changed, 1)):
        command = [sys.executable, "-m", "audit.tlog", "verify", str(file), "--key", SIGNING_KEY.verifier.to_text()]
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=kept)
        assert done.returncode == status, done.stdout + done.stderr


def test_it_waits_for_a_checkpoint_that_covers_its_entry(reported: Reported, quick: bytes) -> None:
    sign()
    report_id = operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    assert not operations.finish_report(report_id=report_id, now=NOW)
    assert operations.render_report(report_id=report_id, now=NOW)
    assert not operations.finish_report(report_id=report_id, now=NOW)
    assert queries.to_finish() == [report_id] and queries.to_render(now=NOW) == []
    sign()
    assert operations.finish_report(report_id=report_id, now=NOW)
    assert operations.finish_report(report_id=report_id, now=NOW)
    assert queries.to_finish() == []


def test_rendering_twice_makes_one_entry(reported: Reported, quick: bytes) -> None:
    sign()
    report_id = operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    assert operations.render_report(report_id=report_id, now=NOW)
    assert not operations.render_report(report_id=report_id, now=NOW)
    assert told(Report.objects.get(pk=report_id)).count("report.rendered") == 1


def test_a_report_left_by_a_dead_worker_is_made_by_another(reported: Reported, quick: bytes) -> None:
    sign()
    report_id = operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    Report.objects.filter(pk=report_id).update(state="rendering", started_at=NOW, attempt=1)
    soon, later = NOW + timedelta(minutes=1), NOW + timedelta(minutes=11)
    assert queries.to_render(now=soon) == [] and not operations.render_report(report_id=report_id, now=soon)
    assert queries.to_render(now=later) == [report_id] and operations.render_report(report_id=report_id, now=later)


def test_a_failure_has_a_reason_and_an_entry(reported: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    sign()
    report_id = operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    Report.objects.filter(pk=report_id).update(tree_size=1_000_000)
    assert not operations.render_report(report_id=report_id, now=NOW)
    report = Report.objects.get(pk=report_id)
    assert report.state == "failed" and report.failure == "No checkpoint of 1000000 entries was signed."
    assert told(report) == ["report.requested", "report.failed"]
    with pytest.raises(operations.DownloadRefused):
        operations.download(report_id=report_id, person=reported.auditor, now=NOW)


def test_a_lost_or_changed_file_is_not_finished_and_not_handed_out(reported: Reported, report: Report) -> None:
    (folder() / f"{report.id}.pdf").write_bytes(b"%PDF-1.7 other")
    address = operations.download(report_id=report.id, person=reported.auditor, now=NOW)
    with pytest.raises(operations.DownloadRefused, match="not the one"):
        operations.open_download(signed=address.rstrip("/").rpartition("/")[2], opener=reported.auditor)
    (folder() / f"{report.id}.revision-1.1.pdf").write_bytes(b"%PDF-1.7 other")
    Report.objects.filter(pk=report.pk).update(state="rendered")
    assert operations.finish_report(report_id=report.id, now=NOW)
    assert Report.objects.get(pk=report.pk).state == "failed"
    assert "report.failed" in told(report) and not list(folder().glob("*.revision-1.*"))


@pytest.mark.parametrize("group", ["Requesters", ""])
def test_others_may_not_ask_or_download(reported: Reported, report: Report, group: str) -> None:
    other = login("other", *filter(None, [group]), superuser=not group)
    with pytest.raises(operations.Refused):
        operations.request_report(deployment_id=reported.deployment, requester=other, now=NOW)
    with pytest.raises(operations.Refused):
        operations.download(report_id=report.id, person=other, now=NOW)
    assert told(report) == ["report.requested", "report.rendered"]


def test_nothing_signed_or_nothing_known_is_a_sentence(reported: Reported) -> None:
    with pytest.raises(operations.NoCheckpoint, match="Wait for the signer"):
        operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    sign()
    with pytest.raises(operations.UnknownDeployment):
        operations.request_report(deployment_id=reported.agent, requester=reported.auditor, now=NOW)


def test_an_address_that_was_not_signed_here_opens_nothing(reported: Reported) -> None:
    for signed in ("x", "a:b:c"):
        with pytest.raises(operations.DownloadRefused):
            operations.open_download(signed=signed, opener=None)


def test_a_machine_without_a_worker_goes_on_with_its_reports(
    reported: Reported, quick: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    sign()
    report_id = operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    call_command("advance_reports")
    assert capsys.readouterr().out == "rendered 1, settled 0, waiting for a checkpoint 1\n"
    sign()
    call_command("advance_reports")
    assert capsys.readouterr().out == "rendered 0, settled 1, waiting for a checkpoint 0\n"
    assert Report.objects.get(pk=report_id).state == "ready"


def test_a_report_is_not_handed_out_once_something_it_cites_is_erased(reported: Reported, report: Report) -> None:
    cited = dataset_of((folder() / f"{report.id}.pdf").read_bytes())["tool_calls"][0]["entry"]
    officer = person("keller", DATA_PROTECTION)
    erasing = Erasing(reported.auditor, officer, officer, 0, 0, 0)
    elsewhere = record(ledger.Section("facts", b'{"n":1}'))
    erasing.erase(elsewhere, "facts")
    address = operations.download(report_id=report.id, person=reported.auditor, now=NOW)
    signed = address.rstrip("/").rpartition("/")[2]
    assert operations.open_download(signed=signed, opener=reported.auditor).data
    erasing.erase(cited, "facts")
    with pytest.raises(operations.DownloadRefused, match="erased since"):
        operations.open_download(signed=signed, opener=reported.auditor)
    assert not (folder() / f"{report.id}.pdf").exists()
    with pytest.raises(operations.DownloadRefused, match="Ask for the report again"):
        operations.download(report_id=report.id, person=reported.auditor, now=NOW)
