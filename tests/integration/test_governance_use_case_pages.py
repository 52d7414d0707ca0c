"""Pages and REST addresses of use cases: one question after the other, refusals beside it, no GET that writes."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from governance import operations
from governance.classification import newest
from governance.models import Classification, UseCase
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser, contents, queries_of

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"name": "Support chatbot", "intended_purpose": "Answers questions.", "eu_role": "deployer"}
ANSWERS = [
    {"node": "s1", "answer": "no", "reason": "Rules that people wrote."},
    {"node": "s1b", "answer": "no", "reason": "There is no model."},
]


@pytest.fixture
def story() -> Story:
    return tell()


@pytest.fixture
def use_case(story: Story) -> UseCase:
    made = operations.register_use_case(by=story.requester, now=NOW, **BODY)
    return UseCase.objects.get(pk=made.id)


def classification(use_case: UseCase, **other: object) -> dict[str, object]:
    fields = {"tree_version": newest().version, "row_version": use_case.row_version, "answers": ANSWERS}
    return {**fields, **other}


def pages(use_case: UseCase) -> list[str]:
    return [
        reverse("admin:governance_usecase_changelist"),
        reverse("admin:governance_usecase_change", args=[use_case.pk]),
        reverse("admin:desk_use_case_new"),
        reverse("admin:desk_use_case", args=[use_case.pk]),
        reverse("admin:desk_use_case_classify", args=[use_case.pk]),
    ]


def answered(*said: tuple[str, str], act: str = "next", **other: str) -> dict[str, str]:
    found = {"act": act, "seen": "1", "tree_version": newest().version, **other}
    for node, answer in said:
        found |= {f"answer-{node}": answer, f"reason-{node}": f"because of {node}"}
    return found


def test_pages_open_change_nothing_and_are_behind_a_log_in(story: Story, use_case: UseCase) -> None:
    Pipeline(story).post(reverse("api-classifications", args=[use_case.pk]), classification(use_case))
    before = contents()
    for user in (story.requester, story.reviewer, story.bystander):
        client = browser(user)
        for address in pages(use_case):
            page = client.get(address)
            assert page.status_code == 200, address
            for forbidden in ("<style", " style=", " onclick="):
                assert forbidden not in page.content.decode(), address
    for address in pages(use_case):
        assert Client().get(address).status_code == 302, address
    assert contents() == before
    for name in ("desk_use_case", "desk_use_case_classify"):
        assert browser(story.requester).get(reverse(f"admin:{name}", args=[uuid4()])).status_code == 404


def test_somebody_registers_by_the_form_and_comes_to_its_page(story: Story) -> None:
    client = browser(story.requester)
    form = {**BODY, "member_states": "de, FR", "begin_date": "2027-01-04"}
    answer = client.post(reverse("admin:desk_use_case_new"), form)
    made = UseCase.objects.get()
    assert answer.headers["Location"] == reverse("admin:desk_use_case", args=[made.pk])
    assert made.member_states == ["DE", "FR"]
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Nobody has classified this use yet." in page
    assert "Working aid, not legal advice." in page
    assert newest().version in page
    again = client.post(reverse("admin:desk_use_case_new"), {**form, "member_states": "JP"})
    assert again.status_code == 400
    assert "must be one of AT, BE" in again.content.decode()


def test_questions_come_one_after_the_other(story: Story, use_case: UseCase) -> None:
    client = browser(story.requester)
    address = reverse("admin:desk_use_case_classify", args=[use_case.pk])
    size = log.head_size()
    page = client.get(address).content.decode()
    assert newest().questions["s1"].text in page
    assert newest().questions["s1b"].text not in page
    assert "Working aid, not legal advice." in page
    assert "Record classification" not in page
    page = client.post(address, answered(("s1", "no"))).content.decode()
    assert newest().questions["s1b"].text in page
    assert "because of s1" in page
    page = client.post(address, answered(("s1", "no"), ("s1b", "no"))).content.decode()
    assert "Not an AI system or AI model" in page
    assert "Record classification" in page
    assert log.head_size() == size, "only recording writes"
    recorded = answered(("s1", "no"), ("s1b", "no"), act="record", followed="s1=no,s1b=no")
    assert client.post(address, recorded).headers["Location"] == reverse("admin:desk_use_case", args=[use_case.pk])
    page = client.get(reverse("admin:desk_use_case", args=[use_case.pk])).content.decode()
    assert "because of s1b" in page
    assert "Classify again" in page
    assert f"{log.head_size() - 2}</a>" in page
    page = client.get(address).content.decode()
    assert "because of s1b" in page, "the answers of the newest classification are filled in"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (answered(("s1", "no"), asked="s1b"), "Choose an answer."),
        (answered(("s1", "maybe")), "takes one of yes, no, unsure"),
        ({**answered(("s1", "no")), "reason-s1": " "}, "Say why"),
        (answered(("s1", "no"), act="record", followed="s1=no"), "is not answered yet"),
        (answered(("s1", "unsure"), act="record", followed="s1=no,s1b=no"), "The answers have changed"),
        (answered(("s1", "unsure"), act="record", followed="s1=unsure", seen="3"), "has changed since"),
        (answered(("s1", "unsure"), act="record", followed="s1=unsure", seen="x"), "has changed since"),
        (answered(("s1", "unsure"), act="record", followed="s1=unsure", tree_version="1"), "no version 1"),
    ],
)
def test_a_form_that_is_not_taken(story: Story, use_case: UseCase, sent: dict[str, str], words: str) -> None:
    answer = browser(story.requester).post(reverse("admin:desk_use_case_classify", args=[use_case.pk]), sent)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Classification.objects.exists()


def test_an_auditor_sees_why_not(story: Story, use_case: UseCase) -> None:
    client = browser(story.bystander)
    address = reverse("admin:desk_use_case_classify", args=[use_case.pk])
    assert "Only members of the pools" in client.get(address).content.decode()
    assert "Only members of the pools" in client.get(pages(use_case)[3]).content.decode()
    sent = answered(("s1", "unsure"), act="record", followed="s1=unsure")
    assert client.post(address, sent).status_code == 400
    assert not Classification.objects.exists()


def test_pages_cost_the_same_with_more_rows(story: Story, use_case: UseCase) -> None:
    client = browser(story.requester)
    for address in pages(use_case):
        client.get(address)
    pipeline = Pipeline(story)
    pipeline.post(reverse("api-classifications", args=[use_case.pk]), classification(use_case))
    before = [queries_of(client, address) for address in pages(use_case)]
    for number in range(3):
        use_case.refresh_from_db()
        pipeline.post(reverse("api-classifications", args=[use_case.pk]), classification(use_case))
        pipeline.post(reverse("api-use-cases"), {**BODY, "name": f"Another {number}"})
    after = [queries_of(client, address) for address in pages(use_case)]
    assert after == before
    assert max(after) <= 50


def test_a_pipeline_registers_classifies_and_reads(story: Story) -> None:
    pipeline = Pipeline(story)
    made = pipeline.post(reverse("api-use-cases"), {**BODY, "member_states": ["DE"], "begin_date": "2027-01-04"})
    assert made.status_code == 201, made.content
    address = reverse("api-use-case", args=[made.json()["id"]])
    found = pipeline.get(address).json()
    assert (found["tier"], found["classifications"], found["begin_date"]) == ("unclassified", [], "2027-01-04")
    tree = pipeline.get(reverse("api-classification-tree")).json()
    body = {"tree_version": tree["version"], "row_version": found["row_version"], "answers": ANSWERS}
    post = reverse("api-classifications", args=[found["id"]])
    answer = pipeline.post(post, body)
    assert answer.status_code == 201, answer.content
    assert log.entry(answer.json()["entries"][0]).actor == f"service:{story.service.id}"
    found = pipeline.get(address).json()
    assert (found["tier"], found["row_version"]) == ("out_of_scope", 2)
    assert [item["tree_digest"] for item in found["classifications"]] == [tree["digest"]]
    stale = pipeline.post(post, body)
    assert (stale.status_code, stale.json()["field"]) == (409, "row_version")
    listed = pipeline.get(reverse("api-use-cases"), name="Support chatbot").json()
    assert [item["id"] for item in listed["items"]] == [found["id"]]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": 5}, "name"),
        ({"eu_role": "owner"}, "eu_role"),
        ({"member_states": ["JP"]}, "member_states.0"),
        ({"begin_date": 20270104}, "begin_date"),
        ({"begin_date": "4 January 2027"}, "begin_date"),
        ({"begin_date": "2027-02-01", "end_date": "2027-01-01"}, "end_date"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_a_use_case_over_rest_that_cannot_be(story: Story, other: dict[str, Any], field: str) -> None:
    answer = Pipeline(story).post(reverse("api-use-cases"), {**BODY, **other})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert answer.json()["reason"]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"answers": ANSWERS[:1]}, "answers.s1b"),
        ({"answers": [{"node": "s1", "answer": "no"}]}, "answers.0.reason"),
        ({"answers": "s1"}, "answers"),
        ({"row_version": 0}, "row_version"),
        ({"tree_version": "1999"}, "tree_version"),
    ],
)
def test_a_classification_over_rest_that_cannot_be(
    story: Story, use_case: UseCase, other: dict[str, Any], field: str
) -> None:
    address = reverse("api-classifications", args=[use_case.pk])
    answer = Pipeline(story).post(address, classification(use_case, **other))
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_the_same_guards_as_for_the_rest_of_the_registry(story: Story, use_case: UseCase) -> None:
    address = reverse("api-classifications", args=[use_case.pk])
    assert Client().get(reverse("api-use-cases")).status_code == 401
    assert Pipeline(story, "events:write").get(reverse("api-classification-tree")).status_code == 403
    assert Pipeline(story, "registry:read").post(address, classification(use_case)).status_code == 403
    auditor = browser(story.bystander)
    refused = auditor.post(address, json.dumps(classification(use_case)), content_type="application/json")
    assert (refused.status_code, refused.json()["field"]) == (403, "")
    unknown = uuid4()
    assert Pipeline(story).get(reverse("api-use-case", args=[unknown])).status_code == 404
    post = reverse("api-classifications", args=[unknown])
    assert Pipeline(story).post(post, classification(use_case)).status_code == 404
