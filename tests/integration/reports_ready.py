"""The story of a report told once, and one report made once: every test gets copies of the database and files."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from reports import operations
from reports.models import Report
from tests.integration.governance_story import NOW
from tests.integration.reports_story import Reported, folder, sign, tell_report
from tests.services.databases import Database, clone_of


@dataclass(frozen=True, slots=True)
class Told:
    """A database with the story, nothing signed."""

    database: Database
    story: Reported


@dataclass(frozen=True, slots=True)
class Made:
    """A database with the story and a finished report, its folder, and revision 1 as it was rendered."""

    database: Database
    report_id: UUID
    folder: Path
    revision1: bytes


@pytest.fixture(scope="session")
def told_report(
    django_db_setup: None, template_database: str, worker_name: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Told]:
    with clone_of(template_database, worker_name, django_db_blocker) as database:
        story = tell_report()
        connections.close_all()
        yield Told(database, story)


@pytest.fixture(scope="session")
def made_report(
    told_report: Told,
    worker_name: str,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Made]:
    data = tmp_path_factory.mktemp("made-report")
    with clone_of(told_report.database.name, worker_name, django_db_blocker) as database:
        with override_settings(DATA_DIR=data):
            sign()
            report_id = operations.request_report(
                deployment_id=told_report.story.deployment, requester=told_report.story.auditor, now=NOW
            )
            assert operations.render_report(report_id=report_id, now=NOW)
            (path,) = folder().iterdir()
            revision1 = path.read_bytes()
            sign()
            assert operations.finish_report(report_id=report_id, now=NOW)
        connections.close_all()
        yield Made(database, report_id, data, revision1)


@pytest.fixture
def report_database(
    request: pytest.FixtureRequest, told_report: Told, worker_name: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Database]:
    """A clone with the story; with the finished report too, for a test that asks for `report`."""
    wanted = "report" in request.fixturenames
    made: Made | None = request.getfixturevalue("made_report") if wanted else None
    template = made.database if made else told_report.database
    with clone_of(template.name, worker_name, django_db_blocker) as database:
        yield database


@pytest.fixture
def reported(told_report: Told, committed: Database, settings: Any, tmp_path: Path) -> Reported:
    """The story in this test's own database. Its module lets `committed` be `report_database`."""
    settings.DATA_DIR = tmp_path
    return told_report.story


@pytest.fixture
def report(made_report: Made, reported: Reported, tmp_path: Path) -> Report:
    """The finished report."""
    shutil.copytree(made_report.folder, tmp_path, dirs_exist_ok=True)
    return Report.objects.get(pk=made_report.report_id)


@pytest.fixture
def quick(made_report: Made, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Renders nothing: every report gets this revision 1. For tests of what happens around it."""
    monkeypatch.setattr("reports.operations.rendering.made_from", lambda *_content: made_report.revision1)
    return made_report.revision1
