"""The life of requests as a state machine on the real database, against a second, plainer model of the same rules.

Each example asks once or more for a deployment under one of four policies, and lets people of several pools, second
log-ins, a service account, auditors and operators try everything, in any order, while days pass.
"""

from collections import Counter
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit.models import User
from governance import operations, queries
from governance.models import ApprovalRequest, Condition, Decision, Deployment
from governance.operations import ConditionAsk, Refused
from tests.integration.access import join
from tests.integration.approvals_model import APPROVING, Ask, Part, Shape, Somebody
from tests.integration.approvals_story import Approvals, stage, tell_approvals
from tests.integration.governance_story import NOW, REASON, login

REVIEWERS, RISK = "Reviewers", "Risk owners"
SHAPES = {
    "plain": Shape((Part(REVIEWERS, 1),), majority=False, valid=365),
    "two": Shape(
        (Part(REVIEWERS, 2, blind=True, days=9, kept_out=frozenset({"sato"})), Part(RISK, 1, days=5, conditions=False)),
        majority=False,
        valid=20,
    ),
    "majority": Shape((Part(REVIEWERS, 2, days=6),), majority=True, valid=10),
    "sealed": Shape((Part(REVIEWERS, 2, blind=True),), majority=True, valid=10),
}
ROUTES: dict[str, dict[str, Any]] = {
    "plain": {"environment": "development"},
    "two": {"environment": "staging"},
    "majority": {"environment": "production"},
    "sealed": {"environment": "production", "reasoning_cap": None},
}
EXAMPLES = 500
CHOICES = ("approve", "approve_with_conditions", "reject", "request_changes")


MOSTLY = ("approve", "approve", "approve", "approve_with_conditions", "reject", "request_changes")
MEMBERS = ("okafor", "tanaka", "both", "silva")
OTHERS = ("sato", "watanabe", "watanabe-2", "okafor-2", "double", "mori", "tanaka")


def _same(act: Any) -> Any:
    """Another function that does the same: each of its rules is drawn as often as any other."""
    return lambda self, **drawn: act(self, **drawn)


def begun() -> transaction.Atomic:
    """A transaction for one example, inside which operations may begin theirs, as in a test of Django's."""
    block = transaction.atomic()
    vars(block)["_from_testcase"] = True
    block.__enter__()
    return block


class World:
    """What stands before every example: policies, people, and a deployment for each policy that sato owns."""

    def __init__(self, told: Approvals) -> None:
        story = told.story
        self.story = story
        out = ["requester", "deployment_owner"]
        first = stage("independent", quorum=2, blind=True, due_days=9, distinct_from=out)
        second = stage("risk", RISK, due_days=5, conditions_allowed=False)
        ten = {"default": 10}
        told.adopted("two", [first, second], applies_when={"environment": ["staging"]}, valid_days={"default": 20})
        told.adopted(
            "majority", [stage("one", quorum=2, due_days=6)], applies_when={"environment": ["production"]},
            reject_rule="majority", valid_days=ten,
        )  # fmt: skip
        told.adopted(
            "sealed", [stage("one", quorum=2, blind=True)], applies_when={"reasoning": ["uncapped"]}, weight=99,
            reject_rule="majority", valid_days=ten,
        )  # fmt: skip
        join(story.requester, "Reviewers")
        double = login("double", REVIEWERS)
        self.log_ins: dict[str, tuple[User, Somebody]] = {}
        for person, user in (
            ("watanabe", story.requester),
            ("watanabe", login("watanabe-2", REVIEWERS, RISK, person=story.requester)),
            ("okafor", story.reviewer),
            ("okafor", login("okafor-2", REVIEWERS, RISK, person=story.reviewer)),
            ("sato", story.second_reviewer),
            ("tanaka", told.third_reviewer),
            ("silva", told.risk),
            ("both", login("both", REVIEWERS, RISK)),
            ("double", double),
            ("mori", story.bystander),
        ):
            pools = frozenset(user.groups.values_list("name", flat=True))
            self.log_ins[user.username] = user, Somebody(person, pools, barred=person == "mori")
        for name in SHAPES:
            made = operations.request_deployment(by=story.second_reviewer, ask=self.ask(name, 1), now=NOW)
            operations.withdraw(request_id=made.id, by=story.second_reviewer, reason="A draft.", now=NOW)

    def ask(self, name: str, concurrency: int, **other: Any) -> operations.DeploymentAsk:
        return self.story.ask(name, concurrency=concurrency, **{**ROUTES[name], **other})


class Life(RuleBasedStateMachine):
    """One deployment from its first request on."""

    world: ClassVar[World]
    counted: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.block = begun()
        self.days = 0.0
        self.asks: list[Ask] = []
        self.rows: list[ApprovalRequest] = []
        self.name = ""
        self.touched = False

    def teardown(self) -> None:
        self.counted.update(ask.state for ask in self.asks)
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @property
    def now(self) -> Any:
        return NOW + timedelta(days=self.days)

    @property
    def model(self) -> Ask:
        return self.asks[-1]

    @property
    def row(self) -> ApprovalRequest:
        return self.rows[-1]

    def tried(self, allowed: bool, act: Any) -> bool:
        """Whether the act went through, which must be as the model says."""
        try:
            act()
        except Refused as error:
            assert not allowed, f"refused, though the model allows it: {error}"
            return False
        assert allowed, "done, though the model refuses it"
        self.touched = True
        return True

    @initialize(name=st.sampled_from(sorted(SHAPES)), by_service=st.booleans())
    def submit(self, name: str, by_service: bool) -> None:
        self.name = name
        self.submitted(by_service, self.world.ask(name, 2))

    def submitted(self, by_service: bool, ask: operations.DeploymentAsk) -> None:
        by = self.world.story.service if by_service else self.world.story.requester
        made = operations.request_deployment(by=by, ask=ask, now=self.now)
        self.rows.append(ApprovalRequest.objects.get(pk=made.id))
        self.touched = True
        self.asks.append(Ask(SHAPES[self.name], "watanabe", self.days))

    def decide(self, who: str, choice: str, stale: bool) -> None:
        user, somebody = self.world.log_ins[who]
        allowed = self.model.may_decide(somebody, choice, self.days, stale=stale)
        conditions = [ConditionAsk("Something is shown.", self.now + timedelta(days=3))]
        done = self.tried(
            allowed,
            lambda: operations.decide(
                request_id=self.row.pk,
                decider=user,
                decision=choice,
                reason=REASON,
                digest_seen="0" * 64 if stale else self.row.decision_digest,
                conditions=conditions if choice == "approve_with_conditions" else (),
                now=self.now,
            ),
        )
        if done:
            self.model.decide(somebody.person, choice, self.days)

    # Three in four decisions are by somebody who often may, and approve.
    member = rule(who=st.sampled_from(MEMBERS), choice=st.sampled_from(MOSTLY), stale=st.just(False))
    first = precondition(lambda self: self.model.state == "open")(member(decide))
    second = precondition(lambda self: self.model.state == "open")(member(_same(decide)))
    third = precondition(lambda self: self.model.state == "open")(member(_same(decide)))
    other = rule(who=st.sampled_from(OTHERS), choice=st.sampled_from(CHOICES), stale=st.booleans())(_same(decide))

    @rule(who=st.sampled_from(["watanabe-2", "sato", "sato", "okafor"]))
    def withdraw(self, who: str) -> None:
        user, somebody = self.world.log_ins[who]
        allowed = self.model.state == "open" and somebody.person == "watanabe"
        request = self.row.pk
        if self.tried(
            allowed, lambda: operations.withdraw(request_id=request, by=user, reason="Not now.", now=self.now)
        ):
            self.model.state = "withdrawn"

    @precondition(lambda self: any(ask.state == "approved" for ask in self.asks))
    @rule(who=st.sampled_from(["okafor", "silva", "mori", "double", "watanabe"]))
    def revoke(self, who: str) -> None:
        user, somebody = self.world.log_ins[who]
        pools = {part.pool for part in self.model.shape.parts} | {RISK}
        allowed = self.model.state == "approved" and bool(somebody.pools & pools) and not somebody.barred
        request = self.row.pk
        if self.tried(allowed, lambda: operations.revoke(request_id=request, by=user, reason=REASON, now=self.now)):
            self.model.state = "revoked"

    @precondition(lambda self: self.model.state == "approved")
    @rule()
    def invalidate(self) -> None:
        operations.invalidate(request_id=self.row.pk, cause="Its base was retired.", actor="system:test", now=self.now)
        self.touched = True
        self.model.state = "invalidated"

    @precondition(lambda self: bool(self.model.due))
    @rule(who=st.sampled_from(["okafor", "sato", "watanabe", "silva", "mori"]), number=st.integers(1, 2))
    def meet(self, who: str, number: int) -> None:
        user, somebody = self.world.log_ins[who]
        known = number <= len(self.model.due) and number not in self.model.met
        pool = self.model.shape.parts[self.model.due[number - 1][0]].pool if known else ""
        allowed = known and pool in somebody.pools and somebody.person != "watanabe" and not somebody.barred
        row = Condition.objects.filter(request=self.row, number=number).first()
        seen = row.row_version if row else 1
        done = self.tried(
            allowed,
            lambda: operations.meet_condition(
                request_id=self.row.pk, number=number, by=user, evidence="e", seen=seen, now=self.now
            ),
        )
        if done:
            self.model.met.add(number)

    @rule(days=st.sampled_from([1, 3, 5, 9, 21]), sweep=st.booleans())
    def wait(self, days: int, sweep: bool) -> None:
        self.days += days
        self.touched = True
        if not sweep:
            return
        operations.sweep(now=self.now)
        for ask in self.asks:
            if ask.state == "open" and ask.overdue(self.days):
                ask.state = "timed_out"
            if ask.state == "approved" and not ask.stands(self.days):
                ask.state = "expired"

    @precondition(lambda self: len(self.asks) < 3)
    @rule(by_service=st.booleans(), follows=st.booleans(), other=st.booleans())
    def again(self, by_service: bool, follows: bool, other: bool) -> None:
        """Ask once more: the same or another revision, following the last request or not."""
        before, row = self.model, self.row
        runs = Deployment.objects.get(name=self.name).approved_revision_id == row.revision_id
        ends_soon = before.end is not None and before.end - self.days <= 30
        renews = follows and before.state == "approved" and ends_soon
        allowed = before.state != "open" and (other or not runs or renews)
        again_of = row.pk if follows else None
        concurrency = int(row.revision.concurrency) + (1 if other else 0)
        ask = self.world.ask(self.name, concurrency, again_of=again_of)
        if self.tried(allowed, lambda: self.submitted(by_service, ask)):
            follows_round = follows and before.state == "changes_requested"
            assert self.row.round == (row.round + 1 if follows_round else 1)
            assert self.row.previous_request_id == again_of

    @invariant()
    def tables_are_as_the_model_says(self) -> None:
        if not self.touched:  # what was refused changed nothing: the database would say so at the next step
            return
        self.touched = False
        stands = ApprovalRequest.objects.in_bulk([row.pk for row in self.rows])
        self.rows = [stands[row.pk] for row in self.rows]
        decisions = list(Decision.objects.filter(request__in=self.rows))
        for ask, row in zip(self.asks, self.rows, strict=True):
            assert (row.state, row.stage) == (ask.state, ask.stage + 1)
            made = [item for item in decisions if item.request_id == row.pk]
            assert len(made) == len(ask.open)
            self.four_eyes(ask, row, made)
        if self.model.part.blind:
            assert self.row.sealed_decisions.filter(opened__isnull=True).count() == len(self.model.sealed)
        standing = {row.revision_id for ask, row in zip(self.asks, self.rows, strict=True) if ask.state == "approved"}
        runs = Deployment.objects.get(name=self.name).approved_revision_id
        assert runs is None or runs in standing
        if not standing:
            return
        answer = queries.approval(self.row.revision_digest, now=self.now)
        assert answer is not None
        asked = next(ask for ask, row in zip(self.asks, self.rows, strict=True) if row.pk == answer.request_id)
        may = runs == self.row.revision_id and asked.stands(self.days) and not asked.late(self.days)
        assert answer.may_run is may

    def four_eyes(self, ask: Ask, row: ApprovalRequest, made: list[Decision]) -> None:
        """Said once more without the model: who decided, and that approvals rest on enough of them."""
        people = [item.decider_id for item in made]
        assert len(set(people)) == len(people)
        assert row.requester_id not in people
        for exclusion in row.exclusions.all() if made and self.name == "two" else ():
            assert not any(item.decider_id == exclusion.person_id and item.stage == exclusion.stage for item in made)
        if row.state in {"approved", "revoked", "expired", "invalidated"}:
            for number, part in enumerate(ask.shape.parts, start=1):
                agreed = {item.decider_id for item in made if item.stage == number and item.decision in APPROVING}
                assert len(agreed) >= part.quorum


@pytest.mark.django_db
def test_lives_of_requests() -> None:
    Life.world = World(tell_approvals())
    Life.counted.clear()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=7,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    assert queries.reconcile() == []
    # Enough of every kind: else this would prove nothing.
    states = {"open", "approved", "rejected", "changes_requested", "withdrawn", "timed_out", "invalidated"}
    assert states <= set(Life.counted), Life.counted
