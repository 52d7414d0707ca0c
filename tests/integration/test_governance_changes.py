"""Changing rows: a stale change is refused with the difference, on the page and over REST; the rest is fixed."""

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.admin.editing import EDITS
from governance.models import Agent, Deployment, GpuPool, Model, ModelVersion, UseCase
from governance.operations import Refused, Stale
from governance.operations.changes import CHANGEABLE
from governance.operations.changing import CHANGED
from governance.snapshot import snapshot
from tests.integration.governance_story import NOW, Story, login, tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


@pytest.fixture
def rows(story: Story) -> dict[str, Any]:
    """One row of each kind that changes."""
    request = story.submitted("running")
    story.decided(request)
    use = operations.register_use_case(
        by=story.requester, name="Chat", intended_purpose="Answers.", eu_role="deployer", now=NOW
    )
    agent = operations.register_agent(
        by=story.requester,
        name="clerk",
        purpose="Files.",
        deployment_id=request.deployment_id,
        autonomy="suggest",
        now=NOW,
    )
    return {
        "model": ModelVersion.objects.select_related("model").get(pk=story.version).model,
        "gpu_pool": GpuPool.objects.get(pk=story.pool),
        "use_case": UseCase.objects.get(pk=use.id),
        "deployment": Deployment.objects.get(pk=request.deployment_id),
        "agent": Agent.objects.get(pk=agent.id),
    }


def changes(story: Story) -> dict[str, dict[str, Any]]:
    other = story.second_reviewer.person_id
    return {
        "model": {"developer": "Meta", "licence": "Llama 3.1", "licence_source": "its card, read 2026-11-24"},
        "gpu_pool": {"count": 16, "node": "tky2-gpu-08"},
        "use_case": {
            "intended_purpose": "Answers about orders.",
            "eu_role": "provider",
            "member_states": ["FR", "DE"],
            "begin_date": date(2027, 1, 4),
            "owner_id": other,
        },
        "deployment": {"owner_id": other},
        "agent": {"purpose": "Files and sorts.", "owner_id": other},
    }


def act(kind: str, row: Any, values: dict[str, Any], by: Any, **other: Any) -> operations.Recorded:
    how = EDITS[kind]
    fields = {"by": by, "seen": row.row_version, "reason": "It was wrong.", "now": NOW, **other}
    return how.act(values=values, **{how.id_name: row.pk}, **fields)


def test_every_kind_changes_in_what_it_may_and_in_nothing_else(story: Story, rows: dict[str, Any]) -> None:
    assert set(rows) == set(CHANGEABLE) == set(CHANGED) == set(EDITS)
    for kind, values in changes(story).items():
        row = rows[kind]
        version, before = row.row_version, snapshot(kind, row)
        made = act(kind, row, values, story.requester)
        row.refresh_from_db()
        after = snapshot(kind, row)
        assert row.row_version == version + 1
        assert {name for name in after if after[name] != before[name]} == {*values, "row_version"}
        (index,) = made.entries
        assert log.entry(index).type == f"{kind}.changed"
        facts = log.section_facts([index])[index]
        assert (facts["before"], facts["after"], facts["reason"]) == (before, after, "It was wrong.")
        with pytest.raises(Refused, match="Nothing differs"):
            act(kind, row, values, story.requester)
        for wrong, field in (({"name": "x"}, "name"), ({"id": uuid4()}, "id")):
            with pytest.raises(Refused) as caught:
                act(kind, row, wrong, story.requester)
            assert caught.value.field == field
        for other, words in (({"by": story.bystander}, "Only members"), ({"reason": " "}, "missing")):
            with pytest.raises(Refused, match=words):
                act(kind, row, values, **{"by": story.requester, **other})
        with pytest.raises(Stale) as stale:
            act(kind, row, values, story.requester, seen=1)
        assert stale.value.current == after
        assert stale.value.changed == {}
    assert queries.reconcile() == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("gpu_pool", {"count": 0}, "count"),
    ("gpu_pool", {"node": " "}, "node"),
    ("use_case", {"eu_role": "king"}, "eu_role"),
    ("use_case", {"member_states": ["JP"]}, "member_states"),
    ("use_case", {"begin_date": date(2027, 2, 1), "end_date": date(2027, 1, 1)}, "end_date"),
    ("use_case", {"tier": "minimal"}, "tier"),
    ("use_case", {"intended_purpose": ""}, "intended_purpose"),
    ("deployment", {"purpose": "Another."}, "purpose"),
    ("deployment", {"owner_id": uuid4()}, "owner_id"),
    ("agent", {"purpose": "\x00"}, "purpose"),
    ("model", {"name": "Another"}, "name"),
]
"""What nobody changes: the kind, the values, and the field that the refusal is about."""


def test_changes_that_cannot_be(story: Story, rows: dict[str, Any]) -> None:
    size = log.head_size()
    for kind, values, field in WRONG:
        with pytest.raises(Refused) as caught:
            act(kind, rows[kind], values, story.requester)
        assert (caught.value.field, log.head_size()) == (field, size), (kind, values)


def test_an_owner_has_an_open_log_in_and_a_pool_keeps_its_approved_cards(story: Story, rows: dict[str, Any]) -> None:
    gone = login("gone", "Requesters")
    gone.is_active = False
    gone.save()
    with pytest.raises(Refused, match="open log-in"):
        act("deployment", rows["deployment"], {"owner_id": gone.person_id}, story.requester)
    story.decided(story.submitted("wide", gpu_count=4))
    with pytest.raises(Refused, match="wide is approved with 4"):
        act("gpu_pool", rows["gpu_pool"], {"count": 3}, story.requester)
    act("gpu_pool", rows["gpu_pool"], {"count": 4}, story.requester)


def form(kind: str, row: Any, **other: Any) -> dict[str, str]:
    """The fields of the edit page as a browser would send them."""
    values = {name: getattr(row, name) for name in EDITS[kind].form.base_fields if name != "reason"}
    sent = {"reason": "It was wrong.", "seen": row.row_version, **values, **other}
    if isinstance(sent.get("member_states"), list):
        sent["member_states"] = ", ".join(sent["member_states"])
    return {name: "" if value is None else str(value) for name, value in sent.items()}


def test_a_stale_form_shows_the_difference_and_is_sent_again(story: Story, rows: dict[str, Any]) -> None:
    use: UseCase = rows["use_case"]
    address = reverse("admin:desk_edit", args=["use_case", use.pk])
    client = browser(story.requester)
    assert f'name="seen" value="{use.row_version}"' in client.get(address).content.decode()
    mine = form("use_case", use, intended_purpose="Answers about invoices.", begin_date="2027-03-01")
    act("use_case", use, {"intended_purpose": "Answers about orders.", "eu_role": "provider"}, story.second_reviewer)
    answer = client.post(address, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    for words in ("Answers.", "Answers about orders.", "Answers about invoices.", "Both changed it", "Send again"):
        assert words in page
    assert 'name="seen" value="2"' in page
    use.refresh_from_db()
    assert use.intended_purpose == "Answers about orders.", "nothing was written"
    assert '<option value="provider" selected>' in page, "what only the other changed stays theirs"
    assert 'value="2027-03-01"' in page
    again = form("use_case", use, intended_purpose="Answers about invoices.", begin_date="2027-03-01")
    sent = client.post(address, again)
    assert sent.headers["Location"] == reverse("admin:desk_use_case", args=[use.pk])
    use.refresh_from_db()
    assert (use.intended_purpose, use.eu_role, use.row_version) == ("Answers about invoices.", "provider", 3)


def test_the_pages_of_every_kind(story: Story, rows: dict[str, Any]) -> None:
    client, auditor = browser(story.requester), browser(story.bystander)
    owner = story.second_reviewer.person_id
    for kind, row in rows.items():
        address = reverse("admin:desk_edit", args=[kind, row.pk])
        page = client.get(address).content.decode()
        assert "Record the change" in page
        assert "Only members of the pools" in auditor.get(address).content.decode()
        assert auditor.post(address, form(kind, row)).status_code == 400
        assert client.post(address, form(kind, row)).status_code == 400, "nothing differs"
        assert client.post(address, form(kind, row, reason="")).status_code == 400
        other = {"licence": "MIT"} if kind == "model" else {"node": "n2"} if kind == "gpu_pool" else {"owner_id": owner}
        assert client.post(address, form(kind, row, **other)).status_code == 302
        assert client.get(reverse("admin:desk_edit", args=[kind, uuid4()])).status_code == 404
        assert queries_of(client, address) <= 30
    assert client.get(reverse("admin:desk_edit", args=["adapter", uuid4()])).status_code == 404


ADDRESSES = {
    "model": "api-model",
    "gpu_pool": "api-gpu-pool",
    "use_case": "api-use-case",
    "deployment": "api-deployment",
    "agent": "api-agent",
}


def test_changes_over_rest(story: Story, rows: dict[str, Any]) -> None:
    pipeline = Pipeline(story)

    def patch(address: str, body: dict[str, Any], client: Any = pipeline.client) -> Any:
        return client.patch(address, json.dumps(body, default=str), content_type="application/json")

    for kind, values in changes(story).items():
        row = rows[kind]
        address = reverse(ADDRESSES[kind], args=[row.pk])
        read = pipeline.get(address).json()
        assert read["id"] == str(row.pk)
        body = {**values, "row_version": read["row_version"], "reason": "It was wrong."}
        answer = patch(address, body)
        assert (answer.status_code, answer.json()["id"]) == (200, str(row.pk)), answer.content
        stale = patch(address, {**body, **({"licence": "MIT"} if kind == "model" else {})})
        told = stale.json()
        assert (stale.status_code, told["field"]) == (409, "row_version")
        assert told["current"] == json.loads(json.dumps(queries.row_snapshot(kind, row.pk)))
        assert told["changed"] == ({"licence": "MIT"} if kind == "model" else {})
        assert patch(address, {**body, "name": "x"}).json()["field"] == "name"
        assert patch(address, values).status_code == 400
        reader = Pipeline(story, "registry:read")
        assert patch(address, body, reader.client).status_code == 403
        unknown = reverse(ADDRESSES[kind], args=[uuid4()])
        assert pipeline.get(unknown).status_code == 404
        assert patch(unknown, body).status_code in {400, 404}
    assert Model.objects.get(pk=rows["model"].pk).developer == "Meta"
    assert isinstance(rows["model"].pk, UUID)
