"""What was approved and may not run any more, and who may end it: by the clock of the world, not of the request."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from audit.models import User
from governance import operations, queries
from governance.models import ApprovalRequest, Condition, Decision
from governance.operations import Reapproved, Refused
from governance.queries.gaps import evidence_gaps, worst_first
from tests.integration.approvals_story import DAY, Approvals, condition, tell_approvals
from tests.integration.governance_story import NOW, REASON

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Approvals:
    return tell_approvals()


def approved(told: Approvals, name: str = "claims-triage", **other: object) -> ApprovalRequest:
    request = told.story.submitted(name, **other)
    told.decide(request, told.story.reviewer)
    request.refresh_from_db()
    return request


def suspend(user: User) -> None:
    User.objects.filter(pk=user.pk).update(decisions_suspended_at=NOW, suspended_because="reset")
    user.refresh_from_db()


def test_what_is_quarantined_by_now_may_not_run(told: Approvals) -> None:
    use_case = told.use_case("minimal")
    request = approved(told, use_case_id=use_case.pk)
    answer = queries.approval(request.revision_digest, now=NOW)
    assert answer and (answer.may_run, answer.stopped_by) == (True, ())

    operations.change_standing(
        by=told.story.reviewer, subject_kind="use_case", subject_id=use_case.pk, state="quarantined",
        reason="People were misled about who answers.", seen=0, now=NOW,
    )  # fmt: skip
    answer = queries.approval(request.revision_digest, now=NOW)
    assert answer and not answer.may_run
    assert "misled" in answer.stopped_by[0]
    assert worst_first(evidence_gaps(NOW))[0].about == request.deployment_id
    with pytest.raises(Refused, match="misled"):
        told.story.submitted("another", use_case_id=use_case.pk)
    assert operations.reapprove(now=NOW + DAY) == Reapproved(raised=1, ended=1)
    request.refresh_from_db()
    assert request.state == "invalidated"


def test_a_use_case_classified_anew_needs_another_request(told: Approvals) -> None:
    use_case = told.use_case("minimal")
    request = told.story.submitted(use_case_id=use_case.pk)
    told.classify(use_case, "high")
    for choice in ("approve", "approve_with_conditions"):
        conditions = [condition()] if choice != "approve" else []
        with pytest.raises(Refused, match="another tier"):
            told.decide(request, told.story.reviewer, choice, conditions=conditions)
    told.decide(request, told.story.reviewer, "request_changes")
    again = told.story.submitted(use_case_id=use_case.pk, again_of=request.pk)
    assert (again.tier, again.round) == ("high", 2)


def test_a_use_case_that_became_prohibited_stops_what_runs(told: Approvals) -> None:
    use_case = told.use_case("minimal")
    request = approved(told, use_case_id=use_case.pk)
    told.classify(use_case, "prohibited")
    answer = queries.approval(request.revision_digest, now=NOW)
    assert answer and not answer.may_run and "prohibited" in answer.stopped_by[0]


def test_revoking_ends_a_renewal_too(told: Approvals) -> None:
    first = approved(told)
    assert first.valid_until
    soon = first.valid_until - timedelta(days=9)
    ask = told.story.ask("claims-triage", again_of=first.pk)
    made = operations.request_deployment(by=told.story.requester, ask=ask, now=soon)
    second = ApprovalRequest.objects.get(pk=made.id)
    told.decide(second, told.story.reviewer, now=soon)

    operations.revoke(request_id=second.pk, by=told.story.reviewer, reason=REASON, now=soon + DAY)

    assert set(ApprovalRequest.objects.values_list("state", flat=True)) == {"revoked"}
    answer = queries.approval(first.revision_digest, now=soon + DAY)
    assert answer and not answer.may_run
    assert queries.reconcile() == []


def test_a_suspended_log_in_ends_confirms_and_proposes_nothing(told: Approvals) -> None:
    request = told.story.submitted()
    told.decide(request, told.story.reviewer, "approve_with_conditions", conditions=[condition()])
    suspend(told.third_reviewer)
    suspend(told.officer)
    row = Condition.objects.get()
    with pytest.raises(Refused, match="confirms it first"):
        operations.meet_condition(
            request_id=request.pk, number=row.number, by=told.third_reviewer, evidence="e", seen=1, now=NOW
        )
    with pytest.raises(Refused, match="confirms it first"):
        operations.revoke(request_id=request.pk, by=told.third_reviewer, reason=REASON, now=NOW)
    with pytest.raises(Refused, match="confirms it first"):
        told.policy()
    other = told.story.submitted("another")
    with pytest.raises(IntegrityError, match="suspended"), transaction.atomic():
        Decision.objects.create(
            request=other, requester_id=other.requester_id, decider_id=told.third_reviewer.person_id,
            account=told.third_reviewer, decision="approve", reason=REASON, digest_seen=other.decision_digest,
            decided_at=NOW - DAY, stage=1,
        )  # fmt: skip
