"""Approval policies: two persons, versions, routing, frozen into requests; over operations and REST."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from audit.models import User
from governance import operations, queries
from governance.models import ApprovalPolicyVersion, ApprovalRequest, Condition
from governance.operations import Refused
from tests.integration.approvals_story import TWO_STAGES, WHY, Approvals, policy_row, stage, tell_approvals
from tests.integration.governance_story import NOW, REASON, login
from tests.integration.test_governance_api import Pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Approvals:
    return tell_approvals()


def types_of(entries: tuple[int, ...]) -> list[str]:
    return [log.entry(index).type for index in entries]


def decide(made: operations.Recorded, by: User, decision: str = "adopt", seen: int = 1) -> operations.Recorded:
    return operations.decide_policy(policy_id=made.id, by=by, decision=decision, reason=WHY, seen=seen, now=NOW)


def test_a_policy_takes_two_persons_and_a_new_version_retires_the_old(told: Approvals) -> None:
    first = told.policy()
    assert types_of(first.entries) == ["approval_policy.proposed"]
    assert told.story.submitted("before").pool == "Reviewers"
    second_log_in = login("berg-2", "Compliance officers", person=told.officer)
    operator = login("op", "Operators")
    for who, words in (
        (told.officer, "You proposed this"),
        (second_log_in, "You proposed this"),
        (told.story.reviewer, "Only members"),
        (operator, "Only members"),
    ):
        with pytest.raises(Refused, match=words):
            decide(first, who)
    with pytest.raises(Refused, match="row_version"):
        decide(first, told.second_officer, seen=2)
    assert types_of(decide(first, told.second_officer).entries) == ["approval_policy.adopted"]
    with pytest.raises(Refused, match="closed"):
        decide(first, told.second_officer, seen=2)
    request = told.story.submitted("frozen")
    second = told.policy(stages=[stage("risk only", "Risk owners")], by=operator)
    assert policy_row(second).version == 2
    assert types_of(decide(second, told.officer).entries) == ["approval_policy.retired", "approval_policy.adopted"]
    assert (policy_row(first).state, policy_row(second).state) == ("retired", "adopted")
    request.refresh_from_db()
    assert (request.pool, request.quorum, request.stages.count()) == ("Reviewers", 2, 2)
    assert told.story.submitted("after").pool == "Risk owners"
    third = told.policy()
    with pytest.raises(Refused, match="Only the one who proposed"):
        operations.withdraw_policy(policy_id=third.id, by=told.second_officer, reason="no", now=NOW)
    withdrawn = operations.withdraw_policy(policy_id=third.id, by=told.officer, reason="Not yet.", now=NOW)
    assert types_of(withdrawn.entries) == ["approval_policy.withdrawn"]
    refused = decide(told.policy(), told.second_officer, "refuse")
    assert types_of(refused.entries) == ["approval_policy.refused"]
    assert queries.reconcile() == []


def test_attributes_and_weight_choose_the_policy(told: Approvals) -> None:
    told.adopted("a-light", [stage("light", "Security reviewers")], weight=1, applies_when={"tools": ["some"]})
    told.adopted("b-heavy", [stage("heavy", "Privacy reviewers")], weight=9, applies_when={"reasoning": ["uncapped"]})
    told.adopted("a-heavy", [stage("other", "Risk owners")], weight=9, applies_when={"reasoning": ["uncapped"]})
    told.adopted("cloud", [stage("cloud", "Risk owners")], weight=99, applies_when={"hosting": ["cloud"]})
    story = told.story
    assert story.submitted("plain").pool == "Reviewers"
    assert story.submitted("tools", tool_grants=("search",)).pool == "Security reviewers"
    assert story.submitted("both", tool_grants=("search",), reasoning_cap=None).pool == "Risk owners"
    assert story.submitted("none", reasoning_cap=0).pool == "Reviewers"


def test_proposals_that_cannot_be(told: Approvals) -> None:
    tries: list[tuple[dict[str, Any], str]] = [
        ({"stages": []}, "stages"),
        ({"stages": [stage("x", "Nobody")]}, "pool"),
        ({"stages": [stage("x", quorum=0)]}, "quorum"),
        ({"stages": [stage("x", distinct_from=["stage:y"]), stage("y")]}, "distinct_from"),
        ({"reject_rule": "never"}, "reject_rule"),
        ({"valid_days": {"high": 1}}, "valid_days"),
        ({"applies_when": {"moon": ["full"]}}, "applies_when"),
        ({"name": "Single"}, "name"),
        ({"name": "single-review"}, "name"),
        ({"weight": -1}, "weight"),
        ({"reason": "short"}, "reason"),
        ({"by": told.story.reviewer}, "Only members"),
    ]
    for other, words in tries:
        with pytest.raises(Refused, match=words):
            told.policy(**other)
    assert not ApprovalPolicyVersion.objects.exists()


def by_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(client: Any, name: str, body: object, *args: object) -> Any:
    return client.post(reverse(name, args=args), json.dumps(body), content_type="application/json")


def test_policies_over_rest(told: Approvals) -> None:
    body = {
        "name": "high-risk", "weight": 5, "applies_when": {"environment": ["production"]}, "stages": list(TWO_STAGES),
        "reject_rule": "any", "valid_days": {"default": 100}, "reason": WHY,
    }  # fmt: skip
    pipeline = Pipeline(told.story)
    assert pipeline.post(reverse("api-approval-policies"), body).status_code == 403
    wrong = post(by_person(told.officer), "api-approval-policies", {**body, "stages": [{"name": "x"}]})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "stages.1")
    made = post(by_person(told.officer), "api-approval-policies", body)
    assert made.status_code == 201, made.content
    decision = {"decision": "adopt", "reason": WHY, "row_version": 1}
    address = "api-approval-policy-decision", decision, made.json()["id"]
    assert post(by_person(told.officer), *address).status_code == 403
    assert post(pipeline.client, *address).status_code == 403
    stale = post(by_person(told.second_officer), address[0], {**decision, "row_version": 7}, address[2])
    assert stale.status_code == 409
    assert post(by_person(told.second_officer), *address).status_code == 201
    assert post(by_person(told.second_officer), address[0], decision, uuid4()).status_code == 404
    listed = pipeline.get(reverse("api-approval-policies"), name="high-risk").json()["items"]
    assert [(row["state"], row["version"]) for row in listed] == [("adopted", 1)]
    withdrawn = post(by_person(told.officer), "api-approval-policies", {**body, "name": "other"}).json()["id"]
    gone = post(by_person(told.officer), address[0], {**decision, "decision": "withdraw"}, withdrawn)
    assert gone.status_code == 201


def test_the_life_of_a_request_over_rest(told: Approvals) -> None:
    story, now = told.story, datetime.now(UTC)
    pipeline = Pipeline(story)
    use_case = told.use_case("high")
    body = {
        "name": "memo", "purpose": "Memos.", "justification": "Slow by hand.", "model_version_id": str(story.version),
        "gpu_pool_id": str(story.pool), "gpu_count": 1, "context": 4096, "concurrency": 4,
        "use_case": str(use_case.pk),
    }  # fmt: skip
    asked = pipeline.post(reverse("api-requests"), body).json()["id"]
    found = pipeline.get(reverse("api-request", args=[asked])).json()
    assert (found["tier"], found["round"], found["sealed"], len(found["stages"])) == ("high", 1, 0, 1)
    assert found["exclusions"] == [{"person_id": str(story.requester.person_id), "stage": None, "why": "requester"}]
    decision = {
        "decision": "approve_with_conditions", "reason": REASON, "digest_seen": found["decision_digest"],
        "conditions": [{"text": "A report.", "due_at": (now + timedelta(days=9)).isoformat()}],
    }  # fmt: skip
    reviewer = by_person(story.reviewer)
    naive = {**decision, "conditions": [{"text": "A report.", "due_at": "2099-01-01T00:00:00"}]}
    assert post(reviewer, "api-decision", naive, asked).status_code == 400
    assert post(pipeline.client, "api-decision", decision, asked).status_code == 403
    assert post(reviewer, "api-decision", decision, asked).status_code == 201
    answer = pipeline.get(reverse("api-approval", args=[found["revision_digest"]])).json()
    assert (answer["may_run"], answer["conditions"][0]["blocks"], answer["stages"]) == (True, False, 1)
    (line,) = pipeline.get(reverse("api-conditions", args=[asked])).json()
    assert (line["text"], line["on_breach"], line["state"]) == ("A report.", "block", "open")
    met = {"evidence": "sha256:" + "a" * 64, "row_version": 1}
    assert post(pipeline.client, "api-condition-met", met, asked, 1).status_code == 403
    assert post(by_person(story.requester), "api-condition-met", met, asked, 1).status_code == 403
    assert post(by_person(story.second_reviewer), "api-condition-met", met, asked, 1).status_code == 201
    assert Condition.objects.get().met_by_id == story.second_reviewer.person_id
    why = {"reason": "The supplier withdrew its licence."}
    assert post(pipeline.client, "api-revocation", why, asked).status_code == 403
    assert post(by_person(story.requester), "api-revocation", why, asked).status_code == 403
    assert post(by_person(told.risk), "api-revocation", why, asked).status_code == 201
    again = pipeline.post(reverse("api-requests"), {**body, "again_of": asked})
    assert again.status_code == 201, again.content
    assert ApprovalRequest.objects.get(pk=again.json()["id"]).previous_request_id is not None
    assert post(reviewer, "api-withdrawal", why, again.json()["id"]).status_code == 403
    assert post(pipeline.client, "api-withdrawal", why, again.json()["id"]).status_code == 201
    for name, args in (("api-withdrawal", ()), ("api-revocation", ()), ("api-condition-met", (1,))):
        assert post(by_person(told.risk), name, {**why}, uuid4(), *args).status_code == 404
    assert pipeline.get(reverse("api-conditions", args=[uuid4()])).status_code == 404
