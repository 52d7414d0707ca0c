"""What goes wrong with one report: attempts, who may write which file, and that the others go on."""

import json
from base64 import b64decode
from datetime import timedelta
from uuid import UUID

import pytest

from audit import queries as log
from audit.tlog.pdf import attach_receipt
from audit.tlog.pdfshape import ShapeError
from reports import operations, tasks
from reports.models import Report
from tests.integration.governance_story import NOW
from tests.integration.reports_story import Reported, folder, sign
from tests.services.databases import Database


@pytest.fixture
def committed(report_database: Database) -> Database:
    return report_database


def ask(reported: Reported) -> UUID:
    sign()
    return operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)


def reason(report_id: UUID) -> str:
    """The reason that the newest entry about the report gives."""
    entry = log.history(f"report:{report_id}")[0]
    assert entry.type == "report.failed"
    return str(log.section_facts([entry.index])[entry.index]["reason"])


def test_one_that_cannot_be_rendered_fails_at_the_third_attempt_and_blocks_nobody(
    reported: Reported, quick: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = ask(reported), ask(reported)

    def made(content: object, *_files: bytes) -> bytes:
        if getattr(content, "report", "") == f"report:{poison}":
            raise OSError(28, "No space left on device", "/somewhere")
        return quick

    monkeypatch.setattr("reports.operations.rendering.made_from", made)
    assert operations.advance(now=NOW).rendered == 1
    assert Report.objects.get(pk=good).state == "rendered" and Report.objects.get(pk=poison).state == "queued"
    for _again in range(2):
        operations.advance(now=NOW)
    failed = Report.objects.get(pk=poison)
    assert failed.state == "failed" and failed.attempt == 3 and failed.failure == reason(poison)
    assert failed.failure.endswith("OSError: No space left on device")
    assert operations.advance(now=NOW).rendered == 0


def test_one_whose_receipt_cannot_be_attached_fails_and_blocks_nobody(
    reported: Reported, quick: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [ask(reported), ask(reported)]
    operations.advance(now=NOW)
    sign()

    def attached(data: bytes, receipt: bytes) -> bytes:
        (entry,) = json.loads(receipt)["entries"]
        if str(ids[0]).encode() in b64decode(entry["leaf"]):
            raise ShapeError("no table")
        return attach_receipt(data, receipt)

    monkeypatch.setattr("reports.operations.finishing.attach_receipt", attached)
    for _again in range(3):
        operations.advance(now=NOW)
    states = [Report.objects.get(pk=report_id).state for report_id in ids]
    assert states == ["failed", "ready"]
    assert "ShapeError: no table" in reason(ids[0])


def test_a_report_that_kills_its_workers_is_given_up(reported: Reported, quick: bytes) -> None:
    report_id = ask(reported)
    Report.objects.filter(pk=report_id).update(state="rendering", started_at=NOW, attempt=3)
    assert not operations.render_report(report_id=report_id, now=NOW + timedelta(minutes=11))
    assert Report.objects.get(pk=report_id).state == "failed" and "stopped each time" in reason(report_id)


def test_an_attempt_that_was_overtaken_leaves_the_recorded_file_alone(
    reported: Reported, quick: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id, later = ask(reported), NOW + timedelta(minutes=11)

    def slow(*_content: object) -> bytes:
        monkeypatch.setattr("reports.operations.rendering.made_from", lambda *_content: quick)
        assert operations.render_report(report_id=report_id, now=later)
        return b"%PDF-1.7 what the slow one made"

    monkeypatch.setattr("reports.operations.rendering.made_from", slow)
    assert not operations.render_report(report_id=report_id, now=NOW)
    assert [path.name for path in folder().iterdir()] == [f"{report_id}.revision-1.2.pdf"]
    sign()
    assert operations.finish_report(report_id=report_id, now=later)
    assert [path.name for path in folder().iterdir()] == [f"{report_id}.pdf"]
    assert (folder() / f"{report_id}.pdf").read_bytes().startswith(quick)


def test_the_task_hands_renderings_over_and_finishes_here(
    reported: Reported, quick: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = ask(reported)
    assert operations.render_report(report_id=done, now=NOW)
    waiting = ask(reported)
    handed: list[UUID] = []

    def start(report_id: UUID) -> bool:
        handed.append(report_id)
        return True

    monkeypatch.setattr(tasks, "start", start)
    tasks.advance()
    assert handed == [waiting]
    assert Report.objects.get(pk=done).state == "ready" and Report.objects.get(pk=waiting).state == "queued"
