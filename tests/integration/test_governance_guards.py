"""What the guards of stages, sealed decisions, conditions and policies refuse, by raw SQL as the app."""

import hashlib
import uuid
from typing import Any

import pytest
from django.db import IntegrityError

from governance.models import ApprovalRequest, Condition, Decision, RequestStage, SealedDecision
from governance.snapshot import canonical
from tests.integration.access import join
from tests.integration.approvals_story import DAY, Approvals, condition, policy_row, stage, tell_approvals
from tests.integration.governance_story import NOW, REASON
from tests.integration.test_governance_constraints import execute

pytestmark = pytest.mark.django_db
_REFUSED = "refused|violates"


@pytest.fixture
def told() -> Approvals:
    return tell_approvals()


def insert(table: str, **row: object) -> None:
    """A row by raw SQL, with deferred constraints checked at once."""
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(row.values()))


def refused(words: str, table: str, **row: object) -> None:
    with pytest.raises(IntegrityError, match=words):
        insert(table, **row)


def update_refused(words: str, statement: str, *values: object) -> None:
    with pytest.raises(IntegrityError, match=words):
        execute(statement, values)


def decision_row(told: Approvals, request: ApprovalRequest, **other: object) -> dict[str, object]:
    who = told.third_reviewer
    return {
        "id": uuid.uuid4(),
        "request_id": request.pk,
        "requester_id": request.requester_id,
        "decider_id": who.person_id,
        "account_id": who.pk,
        "decision": "approve",
        "reason": REASON,
        "digest_seen": request.decision_digest,
        "decided_at": NOW,
        "stage": 1,
        **other,
    }


def sealed_row(told: Approvals, request: ApprovalRequest, **other: Any) -> dict[str, object]:
    who = other.pop("who", told.third_reviewer)
    about = {
        "request": str(request.pk), "stage": request.stage, "decider": str(who.person_id), "decision": "approve",
        "reason": REASON, "conditions": [], "digest_seen": request.decision_digest,
    }  # fmt: skip
    content = canonical({**about, **other.pop("about", {})})
    salt = "ab" * 32
    row = {
        "id": uuid.uuid4(),
        "request_id": request.pk,
        "stage": request.stage,
        "requester_id": request.requester_id,
        "decider_id": who.person_id,
        "account_id": who.pk,
        "commitment": hashlib.sha256(bytes.fromhex(salt) + content.encode()).hexdigest(),
        "content": content,
        "salt": salt,
        "digest_seen": request.decision_digest,
        "decided_at": NOW,
    }
    return {**row, **other}


def test_sealed_decisions_and_what_opens_them(told: Approvals) -> None:
    story = told.story
    told.adopted()
    request = story.submitted()
    join(story.requester, "Reviewers")
    for words, row in (
        ("not the decider's, not active or not in the pool", sealed_row(told, request, who=told.risk)),
        ("four_eyes", sealed_row(told, request, who=story.requester)),
        ("commits_to_content", sealed_row(told, request, commitment="0" * 64)),
        ("about something else", sealed_row(told, request, about={"stage": 2})),
        ("about something else", sealed_row(told, request, about={"decider": "x"})),
        ("not the current stage", sealed_row(told, request, stage=2)),
        ("time to decide is over", sealed_row(told, request, decided_at=NOW + 15 * DAY)),
        ("saw_the_digest", sealed_row(told, request, digest_seen="0" * 64, about={"digest_seen": "0" * 64})),
        ("commits_to_content|salt_is_long", sealed_row(told, request, salt="ab")),
    ):
        refused(words, "sealed_decision", **row)
    refused("not what was sealed", "decision", **decision_row(told, request))
    told.decide(request, told.third_reviewer)
    sealed = SealedDecision.objects.get()
    refused("1 of 2 are sealed", "decision", **decision_row(told, request, sealed_id=sealed.pk))
    refused("once_per_person", "sealed_decision", **sealed_row(told, request))
    insert("sealed_decision", **sealed_row(told, request, who=story.reviewer))
    lie = decision_row(told, request, sealed_id=sealed.pk, decision="reject")
    refused("not what was sealed", "decision", **lie)
    borrowed = decision_row(told, request, sealed_id=sealed.pk, decider_id=story.reviewer.person_id)
    refused("not what was sealed", "decision", **borrowed)
    insert("decision", **decision_row(told, request, sealed_id=sealed.pk))
    onwards = "stage = 2, pool = 'Risk owners', quorum = 1, due_at = due_at + interval '7 days'"
    update_refused("1 of 2 approvals in stage 1", f"UPDATE approval_request SET {onwards}")


def test_stages_and_exclusions_are_what_the_frozen_policy_says(told: Approvals) -> None:
    told.adopted()
    request = told.story.submitted()
    first = RequestStage.objects.get(request=request, sequence=1)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    extra = {"id": uuid.uuid4(), "request_id": request.pk, "sequence": 3, "name": "free", "pool": "Reviewers",
             "quorum": 1, "blind": False, "conditions_allowed": True, "due_at": None}  # fmt: skip
    refused("frozen policy says otherwise", "request_stage", **extra)
    told.decide(request, told.story.reviewer)
    late = {"id": uuid.uuid4(), "request_id": request.pk, "stage": 1, "person_id": told.risk.person_id,
            "why": "deployment_owner"}  # fmt: skip
    refused("when the request is submitted", "request_exclusion", **late)
    refused("when the request is submitted", "request_stage", **extra)
    assert first.due_at == NOW + 14 * DAY
    columns = [field.get_attname() for field in request._meta.concrete_fields]
    kept = ", ".join(
        name for name in columns if name not in {"id", "number", "quorum", "round", "tier", "deployment_id"}
    )
    for words, changes in (
        ("frozen policy says otherwise", "1, 1, 'unclassified'"),
        ("does not follow", "2, 2, 'unclassified'"),
        ("prohibited", "2, 1, 'prohibited'"),
    ):
        update_refused(
            words,
            f"INSERT INTO approval_request (id, number, quorum, round, tier, deployment_id, {kept})"
            f" SELECT gen_random_uuid(), 999, {changes}, deployment_id, {kept} FROM approval_request",
        )


def test_a_request_moves_only_as_its_decisions_say(told: Approvals) -> None:
    story = told.story
    told.adopted(stages=[stage("one", due_days=2), stage("two", "Risk owners", conditions_allowed=False)])
    request = story.submitted()
    row = decision_row(told, request)
    refused("stage 2 is not the current one", "decision", **{**row, "stage": 2})
    refused("nothing is sealed", "decision", **{**row, "sealed_id": uuid.uuid4()})
    refused("time to decide is over", "decision", **{**row, "decided_at": NOW + 3 * DAY})
    closing = "closed_at = %s, row_version = row_version + 1"
    update_refused("0 of 1 approvals", f"UPDATE approval_request SET state = 'approved', {closing}", NOW)
    update_refused("asked for changes", f"UPDATE approval_request SET state = 'changes_requested', {closing}", NOW)
    update_refused("still time", f"UPDATE approval_request SET state = 'timed_out', {closing}", NOW)
    update_refused("becomes|does not become|ended", f"UPDATE approval_request SET state = 'revoked', {closing}", NOW)
    told.decide(request, told.third_reviewer)
    request.refresh_from_db()
    assert request.stage == 2
    update_refused("no such next stage", "UPDATE approval_request SET stage = 3")
    update_refused("no such next stage", "UPDATE approval_request SET stage = 1, pool = 'Reviewers'")
    update_refused("frozen", "UPDATE approval_request SET pool = 'Reviewers'")
    refused("takes no conditions", "decision", **decision_row(
        told, request, stage=2, decision="approve_with_conditions", decider_id=told.risk.person_id,
        account_id=told.risk.pk))  # fmt: skip
    valid = f"UPDATE approval_request SET state = 'approved', {closing}"
    update_refused("0 of 1 approvals in stage 2", valid, NOW)
    told.decide(request, told.risk)
    ended = "UPDATE approval_request SET state = %s, ended_at = %s"
    update_refused("still runs on this approval", ended, "revoked", NOW)
    update_refused("expires at its time", ended, "expired", NOW)
    update_refused("frozen", "UPDATE approval_request SET state = 'revoked', ended_at = %s, valid_until = %s", NOW, NOW)
    update_refused("closed", "UPDATE approval_request SET state = 'open', closed_at = NULL, valid_until = NULL")
    update_refused("set once|violates", "UPDATE deployment SET use_case_id = %s", uuid.uuid4())


def test_an_approval_stands_for_as_long_as_its_policy_says(told: Approvals) -> None:
    request = told.story.submitted()
    insert("decision", **decision_row(told, request))
    approve = "UPDATE approval_request SET state = 'approved', closed_at = %s, valid_until = %s"
    for end in (None, NOW + 366 * DAY):
        update_refused("365 days", approve, NOW, end)
    execute(approve, [NOW, NOW + 365 * DAY])


def test_conditions_change_only_to_met_or_late(told: Approvals) -> None:
    story = told.story
    join(story.requester, "Reviewers")
    request = story.submitted()
    told.decide(request, story.reviewer, "approve_with_conditions", conditions=[condition()])
    row = Condition.objects.get()
    made = Decision.objects.get()
    plain = {"id": uuid.uuid4(), "request_id": request.pk, "decision_id": made.pk, "number": 2, "text": "more",
             "due_at": NOW, "on_breach": "block", "state": "open", "evidence": "", "row_version": 1}  # fmt: skip
    refused("comes with an approval", "condition", **plain)
    met = "UPDATE condition SET state = 'met', met_at = %s, evidence = 'e', met_by_id = %s"
    for who in (story.requester, told.risk, story.bystander):
        update_refused("a member of its stage", met, NOW, who.person_id)
    update_refused("frozen", "UPDATE condition SET text = 'less'")
    update_refused("met_by_somebody", "UPDATE condition SET evidence = 'x'")
    execute(met, [NOW, story.second_reviewer.person_id])
    update_refused("stays met", "UPDATE condition SET state = 'open', met_at = NULL, met_by_id = NULL, evidence = ''")
    row.refresh_from_db()
    assert row.state == "met"


def test_a_policy_is_decided_by_another_person_of_the_right_pool(told: Approvals) -> None:
    made = policy_row(told.policy())
    decided = "UPDATE approval_policy SET state = %s, decided_by_id = %s, decided_at = %s, decision_reason = 'x'"
    update_refused("four_eyes", decided, "adopted", told.officer.person_id, NOW)
    update_refused("compliance officer", decided, "adopted", told.story.reviewer.person_id, NOW)
    update_refused("frozen", "UPDATE approval_policy SET weight = 99")
    update_refused("does not go", decided, "retired", told.second_officer.person_id, NOW)
    copy = {
        "id": uuid.uuid4(), "name": made.name, "version": 2, "weight": 1, "applies_when": "{}", "content": made.content,
        "digest": made.digest, "state": "proposed", "proposed_by_id": told.officer.person_id, "reason": "r",
        "proposed_at": NOW, "decision_reason": "", "row_version": 1,
    }  # fmt: skip
    refused("begins as the proposal", "approval_policy", **copy)
    other = {**copy, "version": 1, "name": "other"}
    refused("begins as the proposal", "approval_policy", **other)
    refused("begins as the proposal", "approval_policy", **{**other, "state": "adopted"})
    execute(decided, ["adopted", told.second_officer.person_id, NOW])
    update_refused("only a newer version retires", "UPDATE approval_policy SET state = 'retired'")
