"""Evidence that a request relies on is bound by its decision, and spoils it when it is revoked or expires."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from governance import operations, queries
from governance.models import ApprovalRequest, RequestEvidence
from tests.integration.data_story import evidence
from tests.integration.governance_story import NOW, REASON, tell

pytestmark = pytest.mark.usefixtures("db")


def test_what_a_request_relies_on_is_frozen_bound_and_spoils_an_approval() -> None:
    story = tell()
    relied = evidence(story)
    plain = story.submitted("plain")
    asked = story.submitted("bound", relied_on=(relied.pk,))
    row = RequestEvidence.objects.get(request=asked)
    assert (row.sha256, row.standing) == (relied.sha256, "valid")
    assert asked.decision_digest != plain.decision_digest
    page = queries.review_page(asked.pk, user=story.reviewer, now=NOW)
    assert [line.ref for line in page.grounds.relied] == [relied.ref]

    operations.revoke_evidence(by=story.requester, evidence_id=relied.pk, reason="It was faulty.", now=NOW)
    with pytest.raises(operations.Refused, match=relied.ref):
        story.decided(asked)
    with pytest.raises(operations.Refused, match="is revoked"):
        story.submitted("third", relied_on=(relied.pk,))
    with pytest.raises(IntegrityError, match="revoked or expired"), transaction.atomic():
        values = [asked.pk, relied.pk, relied.sha256, "a" * 64]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO request_evidence (id, request_id, evidence_id, sha256, digest, standing)"
                " VALUES (gen_random_uuid(), %s, %s, %s, %s, 'valid')",
                [str(value) for value in values],
            )
    with pytest.raises(IntegrityError, match="would rest on"), transaction.atomic():
        decision = {
            "request_id": asked.pk, "requester_id": asked.requester_id, "decider_id": story.reviewer.person_id,
            "account_id": story.reviewer.pk, "decision": "approve", "reason": REASON,
            "digest_seen": asked.decision_digest, "decided_at": NOW, "stage": 1,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO decision (id, {', '.join(decision)})"
                f" VALUES (gen_random_uuid(), {', '.join(['%s'] * len(decision))})",
                [str(value) for value in decision.values()],
            )
    story.decided(asked, "reject")
    assert ApprovalRequest.objects.get(pk=asked.pk).state == "rejected"
    assert queries.reconcile() == []


def test_evidence_about_something_else_or_expired_is_refused() -> None:
    story = tell()
    old = evidence(story, collected_at=date(2026, 10, 1), valid_until=date(2026, 11, 1))
    with pytest.raises(operations.Refused, match="is expired"):
        story.submitted(relied_on=(old.pk,))
    other = evidence(story, subject_kind="gpu_pool", subject_id=story.pool)
    with pytest.raises(operations.Refused, match="something else"):
        story.submitted(relied_on=(other.pk,))
    ends = evidence(story, valid_until=NOW.date() + timedelta(days=1))
    asked = story.submitted(relied_on=(ends.pk,))
    with pytest.raises(operations.Refused, match="expired now"):
        operations.decide(
            request_id=asked.pk,
            decider=story.reviewer,
            decision="approve",
            reason=REASON,
            digest_seen=asked.decision_digest,
            now=NOW + timedelta(days=2),
        )
