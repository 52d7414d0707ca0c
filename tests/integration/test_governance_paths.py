"""Every path to every transition of a request finds the same guard: page, REST by log-in, REST by token, operation."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import User
from governance import operations
from governance.admin import pages
from governance.api.urls import urlpatterns
from governance.models import ApprovalPolicyVersion, ApprovalRequest, Condition
from governance.operations import Refused
from tests.integration.access import join
from tests.integration.approvals_story import WHY, Approvals, condition, tell_approvals
from tests.integration.governance_story import NOW, REASON, login
from tests.integration.test_governance_api import Pipeline

pytestmark = pytest.mark.django_db

WALKED = {
    "api-decision", "api-withdrawal", "api-revocation", "api-condition-met", "api-approval-policy-decision",
    "desk_review", "desk_withdraw", "desk_revoke", "desk_condition_met", "desk_policy", "desk_again",
}  # fmt: skip
READING = {"api-request", "api-conditions"}


def test_no_address_of_a_request_or_policy_is_left_out() -> None:
    marks = ("<uuid:request_id>", "<uuid:policy_id>")
    rest = {item.name for item in urlpatterns if any(mark in str(item.pattern) for mark in marks)}
    desk = {name for route, _view, name in pages if any(mark in route for mark in marks)}
    assert rest | desk == WALKED | READING


@dataclass(frozen=True)
class Paths:
    """One transition: `ready` makes what it starts from, the paths try it, `done` says whether it happened."""

    ready: Callable[[], Any]
    done: Callable[[Any], bool]
    operation: Callable[[Any, User], object]
    rest: Callable[[Any], tuple[str, tuple[Any, ...], dict[str, Any]]]
    page: Callable[[Any], tuple[str, tuple[Any, ...], dict[str, Any]]] | None
    by_token: bool = False


@pytest.fixture
def told() -> Approvals:
    return tell_approvals()


def by(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def went(path: Paths, way: str, subject: Any, user: User, pipeline: Pipeline) -> bool:
    """Try a transition one way, and hold the answer against what the tables say afterwards."""
    if way == "operation":
        try:
            path.operation(subject, user)
        except Refused:
            accepted = False
        else:
            accepted = True
    elif way == "page":
        assert path.page is not None
        name, args, fields = path.page(subject)
        accepted = by(user).post(reverse(f"admin:{name}", args=args), fields).status_code == 302
    else:
        name, args, body = path.rest(subject)
        client = pipeline.client if way == "token" else by(user)
        answer = client.post(reverse(name, args=args), json.dumps(body), content_type="application/json")
        assert answer.status_code in {201, 400, 403, 409}
        accepted = answer.status_code == 201
    assert path.done(subject) is accepted
    return accepted


def walk(path: Paths, told: Approvals, *, right: User, wrong: list[User]) -> None:
    """Each way refuses each wrong person, and then takes the right one; a token only where tokens may."""
    pipeline = Pipeline(told.story)
    ways = ["operation", "rest", *(["page"] if path.page else [])]
    for way in ways:
        subject = path.ready()
        for user in wrong:
            assert not went(path, way, subject, user, pipeline), (way, user.username)
        assert went(path, way, subject, right, pipeline), way
        for again in ways:
            assert path.done(subject)
            name = None if again == "operation" else again
            assert name is None or not _accepted_again(path, again, subject, right), again
    subject = path.ready()
    assert went(path, "token", subject, right, pipeline) is path.by_token


def _accepted_again(path: Paths, way: str, subject: Any, user: User) -> bool:
    made = path.page(subject) if way == "page" and path.page else path.rest(subject)
    name, args, fields = made
    if way == "page":
        return by(user).post(reverse(f"admin:{name}", args=args), fields).status_code == 302
    answer = by(user).post(reverse(name, args=args), json.dumps(fields), content_type="application/json")
    return answer.status_code == 201


class Walk:
    """Requests and conditions that nobody else uses."""

    def __init__(self, told: Approvals) -> None:
        self.told = told
        self.count = 0
        self.requester = told.story.requester
        join(self.requester, "Reviewers")
        self.second = login("watanabe-2", "Reviewers", "Risk owners", person=self.requester)
        self.operator = login("operator", "Operators")
        self.wrong = [self.requester, self.second, self.operator, told.story.bystander, told.officer]

    def asked(self) -> ApprovalRequest:
        self.count += 1
        return self.told.story.submitted(f"use-{self.count}")

    def approved(self) -> ApprovalRequest:
        request = self.asked()
        self.told.decide(request, self.told.story.reviewer)
        return request

    def conditional(self) -> Condition:
        request = self.asked()
        asked = [condition(days=3000)]
        self.told.decide(request, self.told.story.reviewer, "approve_with_conditions", conditions=asked)
        return Condition.objects.get(request=request)


def now_is(request: ApprovalRequest) -> str:
    return ApprovalRequest.objects.values_list("state", flat=True).get(pk=request.pk)


def deciding(walk_of: Walk, choice: str, end: str) -> Paths:
    def body(request: ApprovalRequest) -> dict[str, Any]:
        return {"decision": choice, "reason": REASON, "digest_seen": request.decision_digest}

    return Paths(
        ready=walk_of.asked,
        done=lambda request: now_is(request) == end,
        operation=lambda request, user: operations.decide(
            request_id=request.pk, decider=user, now=NOW, **body(request)
        ),
        rest=lambda request: ("api-decision", (request.pk,), body(request)),
        page=lambda request: ("desk_review", (request.pk,), body(request)),
    )


def test_deciding(told: Approvals) -> None:
    walk_of = Walk(told)
    right = told.story.second_reviewer
    approving = deciding(walk_of, "approve", "approved")
    walk(approving, told, right=right, wrong=walk_of.wrong)
    stale(approving, walk_of, told)
    walk(deciding(walk_of, "reject", "rejected"), told, right=right, wrong=[])
    walk(deciding(walk_of, "request_changes", "changes_requested"), told, right=right, wrong=[])


def stale(path: Paths, walk_of: Walk, told: Approvals) -> None:
    """A digest that is not the request's is refused on each path."""
    request = walk_of.asked()
    request.decision_digest = "0" * 64  # what the body names, not what stands
    for way in ("operation", "rest", "page"):
        assert not went(path, way, request, told.story.second_reviewer, Pipeline(told.story))


def test_withdrawing(told: Approvals) -> None:
    walk_of = Walk(told)
    why = {"reason": "Not needed any more."}
    path = Paths(
        ready=walk_of.asked,
        done=lambda request: now_is(request) == "withdrawn",
        operation=lambda request, user: operations.withdraw(request_id=request.pk, by=user, now=NOW, **why),
        rest=lambda request: ("api-withdrawal", (request.pk,), why),
        page=lambda request: ("desk_withdraw", (request.pk,), why),
        by_token=True,
    )
    others = [told.story.reviewer, told.story.second_reviewer, told.officer]
    walk(path, told, right=walk_of.second, wrong=others)


def test_revoking(told: Approvals) -> None:
    walk_of = Walk(told)
    why = {"reason": "The supplier withdrew its licence."}
    path = Paths(
        ready=walk_of.approved,
        done=lambda request: now_is(request) == "revoked",
        operation=lambda request, user: operations.revoke(request_id=request.pk, by=user, now=NOW, **why),
        rest=lambda request: ("api-revocation", (request.pk,), why),
        page=lambda request: ("desk_revoke", (request.pk,), why),
    )
    walk(path, told, right=told.risk, wrong=[walk_of.operator, told.story.bystander, told.officer])


def test_confirming_a_condition(told: Approvals) -> None:
    walk_of = Walk(told)
    shown = {"evidence": "https://wiki/42", "row_version": 1}
    path = Paths(
        ready=walk_of.conditional,
        done=lambda row: Condition.objects.get(pk=row.pk).state == "met",
        operation=lambda row, user: operations.meet_condition(
            request_id=row.request_id, number=row.number, by=user, evidence="e", seen=1, now=NOW
        ),
        rest=lambda row: ("api-condition-met", (row.request_id, row.number), shown),
        page=lambda row: ("desk_condition_met", (row.request_id, row.number), shown),
    )
    walk(path, told, right=told.third_reviewer, wrong=walk_of.wrong)


def deciding_a_policy(told: Approvals, decision: str, end: str) -> Paths:
    names = iter(f"{decision}-{number}" for number in range(100))
    body = {"decision": decision, "reason": WHY, "row_version": 1}
    return Paths(
        ready=lambda: told.policy(next(names)),
        done=lambda made: ApprovalPolicyVersion.objects.get(pk=made.id).state == end,
        operation=lambda made, user: operations.decide_policy(
            policy_id=made.id, by=user, decision=decision, reason=WHY, seen=1, now=NOW
        ),
        rest=lambda made: ("api-approval-policy-decision", (made.id,), body),
        page=lambda made: ("desk_policy", (made.id,), {"decision": decision, "reason": WHY, "seen": 1}),
    )


def test_deciding_a_policy(told: Approvals) -> None:
    second = login("berg-2", "Compliance officers", person=told.officer)
    wrong = [told.officer, second, told.story.reviewer, told.story.bystander]
    walk(deciding_a_policy(told, "adopt", "adopted"), told, right=told.second_officer, wrong=wrong)
    walk(deciding_a_policy(told, "refuse", "refused"), told, right=told.second_officer, wrong=[])
