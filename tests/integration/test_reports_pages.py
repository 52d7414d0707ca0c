"""Reports in the admin and over REST, and once through a real worker."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import queries as log
from audit.events import EventType
from audit.models import User
from audit.tlog.pdf import verify_pdf
from config import child
from reports import operations, queries
from reports.models import Report
from tests.integration.access import pipeline
from tests.integration.governance_story import NOW, login
from tests.integration.reports_story import Reported, sign
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database
from tests.waiting import until

KEYS = [SIGNING_KEY.verifier]


@pytest.fixture
def committed(report_database: Database) -> Database:
    return report_database


@pytest.fixture
def reported(reported: Reported) -> Reported:
    sign()
    return reported


def browser(user: User) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(user)
    return client


def log_size() -> int:
    return log.head_size()


def test_an_auditor_downloads_by_a_post_that_is_an_entry(reported: Reported, report: Report) -> None:
    client = browser(reported.auditor)
    page = client.get(reverse("admin:report", args=[report.id]))
    assert page.status_code == 200 and report.sha256 in page.content.decode()
    before = log_size()
    assert client.get(reverse("admin:report_download", args=[report.id])).status_code == 405
    assert log_size() == before
    answer = client.post(reverse("admin:report_download", args=[report.id]))
    assert answer.status_code == 302 and log_size() == before + 1
    file = client.get(answer["Location"])
    assert file["Content-Type"] == "application/pdf" and "no-store" in file["Cache-Control"]
    assert file["Content-Disposition"] == f'attachment; filename="assay-report-{report.id}.pdf"'
    assert verify_pdf(file.content, KEYS).ok
    assert log_size() == before + 1
    assert log.entries(limit=1)[0].type == EventType.REPORT_DOWNLOADED


def test_an_address_opens_for_the_person_it_was_made_for(reported: Reported, report: Report) -> None:
    address = operations.download(report_id=report.id, person=reported.auditor, now=NOW)
    for client in (browser(login("somebody", "Auditors")), Client()):
        answer = client.get(address)
        assert answer.status_code == 403 and b"somebody else" in answer.content
    assert browser(reported.auditor).get(address).status_code == 200


def test_an_old_or_false_address_gives_nothing(
    reported: Reported, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(reported.auditor)
    assert client.get(reverse("report-download", args=["x:y:z"])).status_code == 410
    address = operations.download(report_id=report.id, person=reported.auditor, now=NOW)
    monkeypatch.setattr(operations.downloads, "LIFETIME_SECONDS", -1)
    answer = client.get(address)
    assert answer.status_code == 410 and b"expired" in answer.content


def test_the_list_asks_for_a_report(reported: Reported) -> None:
    client = browser(reported.auditor)
    page = client.get(reverse("admin:reports"))
    assert page.status_code == 200 and "credit-memo-draft" in page.content.decode()
    answer = client.post(reverse("admin:reports"), {"deployment": str(reported.deployment)})
    (row,) = queries.reports()
    assert answer["Location"] == reverse("admin:report", args=[row.id]) and row.state == "queued"
    assert client.get(answer["Location"]).status_code == 200
    assert client.post(reverse("admin:reports"), {"deployment": str(reported.agent)}).status_code == 302
    assert client.post(reverse("admin:reports"), {"deployment": "x"}).status_code == 404
    assert len(queries.reports()) == 1


@pytest.mark.parametrize("group", ["Requesters", "Reviewers", "Operators"])
def test_who_sees_reports(reported: Reported, report: Report, group: str) -> None:
    client = browser(login("somebody", group))
    expected = 403 if group == "Requesters" else 200
    assert client.get(reverse("admin:reports")).status_code == expected
    assert client.get(reverse("admin:report", args=[report.id])).status_code == expected
    posted = client.post(reverse("admin:report_download", args=[report.id])).status_code
    assert posted == (403 if expected == 403 else 302)


def test_nobody_sees_them_without_a_log_in(report: Report) -> None:
    for name in ("admin:report", "admin:report_download"):
        assert Client().post(reverse(name, args=[report.id])).status_code in {302, 405}
    assert Client().get(reverse("api-reports")).status_code in {401, 403}
    assert log.entries(limit=1)[0].type != EventType.REPORT_DOWNLOADED


def test_the_list_costs_a_constant_number_of_queries(reported: Reported, report: Report) -> None:
    client = browser(reported.auditor)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("admin:reports")).status_code == 200
        return len(captured)

    few = cost()
    for _ in range(30):
        operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    assert cost() <= few


def test_rest_from_request_to_file(reported: Reported, quick: bytes) -> None:
    token = pipeline(scopes=("reports:read",))
    client = Client(headers=token.headers)
    body = json.dumps({"deployment": f"deployment:{reported.deployment}"})
    asked = client.post(reverse("api-reports"), body, content_type="application/json")
    assert asked.status_code == 202 and asked.json()["state"] == "queued"
    row = queries.report(Report.objects.get().pk)
    assert row.requested_by == f"service:{token.service_account_id}"
    early = client.post(reverse("api-report-download", args=[row.id]))
    assert early.status_code == 409 and early.json()["reason"] == "This report is not ready yet."
    operations.render_report(report_id=row.id, now=NOW)
    sign()
    operations.finish_report(report_id=row.id, now=NOW)
    assert client.get(reverse("api-report", args=[row.id])).json()["state"] == "ready"
    assert [item["id"] for item in client.get(reverse("api-reports") + "?state=ready").json()["reports"]] == [
        str(row.id)
    ]
    answer = client.post(reverse("api-report-download", args=[row.id]))
    assert answer.status_code == 201
    file = Client().get(answer.json()["url"])
    assert file.status_code == 200 and file.content.startswith(quick)
    assert browser(reported.auditor).get(answer.json()["url"]).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [("{}", 400), ("[]", 400), ('{"deployment": 7}', 400), ('{"deployment": "x", "y": 1}', 400), ("{", 400)],
)
def test_rest_refuses_by_name(reported: Reported, body: str, status: int) -> None:
    client = Client(headers=pipeline(scopes=("reports:read",)).headers)
    answer = client.post(reverse("api-reports"), body, content_type="application/json")
    assert answer.status_code == status and answer.json()["reason"]
    assert queries.reports() == []


def test_rest_needs_the_scope(reported: Reported, report: Report) -> None:
    client = Client(headers=pipeline(scopes=("events:write",)).headers)
    assert client.get(reverse("api-reports")).status_code == 403
    assert client.post(reverse("api-report-download", args=[report.id])).status_code == 403


@pytest.fixture
def worker(reported: Reported, celery_worker: child.Child) -> child.Child:
    return celery_worker


def test_a_worker_makes_the_report(reported: Reported, worker: child.Child) -> None:
    client = browser(reported.auditor)
    client.post(reverse("admin:reports"), {"deployment": str(reported.deployment)})
    row = queries.reports()[0]
    until(lambda: queries.report(row.id).state == "rendered", seconds=60, what="the rendered report")
    sign()
    until(lambda: queries.report(row.id).ready, seconds=30, what="the receipt")
    answer = client.post(reverse("admin:report_download", args=[row.id]))
    assert verify_pdf(client.get(answer["Location"]).content, KEYS).ok
