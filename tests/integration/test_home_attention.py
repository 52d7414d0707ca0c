"""What wants somebody soon, on the home page and on the page of a request."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from governance import operations
from governance.models import ApprovalRequest
from governance.operations import ConditionAsk
from governance.queries.attention import attention
from governance.queries.grounds import grounds
from tests.integration.governance_story import NOW, REASON, Story, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def approved(story: Story, name: str, *conditions: ConditionAsk) -> ApprovalRequest:
    request = story.submitted(name)
    operations.decide(
        request_id=request.pk,
        decider=story.reviewer,
        decision="approve_with_conditions" if conditions else "approve",
        reason=REASON,
        digest_seen=request.decision_digest,
        conditions=conditions,
        now=NOW,
    )
    request.refresh_from_db()
    return request


def test_approvals_that_end_are_told_with_what_follows_them(story: Story) -> None:
    first, second = approved(story, "claims-triage"), approved(story, "credit-memo-draft")
    assert first.valid_until is not None
    assert attention(now=first.valid_until - timedelta(days=31)).ending == ()

    later = first.valid_until - timedelta(days=29)
    follows = operations.request_deployment(
        by=story.requester, ask=story.ask("claims-triage", again_of=first.pk), now=later
    )
    found = {line.deployment: line for line in attention(now=later).ending}

    assert found.keys() == {"claims-triage", "credit-memo-draft"}
    assert (found["claims-triage"].next_id, found["credit-memo-draft"].next_id) == (follows.id, None)
    assert {line.mark for line in attention(now=second.valid_until or NOW).ending} == {"bad"}

    operations.revoke(request_id=second.pk, by=story.reviewer, reason=REASON, now=later)
    assert [line.deployment for line in attention(now=later).ending] == ["claims-triage"]


def test_conditions_are_told_when_they_are_due_and_not_once_met(story: Story) -> None:
    request = approved(
        story,
        "claims-triage",
        ConditionAsk("Show the notice.", NOW + timedelta(days=20), "block"),
        ConditionAsk("Test in French.", NOW + timedelta(days=90), "notify"),
    )
    assert attention(now=NOW).due == ()
    (line,) = attention(now=NOW + timedelta(days=10)).due
    assert (line.text, line.blocks, line.late, line.mark) == ("Show the notice.", True, False, "wait")
    (line,) = attention(now=NOW + timedelta(days=21)).due
    assert (line.late, line.mark) == (True, "bad")

    operations.meet_condition(
        request_id=request.pk, number=1, by=story.reviewer, evidence="recording", seen=1, now=NOW + timedelta(days=11)
    )
    assert attention(now=NOW + timedelta(days=21)).due == ()


def test_the_page_of_a_request_shows_what_a_decision_can_rest_on(story: Story, client: Client) -> None:
    request = story.submitted("claims-triage")
    operations.record_evidence(
        by=story.requester, title="Licence of the weights", kind="licence_review", subject_kind="model_version",
        subject_id=story.version, sha256="5e" * 32, size_bytes=9, media_type="text/plain", address="a shelf",
        collected_at=NOW.date(), valid_until=(NOW + timedelta(days=3)).date(), classification="internal", now=NOW,
    )  # fmt: skip

    found = grounds(ApprovalRequest.objects.get(pk=request.pk), now=NOW)
    assert [(line.title, line.mark) for line in found.evidence] == [("Licence of the weights", "warn")]
    assert (found.expired, found.same_form, found.runs) == (0, False, ())
    assert grounds(request, now=NOW + timedelta(days=9)).expired == 1

    client.force_login(story.reviewer)
    page = client.get(reverse("admin:desk_review", args=[request.pk])).content.decode()
    for words in ("What is asked", "Licence of the weights", "5e5e5e5e", "What it costs", "unclassified"):
        assert words in page
