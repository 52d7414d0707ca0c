"""Stages, blind review, conditions, rounds, validity, revocation: what becomes of a request, entry by entry."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError

from audit import queries as log
from audit.models import User
from governance import operations, queries
from governance.models import ApprovalRequest, Condition, Decision, Deployment, SealedDecision
from governance.operations import Refused, Swept
from governance.queries.rights import viewer, why_not_decide
from tests.integration.access import join
from tests.integration.approvals_story import DAY, Approvals, condition, stage, tell_approvals
from tests.integration.governance_story import NOW, REASON, login

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Approvals:
    return tell_approvals()


def types_of(entries: tuple[int, ...]) -> list[str]:
    return [log.entry(index).type for index in entries]


def refused(told: Approvals, request: ApprovalRequest, who: User, decision: str = "approve", **other: Any) -> str:
    with pytest.raises(Refused) as caught:
        told.decide(request, who, decision, **other)
    return str(caught.value)


def disagreements() -> list[str]:
    """What differs between tables and ledger, beside the use cases that a test made without an operation."""
    made_here = ("use_case:", "classification:")
    return [item.subject for item in queries.reconcile() if not item.subject.startswith(made_here)]


def state_of(request: ApprovalRequest) -> str:
    request.refresh_from_db()
    return request.state


def test_two_blind_reviews_then_a_risk_owner(told: Approvals) -> None:
    story = told.story
    told.adopted()
    request = story.submitted()
    assert (request.pool, request.quorum, request.stage, request.due_at) == ("Reviewers", 2, 1, NOW + 14 * DAY)
    first = told.decide(request, story.reviewer, "approve_with_conditions", conditions=[condition()])
    assert types_of(first.entries) == ["decision.sealed"]
    told_entry = json.dumps(log.section_facts(list(first.entries)))
    assert REASON not in told_entry and "red-team" not in told_entry and "approve" not in told_entry
    assert not Decision.objects.exists()
    page = queries.review_page(request.pk, user=told.third_reviewer, now=NOW)
    assert [(line.sealed, line.needed, line.deciders) for line in page.way.stages] == [(1, 2, ()), (0, 1, ())]
    assert REASON not in repr(page)
    found = queries.request_snapshot(request.pk)
    assert found is not None
    assert (found["sealed"], found["decisions"], found["conditions"]) == (1, [], [])
    assert queries.waiting_count(story.reviewer) == 0
    assert queries.waiting_count(told.third_reviewer) == 1
    assert "already" in refused(told, request, story.reviewer)

    last = told.decide(request, told.third_reviewer, now=NOW + DAY)
    assert types_of(last.entries) == [
        "decision.sealed",
        "decision.recorded",
        "condition.set",
        "decision.recorded",
        "request.advanced",
    ]
    check_commitments(request)
    request.refresh_from_db()
    assert (request.state, request.stage, request.pool, request.quorum) == ("open", 2, "Risk owners", 1)
    assert request.due_at == NOW + 21 * DAY
    assert "already" in refused(told, request, member_of(told, told.third_reviewer, "Risk owners"))
    assert "conditions" in refused(told, request, told.risk, "approve_with_conditions", conditions=[condition()])
    done = told.decide(request, told.risk)
    assert types_of(done.entries) == ["decision.recorded", "request.approved", "deployment.changed"]
    request.refresh_from_db()
    assert request.valid_until == NOW + 365 * DAY
    assert disagreements() == []


def member_of(told: Approvals, user: User, *groups: str) -> User:
    """Another log-in of the same person in these pools."""
    return login(f"{user.username}-2", *groups, person=user)


def check_commitments(request: ApprovalRequest) -> None:
    """What anybody can do with the entries alone."""
    for row in Decision.objects.filter(request=request):
        sealed = log.state_at(f"sealed_decision:{row.sealed_id}", log.head_size())
        opened = log.state_at(f"decision:{row.pk}", log.head_size())
        assert sealed is not None and opened is not None
        facts = log.section_facts([opened.index])[opened.index]["sealed"]
        assert isinstance(facts, dict)
        given = hashlib.sha256(bytes.fromhex(facts["salt"]) + facts["content"].encode()).hexdigest()
        assert given == sealed.after["commitment"]
        content = json.loads(facts["content"])
        for name in ("decision", "reason", "digest_seen"):
            assert content[name] == opened.after[name]


def test_a_blind_stage_with_a_rejection_waits_for_all_and_then_rejects(told: Approvals) -> None:
    told.adopted()
    request = told.story.submitted()
    told.decide(request, told.story.reviewer, "reject", reason="The cache does not fit by far, and the use is unclear.")
    assert state_of(request) == "open"
    told.decide(request, told.third_reviewer)
    assert state_of(request) == "rejected"
    closing = log.history(f"request:{request.pk}")[0]
    reason = log.section_facts([closing.index])[closing.index]["reason"]
    assert "does not fit" in str(reason)
    assert disagreements() == []


def test_a_deployment_owner_is_kept_from_the_stage_that_says_so(told: Approvals) -> None:
    story = told.story
    made = operations.request_deployment(by=story.second_reviewer, ask=story.ask(), now=NOW)
    told.decide(ApprovalRequest.objects.get(pk=made.id), story.reviewer)
    told.adopted()
    request = story.submitted(context=4096, purpose="")
    assert "keeps you from" in refused(told, request, story.second_reviewer)
    assert queries.waiting_count(story.second_reviewer) == 0
    page = queries.review_page(request.pk, user=story.second_reviewer, now=NOW)
    assert [(line.person, line.stage) for line in page.way.exclusions] == [("Watanabe", 0), ("Sato", 1)]
    assert page.blocked
    use_case = told.use_case(owner=told.risk)
    told.adopted("owners", [stage("risk", "Risk owners", distinct_from=["use_case_owner"])], weight=11)
    other = story.submitted("other", use_case_id=use_case.pk)
    assert "keeps you from" in refused(told, other, told.risk)


def test_who_operates_or_audits_decides_nothing_with_any_log_in(told: Approvals) -> None:
    request = told.story.submitted()
    for group in ("Operators", "Auditors"):
        other = login(f"double-{group}", "Reviewers")
        with pytest.raises(DatabaseError, match="goes not together"):
            login(f"double-{group}-2", group, person=other)
    # A person who was both before the database refused it decides nothing either.
    who = replace(viewer(told.story.reviewer), barred=True)
    assert "operates or audits" in why_not_decide(request, who, ())


def test_the_rule_of_a_policy_settles_a_stage(told: Approvals) -> None:
    people = [told.story.reviewer, told.story.second_reviewer, told.third_reviewer]
    for rule, choices, end in (
        ("any", ["approve", "reject"], "rejected"),
        ("any", ["request_changes"], "changes_requested"),
        ("majority", ["reject", "approve", "approve"], "approved"),
        ("majority", ["approve", "reject", "request_changes"], "changes_requested"),
        ("majority", ["approve", "reject", "reject"], "rejected"),
    ):
        told.adopted(stages=[stage("review", quorum=2)], reject_rule=rule)
        request = told.story.submitted("-".join(choices))
        for who, choice in zip(people, choices, strict=False):
            assert state_of(request) == "open"
            told.decide(request, who, choice)
        assert state_of(request) == end, (rule, choices)
    assert disagreements() == []


def test_changes_are_requested_and_a_new_round_follows(told: Approvals) -> None:
    story = told.story
    first = story.submitted()
    told.decide(first, story.reviewer, "request_changes")
    assert state_of(first) == "changes_requested"
    second = story.submitted(again_of=first.pk, context=4096)
    assert (second.round, second.previous_request_id) == (2, first.pk)
    assert (first.round, first.revision_id != second.revision_id) == (1, True)
    with pytest.raises(Refused, match="again_of"):
        story.submitted("another", again_of=first.pk)
    told.decide(second, story.reviewer)
    assert state_of(second) == "approved"


def test_validity_follows_the_tier_and_expiry_blocks_by_the_clock(told: Approvals) -> None:
    story = told.story
    use_case = told.use_case("high")
    request = story.submitted(use_case_id=use_case.pk)
    assert request.tier == "high"
    assert json.loads(request.evidence)["use_case"]["id"] == str(use_case.pk)
    told.decide(request, story.reviewer)
    request.refresh_from_db()
    end = NOW + 90 * DAY
    assert request.valid_until == end
    before, after = (queries.approval(request.revision_digest, now=end + step * DAY) for step in (-1, 0))
    assert before is not None and after is not None
    assert (before.may_run, after.may_run, after.state) == (True, False, "approved")
    with pytest.raises(Refused, match="more than 30 days"):
        story.submitted(again_of=request.pk)
    assert operations.sweep(now=end - DAY) == Swept()
    assert operations.sweep(now=end) == Swept(expired=1)
    assert operations.sweep(now=end) == Swept()
    assert state_of(request) == "expired"
    assert Deployment.objects.get(pk=request.deployment_id).approved_revision_id is None
    again = story.submitted(again_of=request.pk)
    assert (again.revision_id, again.round, again.kind) == (request.revision_id, 1, "deploy")
    assert disagreements() == []


def test_an_approval_is_renewed_before_it_ends_and_outlives_the_old_one(told: Approvals) -> None:
    story = told.story
    first = story.submitted()
    told.decide(first, story.reviewer)
    later = NOW + 350 * DAY
    made = operations.request_deployment(by=story.requester, ask=story.ask(again_of=first.pk), now=later)
    second = ApprovalRequest.objects.get(pk=made.id)
    answer = queries.approval(first.revision_digest, now=later)
    assert answer is not None
    assert (answer.may_run, answer.request_id) == (True, first.pk)
    told.decide(second, story.reviewer, now=later)
    assert operations.sweep(now=NOW + 366 * DAY) == Swept(expired=1)
    answer = queries.approval(first.revision_digest, now=NOW + 366 * DAY)
    assert answer is not None
    assert (answer.may_run, answer.request_id) == (True, second.pk)
    assert disagreements() == []


def test_what_is_not_decided_in_time_is_closed_and_never_approved(told: Approvals) -> None:
    told.adopted()
    request = told.story.submitted()
    late = NOW + 15 * DAY
    assert "is over" in refused(told, request, told.story.reviewer, now=late)
    told.decide(request, told.story.reviewer, now=NOW + 14 * DAY)
    assert operations.sweep(now=late) == Swept(timed_out=1)
    assert state_of(request) == "timed_out"
    assert not Decision.objects.exists()
    assert SealedDecision.objects.count() == 1
    again = told.story.submitted(again_of=request.pk)
    assert again.state == "open"


def test_a_late_condition_blocks_until_it_is_met(told: Approvals) -> None:
    story = told.story
    request = story.submitted()
    asked = [condition(), condition("Users are told.", on_breach="notify")]
    made = told.decide(request, story.reviewer, "approve_with_conditions", conditions=asked)
    assert types_of(made.entries) == [
        "decision.recorded", "condition.set", "condition.set", "request.approved", "deployment.changed"
    ]  # fmt: skip
    due = NOW + 30 * DAY

    def may_run(days: int) -> bool:
        answer = queries.approval(request.revision_digest, now=NOW + days * DAY)
        assert answer is not None
        return answer.may_run

    assert (may_run(29), may_run(30)) == (True, False)
    assert operations.sweep(now=due) == Swept(breached=2)
    assert operations.sweep(now=due) == Swept()

    def meet(by: User, number: int = 1, seen: int = 2) -> operations.Recorded:
        return operations.meet_condition(
            request_id=request.pk, number=number, by=by, evidence="https://wiki/42", seen=seen, now=due
        )

    join(story.requester, "Reviewers")
    for who, words in ((story.requester, "Another person"), (told.risk, "Only members")):
        with pytest.raises(Refused, match=words):
            meet(who)
    with pytest.raises(Refused, match="not the newest"):
        meet(story.second_reviewer, seen=1)
    with pytest.raises(Refused, match="no condition"):
        meet(story.second_reviewer, number=3)
    assert types_of(meet(story.second_reviewer).entries) == ["condition.met"]
    assert may_run(30) is True
    with pytest.raises(Refused, match="met already"):
        meet(story.second_reviewer, seen=3)
    assert [row.state for row in Condition.objects.order_by("number")] == ["met", "breached"]
    page = queries.review_page(request.pk, user=story.reviewer, now=due)
    assert [(view.word, view.line.blocks) for view in page.way.conditions] == [("Met", False), ("Late", False)]
    assert disagreements() == []


def test_conditions_that_cannot_be(told: Approvals) -> None:
    request = told.story.submitted()
    for decision, conditions, words in (
        ("approve_with_conditions", [], "are missing"),
        ("approve", [condition()], "with conditions alone"),
        ("approve_with_conditions", [condition(days=0)], "later than now"),
        ("approve_with_conditions", [condition(on_breach="shrug")], "must be one of"),
        ("approve_with_conditions", [condition(" ")], "is missing"),
        ("approve_with_conditions", [condition()] * 21, "at most 20"),
    ):
        assert words in refused(told, request, told.story.reviewer, decision, conditions=conditions)
    assert not Decision.objects.exists()


def test_an_approval_is_revoked_by_its_pool_or_a_risk_owner(told: Approvals) -> None:
    story = told.story
    first = story.submitted()
    why = "The supplier withdrew the licence of the weights."

    def revoke(by: User, reason: str = why) -> operations.Recorded:
        return operations.revoke(request_id=first.pk, by=by, reason=reason, now=NOW + DAY)

    with pytest.raises(Refused, match="no approval that stands"):
        revoke(told.risk)
    told.decide(first, story.reviewer)
    for who, words in ((story.requester, "Only members"), (story.bystander, "Only members")):
        with pytest.raises(Refused, match=words):
            revoke(who)
    with pytest.raises(Refused, match="at least 20"):
        revoke(told.risk, "no")
    assert types_of(revoke(told.risk).entries) == ["request.revoked", "deployment.changed"]
    assert state_of(first) == "revoked"
    assert (first.ended_at, first.closed_at) == (NOW + DAY, NOW)
    assert Deployment.objects.get(pk=first.deployment_id).approved_revision_id is None
    answer = queries.approval(first.revision_digest, now=NOW)
    assert answer is not None
    assert (answer.state, answer.may_run) == ("revoked", False)
    again = story.submitted(again_of=first.pk)
    told.decide(again, story.reviewer)
    ended = operations.invalidate(
        request_id=again.pk, cause="Its base model was retired.", actor="system:test", now=NOW
    )
    assert types_of(ended.entries) == ["request.invalidated", "deployment.changed"]
    assert disagreements() == []


def test_revoking_an_approval_that_was_replaced_leaves_the_deployment_alone(told: Approvals) -> None:
    story = told.story
    first = story.submitted()
    told.decide(first, story.reviewer)
    second = story.submitted(context=4096)
    told.decide(second, story.reviewer)
    made = operations.revoke(request_id=first.pk, by=story.reviewer, reason=REASON, now=NOW)
    assert types_of(made.entries) == ["request.revoked"]
    assert Deployment.objects.get(pk=first.deployment_id).approved_revision_id == second.revision_id


def test_a_use_case_is_named_once_and_never_prohibited(told: Approvals) -> None:
    story = told.story
    with pytest.raises(Refused, match="prohibited"):
        story.submitted(use_case_id=told.use_case("prohibited").pk)
    assert not Deployment.objects.exists()
    first = story.submitted()
    told.decide(first, story.reviewer)
    use_case = told.use_case("transparency")
    second = story.submitted(context=4096, use_case_id=use_case.pk)
    assert second.tier == "transparency"
    assert second.deployment.use_case_id == use_case.pk
    operations.withdraw(request_id=second.pk, by=story.requester, reason="Not now.", now=NOW)
    with pytest.raises(Refused, match="another use is another deployment"):
        story.submitted(context=2048, use_case_id=told.use_case("minimal").pk)
    third = story.submitted(context=2048)
    assert third.tier == "transparency"
    told.classify(use_case, "prohibited")
    assert "prohibited now" in refused(told, third, story.reviewer)
    told.decide(third, story.reviewer, "reject")
    assert state_of(third) == "rejected"
