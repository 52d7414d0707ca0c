"""The page of a request with stages, conditions and an approval that can end: what is shown, and what a form does."""

import pytest
from django.urls import reverse

from governance import operations
from governance.models import ApprovalRequest, Condition
from tests.integration.approvals_story import Approvals, condition, tell_approvals
from tests.integration.governance_story import NOW, REASON
from tests.integration.test_governance_pages import browser, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Approvals:
    return tell_approvals()


def test_a_blind_stage_is_counted_and_not_told(told: Approvals) -> None:
    told.adopted()
    request = told.story.submitted()
    address = reverse("admin:desk_review", args=[request.pk])
    told.decide(request, told.story.reviewer, reason="The words of a sealed decision stay where they are.")
    for user in (told.third_reviewer, told.story.bystander, told.story.requester, told.story.reviewer):
        text = browser(user).get(address).content.decode()
        assert "1 of 2 decisions are sealed" in text
        assert "stay where they are" not in text
    assert "You have decided already" in browser(told.story.reviewer).get(address).content.decode()
    before = queries_of(browser(told.third_reviewer), address)
    asked = [condition(), condition("Users are told.")]
    told.decide(request, told.third_reviewer, "approve_with_conditions", conditions=asked)
    text = browser(told.risk).get(address).content.decode()
    assert "stay where they are" in text
    assert "Users are told." in text
    assert "<dt>Watanabe</dt><dd>asked for this" in text
    # One more for the entries that conditions and decisions have, whatever their number.
    assert queries_of(browser(told.third_reviewer), address) <= before + 3


def test_conditions_are_asked_for_and_confirmed_on_the_page(told: Approvals) -> None:
    request = told.story.submitted()
    address = reverse("admin:desk_review", args=[request.pk])
    reviewer = browser(told.story.reviewer)
    body = {
        "decision": "approve_with_conditions", "reason": REASON, "digest_seen": request.decision_digest,
        "condition_1": "A report is on file.", "condition_2": "Users are told.", "due_2": "2999-01-31",
        "breach_2": "notify",
    }  # fmt: skip
    for due in ("", "2999-13-40", "tomorrow"):
        refused = reviewer.post(address, {**body, "due_1": due})
        assert refused.status_code == 400
        assert "the day on which" in refused.content.decode()
    assert reviewer.post(address, {**body, "due_1": "2999-01-31"}).status_code == 302
    found = [(row.text, row.on_breach, row.due_at.isoformat()) for row in Condition.objects.order_by("number")]
    assert found == [
        ("A report is on file.", "block", "2999-01-31T23:59:59+00:00"),
        ("Users are told.", "notify", "2999-01-31T23:59:59+00:00"),
    ]
    met = reverse("admin:desk_condition_met", args=[request.pk, 1])
    stale = reviewer.post(met, {"evidence": "https://wiki/42", "row_version": "x"})
    assert (stale.status_code, "not the newest" in stale.content.decode()) == (400, True)
    assert reviewer.post(met, {"evidence": "https://wiki/42", "row_version": "1"}).status_code == 302
    text = reviewer.get(address).content.decode()
    assert "https://wiki/42" in text and "Revoke this approval" in text and "The approval stands until" in text
    revoke = reverse("admin:desk_revoke", args=[request.pk])
    assert "Only members" in browser(told.officer).get(address).content.decode()
    assert browser(told.officer).post(revoke, {"reason": REASON}).status_code == 400
    assert browser(told.risk).post(revoke, {"reason": REASON}).status_code == 302
    text = reviewer.get(address).content.decode()
    assert "The approval ended" in text and "The approval stands until" not in text
    again = browser(told.story.requester)
    form = reverse("admin:desk_request_new") + f"?again_of={request.pk}"
    assert form.replace("&", "&amp;") in again.get(address).content.decode()
    revision = request.revision
    fields = {
        "name": "credit-memo-draft", "justification": "The licence is settled.", "gpu_count": 1, "context": 8192,
        "model_version": str(revision.model_version_id), "gpu_pool": str(revision.gpu_pool_id), "concurrency": 8,
        "weight_dtype": "bf16", "kv_dtype": "bf16", "engine": "vllm", "environment": "production",
        "reasoning_cap": 4096,
    }  # fmt: skip
    assert again.post(form, fields).status_code == 302
    newest = ApprovalRequest.objects.order_by("-number")[0]
    assert (newest.previous_request_id, newest.revision_id) == (request.pk, request.revision_id)
    assert request.ref in again.get(reverse("admin:desk_review", args=[newest.pk])).content.decode()


def test_the_queue_shows_every_state(told: Approvals) -> None:
    request = told.story.submitted()
    told.decide(request, told.story.reviewer)
    operations.invalidate(request_id=request.pk, cause="Its base was retired.", actor="system:test", now=NOW)
    client = browser(told.story.reviewer)
    for state in ApprovalRequest.State.values:
        text = client.get(reverse("admin:desk_requests"), {"state": state}).content.decode()
        assert (request.ref in text) is (state == "invalidated")
    assert "Invalidated" in client.get(reverse("admin:desk_deployment", args=[request.deployment_id])).content.decode()
