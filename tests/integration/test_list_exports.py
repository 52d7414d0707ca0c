"""What a downloaded list holds: what the address asks for, told as this reader may read it, and never too much."""

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from audit.exports import MOST_ROWS, ExportRefused, Listing, export_list
from governance import operations
from governance.admin import listexport
from governance.models import GpuModel
from governance.queries.search import found_ids
from governance.snapshot.rows import FIELDS
from tests.integration.governance_story import NOW, Story, login, tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def downloaded(client: Client, name: str, **asked: str) -> dict[str, Any]:
    answer = client.post(f"{reverse(f'admin:{name}')}?{urlencode(asked)}", {"format": "json"})
    assert answer.status_code == 200, answer.headers.get("Location")
    found: dict[str, Any] = json.loads(answer.getvalue())
    return found


def told() -> dict[str, Any]:
    index = log.head_size() - 1
    return dict(log.section_facts([index])[index])


def test_filters_search_and_state_of_the_address_hold(story: Story) -> None:
    operations.index_log()
    client = browser(story.bystander)
    found = downloaded(client, "governance_gpumodel_export", vendor="AMD", q="MI3", p="7", o="-0")
    assert found["columns"] == list(FIELDS["gpu_model"])
    names = [row["name"] for row in found["rows"]]
    assert names == sorted(
        (row.name for row in GpuModel.objects.filter(vendor="AMD", name__contains="MI3")), reverse=True
    )
    assert names
    assert (told()["filters"], told()["rows"]) == ({"o": "-0", "q": "MI3", "vendor": "AMD"}, len(names))
    request = story.submitted()
    assert [row["id"] for row in downloaded(client, "desk_requests_export")["rows"]] == [str(request.pk)]
    assert downloaded(client, "desk_requests_export", state="approved")["rows"] == []
    entry = log.entries(subject=f"request:{request.pk}", limit=1)[0]
    rows = downloaded(client, "ledger_export", subject=str(request.pk))["rows"]
    assert [row["index"] for row in rows] == [item.index for item in log.entries(subject=f"request:{request.pk}")]
    assert rows[0]["leaf_hash"] == entry.leaf_hash.hex()
    assert told()["filters"]["subject"] == f"request:{request.pk}"


def test_what_is_refused_leads_back_and_writes_nothing(story: Story) -> None:
    client, size = browser(story.requester), log.head_size()
    for name, asked, back in (
        ("governance_gpumodel_export", {"memory_bytes__gt": "x"}, "governance_gpumodel_changelist"),
        ("ledger_export", {"subject": "nobody knows this"}, "ledger_list"),
        ("ledger_export", {"from": "whenever"}, "ledger_list"),
    ):
        answer = client.post(f"{reverse(f'admin:{name}')}?{urlencode(asked)}", {"format": "csv"})
        assert answer.status_code in {302, 400}, name
        assert answer.status_code == 400 or answer.headers["Location"].startswith(reverse(f"admin:{back}"))
    assert client.post(reverse("admin:desk_requests_export"), {"format": "xlsx"}).status_code == 302
    assert client.post(reverse("admin:erasures_export"), {"format": "csv"}).status_code == 403
    assert browser(login("nobody")).post(reverse("admin:reports_export"), {"format": "csv"}).status_code == 403
    assert Client().post(reverse("admin:ledger_export"), {"format": "csv"}).status_code == 302
    assert log.head_size() - size == 1  # the log-in that this test made
    rows = ({"a": number} for number in range(MOST_ROWS + 1))
    with pytest.raises(ExportRefused, match="more than 100,000 rows"):
        export_list(listing=Listing("things", ["a"], rows, {}), form="csv", actor="person:x", now=NOW)


def test_a_search_that_finds_more_than_is_looked_through_is_no_file(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations.index_log()
    client, size = browser(story.bystander), log.head_size()
    name = GpuModel.objects.filter(vendor="AMD").values_list("name", flat=True)[0]
    found = len(found_ids("gpu_model", "AMD", limit=500))
    assert found > 1
    monkeypatch.setattr(listexport, "MOST_FOUND", found - 1)
    address = f"{reverse('admin:governance_gpumodel_export')}?q=AMD"
    answer = client.post(address, {"format": "json"}, follow=True)
    assert answer.redirect_chain == [(f"{reverse('admin:governance_gpumodel_changelist')}?q=AMD", 302)]
    assert f"finds more than the newest {found - 1}" in answer.content.decode()
    assert log.head_size() == size
    monkeypatch.setattr(listexport, "MOST_FOUND", found)
    assert name in {row["name"] for row in downloaded(client, "governance_gpumodel_export", q="AMD")["rows"]}


def test_pages_of_rest_have_the_same_cells(story: Story) -> None:
    address, pipeline = reverse("api-gpu-models"), Pipeline(story, "registry:read")
    answer = pipeline.get(address, format="csv", limit="30")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    first = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    following = answer.headers["Link"].partition("<")[2].partition(">")[0]
    second = list(csv.reader(io.StringIO(pipeline.client.get(following).content.decode(), newline="")))
    size = log.head_size()
    made = browser(story.bystander).post(reverse("admin:governance_gpumodel_export"), {"format": "csv"})
    sheet = list(csv.reader(io.StringIO(made.getvalue().decode("utf-8-sig"), newline="")))
    assert sorted(first[1:] + second[1:]) == sorted(sheet[1:])
    assert first[0] == sheet[0] == list(FIELDS["gpu_model"])
    assert log.head_size() == size + 1
    refused = pipeline.get(address, format="xlsx")
    assert (refused.status_code, refused.json()["field"]) == (400, "format")
    assert pipeline.get(address, format="json").json() == pipeline.get(address).json()
