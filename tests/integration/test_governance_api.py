"""The registry over REST: tokens and people, strict bodies, refusals by status, field and reason."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from audit.access.tokens import issue_token
from governance.models import ApprovalRequest, Decision
from tests.integration.governance_story import CONFIG, INDEX, NOW, REASON, Story, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


class Pipeline:
    """A client with a token of the story's service account."""

    def __init__(self, story: Story, *scopes: str) -> None:
        token = issue_token(
            service_account_id=story.service.id,
            scopes=scopes or ("registry:read", "registry:write"),
            lifetime=timedelta(days=1),
            actor="system:test",
            now=datetime.now(UTC),
        )
        self.client = Client(headers={"Authorization": f"Bearer {token.text}"})

    def get(self, address: str, **query: str) -> Any:
        return self.client.get(address, query)

    def post(self, address: str, body: object) -> Any:
        return self.client.post(address, json.dumps(body), content_type="application/json")


def ask_body(story: Story, **other: object) -> dict[str, object]:
    return {
        "name": "call-summary",
        "purpose": "Summaries of calls.",
        "justification": "Agents write them by hand.",
        "model_version_id": str(story.version),
        "gpu_pool_id": str(story.pool),
        "gpu_count": 1,
        "context": 4096,
        "concurrency": 4,
        **other,
    }


def test_a_pipeline_registers_asks_and_reads_the_answer(story: Story) -> None:
    pipeline = Pipeline(story)
    made = pipeline.post(
        reverse("api-model-versions"),
        {
            "model_name": "Llama copy",
            "version": "1",
            "source": "own copy",
            "config": json.dumps(CONFIG),
            "index": json.dumps(INDEX),
        },
    )
    assert made.status_code == 201, made.content
    pool = {"name": "osaka", "gpu_model": "L40S", "count": 2, "node": "n", "region": "jp-west", "hosting": "cloud"}
    cards = pipeline.post(reverse("api-gpu-pools"), pool)
    assert cards.status_code == 201, cards.content
    body = ask_body(story, model_version_id=made.json()["id"], gpu_pool_id=cards.json()["id"])
    asked = pipeline.post(reverse("api-requests"), body)
    assert asked.status_code == 201, asked.content
    assert log.entry(asked.json()["entries"][-1]).actor == f"service:{story.service.id}"
    found = pipeline.get(reverse("api-request", args=[asked.json()["id"]])).json()
    assert found["state"] == "open"
    assert found["requester_id"] == str(story.requester.person_id)
    approval = reverse("api-approval", args=[found["revision_digest"]])
    assert pipeline.get(approval).json()["may_run"] is False
    request = ApprovalRequest.objects.get(pk=found["id"])
    story.decided(request)
    answer = pipeline.get(approval).json()
    assert answer["may_run"] is True
    assert answer["conditions"] == []
    assert answer["expires_at"] == (NOW + timedelta(days=365)).isoformat().replace("+00:00", "Z")
    assert answer["receipt"] is None  # nothing signs in this test
    assert log.entry(answer["entry"]).type == "request.approved"
    assert pipeline.get(reverse("api-approval", args=["sha256:" + found["revision_digest"]])).status_code == 200


def test_a_version_from_the_catalogue(story: Story) -> None:
    pipeline = Pipeline(story)
    made = pipeline.post(reverse("api-model-versions"), {"catalogue": "Qwen3 8B", "version": "1"})
    assert made.status_code == 201
    listed = pipeline.get(reverse("api-model-versions"), name="Qwen3 8B").json()
    assert [item["params_total"] for item in listed["items"]] == [8190735360]
    again = pipeline.post(reverse("api-model-versions"), {"catalogue": "Qwen3 8B", "version": "1"})
    assert (again.status_code, again.json()["field"]) == (400, "version")


@pytest.mark.parametrize("name", ["models", "model-versions", "gpu-models", "gpu-pools", "deployments", "requests"])
def test_lists_by_token_and_by_person(story: Story, name: str) -> None:
    story.submitted()
    address = reverse(f"api-{name}")
    by_token = Pipeline(story).get(address)
    person = Client()
    person.force_login(story.bystander)
    assert by_token.status_code == 200
    assert by_token.json() == person.get(address).json()
    assert by_token.json()["items"]
    assert Client().get(address).status_code == 401
    assert Pipeline(story, "events:write").get(address).status_code == 403


def test_lists_page_by_keyset(story: Story) -> None:
    pipeline = Pipeline(story)
    address = reverse("api-gpu-models")
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = pipeline.get(address, limit="20", **after).json()
        seen += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert len(seen) == len(set(seen)) == 50


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": "x"}, "limit"), ({"after": "x"}, "after"), ({"name": "\x00"}, "")]
)
def test_a_query_that_cannot_be(story: Story, query: dict[str, str], field: str) -> None:
    answer = Pipeline(story).get(reverse("api-models"), **query)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"justification": "a\u0000b"}, "justification"),
        ({"gpu_count": "1"}, "gpu_count"),
        ({"gpu_count": True}, "gpu_count"),
        ({"gpu_count": 1.5}, "gpu_count"),
        ({"gpu_count": 0}, "gpu_count"),
        ({"context": 2**40}, "context"),
        ({"context": 131073}, "context"),
        ({"model_version_id": 7}, "model_version_id"),
        ({"model_version_id": "x"}, "model_version_id"),
        ({"model_version_id": str(uuid4())}, "model_version"),
        ({"engine": 1}, "engine"),
        ({"engine": "tgi"}, "engine"),
        ({"tool_grants": "search"}, "tool_grants"),
        ({"tool_grants": [1]}, "tool_grants.0"),
        ({"contxt": 1}, "contxt"),
        ({"reasoning_cap": -1}, "reasoning_cap"),
    ],
)
def test_a_body_that_cannot_be_names_its_field(story: Story, other: dict[str, object], field: str) -> None:
    size = log.head_size()
    answer = Pipeline(story).post(reverse("api-requests"), ask_body(story, **other))
    assert answer.status_code == 400, answer.content
    assert answer.json()["field"] == field, answer.json()
    assert answer.json()["reason"]
    assert log.head_size() <= size + 2  # the token and its first use


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"name": NaN}', '{"a": 1, "a": 2}', "\xff"])
def test_no_body_makes_a_server_error(story: Story, body: str) -> None:
    for name in ("requests", "model-versions", "gpu-pools"):
        client = Pipeline(story).client
        answer = client.post(reverse(f"api-{name}"), body.encode("latin-1"), content_type="application/json")
        assert answer.status_code == 400, (name, body)
        assert set(answer.json()) >= {"status", "field", "reason"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": "1"}, "model_name"),
        ({"version": "1", "catalogue": "Qwen3 8B", "config": "{}"}, "config"),
        ({"version": "1", "catalogue": "no such model"}, "name"),
        ({"version": "1", "model_name": "a", "source": "b", "config": {}}, "config"),
        ({"version": "1", "model_name": "a", "source": "b", "config": "{}"}, "model_type"),
        ({"version": "1", "model_name": "a", "source": "b", "config": json.dumps(CONFIG), "index": "{}"},
         "metadata.total_size"),
    ],
)  # fmt: skip
def test_a_model_version_that_cannot_be(story: Story, body: dict[str, object], field: str) -> None:
    answer = Pipeline(story).post(reverse("api-model-versions"), body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_decisions_are_for_people(story: Story) -> None:
    request = story.submitted()
    address = reverse("api-decision", args=[request.pk])
    body = {"decision": "approve", "reason": REASON, "digest_seen": request.decision_digest}
    token = Pipeline(story).post(address, body)
    assert token.status_code == 403
    assert "person" in token.json()["reason"]
    assert Client().post(address, json.dumps(body), content_type="application/json").status_code == 401
    assert not Decision.objects.exists()
    person = Client()
    person.force_login(story.reviewer)
    stale = {**body, "digest_seen": "0" * 64}
    answers = [
        person.post(address, json.dumps(sent), content_type="application/json")
        for sent in (stale, {**body, "reason": "short"}, body, body)
    ]
    assert [answer.status_code for answer in answers] == [409, 400, 201, 403]
    unknown = reverse("api-decision", args=[uuid4()])
    assert person.post(unknown, json.dumps(body), content_type="application/json").status_code == 404


def test_the_requester_cannot_decide_over_rest(story: Story) -> None:
    request = story.submitted()
    person = Client()
    person.force_login(story.requester)
    body = {"decision": "approve", "reason": REASON, "digest_seen": request.decision_digest}
    answer = person.post(reverse("api-decision", args=[request.pk]), json.dumps(body), content_type="application/json")
    assert answer.status_code == 403
    assert "cannot decide" in answer.json()["reason"]


def test_a_decision_by_log_in_needs_the_csrf_token(story: Story) -> None:
    request = story.submitted()
    person = Client(enforce_csrf_checks=True)
    person.force_login(story.reviewer)
    body = {"decision": "approve", "reason": REASON, "digest_seen": request.decision_digest}
    answer = person.post(reverse("api-decision", args=[request.pk]), json.dumps(body), content_type="application/json")
    assert answer.status_code == 403
    assert not Decision.objects.exists()


def test_a_person_outside_the_pools_registers_nothing(story: Story) -> None:
    person = Client()
    person.force_login(story.bystander)
    body = json.dumps({"catalogue": "Qwen3 8B", "version": "1"})
    answer = person.post(reverse("api-model-versions"), body, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (403, "")


def test_digests_that_are_none(story: Story) -> None:
    pipeline = Pipeline(story)
    assert pipeline.get(reverse("api-approval", args=["nonsense"])).status_code == 400
    assert pipeline.get(reverse("api-approval", args=["0" * 64])).status_code == 404
    assert pipeline.get(reverse("api-request", args=[uuid4()])).status_code == 404


def test_a_token_asks_twice_and_is_told(story: Story) -> None:
    pipeline = Pipeline(story)
    assert pipeline.post(reverse("api-requests"), ask_body(story)).status_code == 201
    again = pipeline.post(reverse("api-requests"), ask_body(story))
    assert (again.status_code, again.json()["field"]) == (400, "name")


def test_gets_write_nothing(story: Story) -> None:
    request = story.submitted()
    pipeline = Pipeline(story)
    pipeline.get(reverse("api-models"))  # the token's first use of the day is an entry
    size = log.head_size()
    for name in ("models", "model-versions", "gpu-models", "gpu-pools", "deployments", "requests"):
        pipeline.get(reverse(f"api-{name}"))
    pipeline.get(reverse("api-adapters"))
    pipeline.get(reverse("api-request", args=[request.pk]))
    pipeline.get(reverse("api-approval", args=[request.revision_digest]))
    assert log.head_size() == size
