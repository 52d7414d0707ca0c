"""Asking and deciding: the main path, each step with its entries, and every way to approve one's own request."""

from typing import Any

import pytest

from audit import queries as log
from audit.models import User
from governance import operations, queries
from governance.models import ApprovalRequest, Decision, Deployment, Revision
from governance.operations import Refused
from tests.integration.access import join
from tests.integration.governance_story import NOW, REASON, Story, login, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def types_of(entries: tuple[int, ...]) -> list[str]:
    return [log.entry(index).type for index in entries]


def refusal_of(request: ApprovalRequest, decider: User, **other: str) -> Refused:
    arguments: dict[str, Any] = {
        "decision": "approve",
        "reason": REASON,
        "digest_seen": request.decision_digest,
        **other,
    }
    with pytest.raises(Refused) as caught:
        operations.decide(request_id=request.pk, decider=decider, now=NOW, **arguments)
    return caught.value


def test_a_request_is_four_entries_with_full_snapshots(story: Story) -> None:
    made = operations.request_deployment(by=story.requester, ask=story.ask(), now=NOW)
    assert types_of(made.entries) == [
        "deployment.registered",
        "revision.created",
        "request.submitted",
        "request_stage.set",
    ]
    request = ApprovalRequest.objects.select_related("revision", "deployment").get(pk=made.id)
    state = log.state_at(f"request:{made.id}", log.head_size())
    assert state is not None
    assert state.index == made.entries[2]
    assert state.after["decision_digest"] == request.decision_digest
    assert state.after["state"] == "open"
    assert log.entry(made.entries[2]).actor == f"person:{story.requester.person_id}"


def test_an_approval_is_three_entries_and_moves_the_deployment(story: Story) -> None:
    request = story.submitted()
    made = story.decided(request)
    assert types_of(made.entries) == ["decision.recorded", "request.approved", "deployment.changed"]
    request.refresh_from_db()
    assert request.state == "approved"
    assert request.closed_at == NOW
    assert Deployment.objects.get(pk=request.deployment_id).approved_revision_id == request.revision_id
    assert queries.reconcile() == []


def test_a_rejection_leaves_the_deployment_without_revision(story: Story) -> None:
    request = story.submitted()
    made = story.decided(request, "reject")
    assert types_of(made.entries) == ["decision.recorded", "request.rejected"]
    assert Deployment.objects.get(pk=request.deployment_id).approved_revision_id is None
    assert queries.reconcile() == []


def test_the_requester_cannot_decide(story: Story) -> None:
    request = story.submitted()
    join(story.requester, "Reviewers")
    assert "cannot decide" in refusal_of(request, story.requester).reason


def test_a_second_log_in_of_the_requester_cannot_decide(story: Story) -> None:
    request = story.submitted()
    other = login("watanabe-admin", "Reviewers", person=story.requester)
    assert "cannot decide" in refusal_of(request, other).reason


def test_the_owner_of_the_service_account_that_asked_cannot_decide(story: Story) -> None:
    made = operations.request_deployment(by=story.service, ask=story.ask(), now=NOW)
    request = ApprovalRequest.objects.get(pk=made.id)
    assert request.requester_id == story.requester.person_id
    join(story.requester, "Reviewers")
    assert "cannot decide" in refusal_of(request, story.requester).reason


def test_a_superuser_outside_the_pool_cannot_decide(story: Story) -> None:
    request = story.submitted()
    assert "Only members" in refusal_of(request, login("root", superuser=True)).reason


def test_an_auditor_cannot_decide(story: Story) -> None:
    assert "Only members" in refusal_of(story.submitted(), story.bystander).reason


def test_a_closed_log_in_cannot_decide(story: Story) -> None:
    request = story.submitted()
    story.reviewer.is_active = False
    assert "closed" in refusal_of(request, story.reviewer).reason


def test_a_reviewer_who_asked_cannot_decide_but_another_can(story: Story) -> None:
    made = operations.request_deployment(by=story.second_reviewer, ask=story.ask(), now=NOW)
    request = ApprovalRequest.objects.get(pk=made.id)
    assert "cannot decide" in refusal_of(request, story.second_reviewer).reason
    story.decided(request)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"digest_seen": "0" * 64}, "digest_seen"),
        ({"digest_seen": ""}, "digest_seen"),
        ({"reason": "too short"}, "reason"),
        ({"reason": " " * 40}, "reason"),
        ({"reason": "x" * 4001}, "reason"),
        ({"reason": "NUL \x00 in a reason that is long"}, "reason"),
        ({"decision": "abstain"}, "decision"),
        ({"decision": "withdraw"}, "decision"),
    ],
)
def test_a_decision_that_cannot_be(story: Story, other: dict[str, str], field: str) -> None:
    request = story.submitted()
    size = log.head_size()
    assert refusal_of(request, story.reviewer, **other).field == field
    assert log.head_size() == size
    assert not Decision.objects.exists()


def test_the_digest_of_another_request_is_stale(story: Story) -> None:
    first = story.submitted("first")
    second = story.submitted("second")
    refused = refusal_of(first, story.reviewer, digest_seen=second.decision_digest)
    assert refused.field == "digest_seen"


def test_a_closed_request_is_not_decided_again(story: Story) -> None:
    request = story.submitted()
    story.decided(request)
    assert "closed" in refusal_of(request, story.second_reviewer).reason
    assert "already" in refusal_of(request, story.reviewer).reason


def test_only_the_requester_withdraws(story: Story) -> None:
    request = story.submitted()
    with pytest.raises(Refused, match="Only the one who asked"):
        operations.withdraw(request_id=request.pk, by=story.reviewer, reason="Not needed.", now=NOW)
    made = operations.withdraw(request_id=request.pk, by=story.requester, reason="Not needed.", now=NOW)
    assert types_of(made.entries) == ["request.withdrawn"]
    with pytest.raises(Refused, match="closed"):
        operations.withdraw(request_id=request.pk, by=story.requester, reason="Again.", now=NOW)
    assert "closed" in refusal_of(request, story.reviewer).reason


def test_who_may_not_ask(story: Story) -> None:
    with pytest.raises(Refused, match="Requesters"):
        operations.request_deployment(by=story.reviewer, ask=story.ask(), now=NOW)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"purpose": ""}, "purpose"),
        ({"justification": ""}, "justification"),
        ({"gpu_count": 0}, "gpu_count"),
        ({"gpu_count": 9}, "gpu_count"),
        ({"gpu_count": 3}, "tensor_parallel"),
        ({"context": 131073}, "context"),
        ({"context": 0}, "context"),
        ({"concurrency": 0}, "concurrency"),
        ({"weight_dtype": "4-bit"}, "weight_dtype"),
        ({"kv_dtype": "int3"}, "kv_dtype"),
        ({"engine": "unknown"}, "engine"),
        ({"environment": "moon"}, "environment"),
        ({"reasoning_cap": -1}, "reasoning_cap"),
        ({"runtime_image": "a\x1bb"}, "runtime_image"),
    ],
)
def test_an_ask_that_cannot_be_names_its_field(story: Story, other: dict[str, Any], field: str) -> None:
    size = log.head_size()
    with pytest.raises(Refused) as caught:
        story.submitted(**{"name": "memo", **other})
    assert caught.value.field == field
    assert log.head_size() == size
    assert not Deployment.objects.exists()


def test_one_open_request_for_a_deployment(story: Story) -> None:
    request = story.submitted()
    with pytest.raises(Refused, match=request.ref):
        story.submitted(context=16384)


def test_what_is_approved_already_is_not_asked_again(story: Story) -> None:
    story.decided(story.submitted())
    with pytest.raises(Refused, match="already"):
        story.submitted()


def test_a_change_is_a_new_revision_and_shows_what_was_approved(story: Story) -> None:
    first = story.submitted()
    story.decided(first)
    second = story.submitted(purpose="", context=16384)
    assert second.kind == "change"
    assert second.previous_revision_id == first.revision_id
    assert second.revision.number == 2
    assert second.decision_digest != first.decision_digest
    page = queries.review_page(second.pk, user=story.reviewer, now=NOW)
    assert [(line.name, line.old, line.new) for line in page.changed] == [("serving.context", "8192", "16384")]


def test_a_rejected_revision_can_be_asked_for_again(story: Story) -> None:
    first = story.submitted()
    story.decided(first, "reject")
    second = story.submitted()
    assert second.revision_id == first.revision_id
    assert Revision.objects.count() == 1
    story.decided(second)


def test_the_purpose_of_a_deployment_is_fixed(story: Story) -> None:
    story.decided(story.submitted())
    with pytest.raises(Refused, match="another use is another deployment"):
        story.submitted(purpose="Sorts job applications.", context=16384)


def test_an_approved_revision_is_replaced_by_the_next_approval(story: Story) -> None:
    first = story.submitted()
    story.decided(first)
    second = story.submitted(context=16384)
    story.decided(second)
    old, new = (queries.approval(row.revision_digest, now=NOW) for row in (first, second))
    assert old is not None
    assert new is not None
    assert (old.state, old.current, old.may_run) == ("approved", False, False)
    assert (new.state, new.current, new.may_run) == ("approved", True, True)
    assert new.entry is not None
    assert log.entry(new.entry).type == "request.approved"
    assert queries.approval("0" * 64, now=NOW) is None
