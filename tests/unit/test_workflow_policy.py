"""Policies read and write the same, routes choose by weight, and a stage stands where its decisions put it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.queries import roles
from governance.models import ApprovalRequest, Decision, GpuPool, Tier
from governance.operations.asking import ENVIRONMENTS
from governance.workflow import (
    APPROVING,
    ATTRIBUTES,
    POOLS,
    SINGLE_REVIEW,
    ApprovalPolicy,
    Choice,
    PolicyRefused,
    RejectRule,
    Route,
    Stage,
    State,
    Verdict,
    choose,
    needed,
    parse_applies_when,
    parse_policy,
    standing,
)
from governance.workflow.policy import DEFAULT, MAX_STAGES, TIERS

STAGES = st.builds(
    Stage,
    name=st.just("review"),
    pool=st.sampled_from(sorted(POOLS)),
    quorum=st.integers(1, 4),
    distinct_from=st.sampled_from([("requester",), ("requester", "deployment_owner", "use_case_owner")]),
    blind=st.booleans(),
    due_days=st.none() | st.integers(1, 90),
    conditions_allowed=st.booleans(),
)
POLICIES = st.builds(
    lambda stages, rule, days: ApprovalPolicy(
        name="policy",
        version=1,
        stages=tuple(Stage(**{**_fields(stage), "name": f"stage {place}"}) for place, stage in enumerate(stages)),
        reject_rule=rule,
        valid_days={DEFAULT: 365, **days},
    ),
    st.lists(STAGES, min_size=1, max_size=MAX_STAGES),
    st.sampled_from(RejectRule),
    st.dictionaries(st.sampled_from(sorted(TIERS)), st.integers(1, 400)),
)


def _fields(stage: Stage) -> dict[str, Any]:
    return {name: getattr(stage, name) for name in Stage.__slots__}


@given(POLICIES)
def test_a_policy_is_read_as_it_was_written(policy: ApprovalPolicy) -> None:
    again = parse_policy(json.loads(json.dumps(policy.facts())))
    assert again == policy
    assert again.facts() == policy.facts()
    taken = [stage.due_days or 0 for stage in policy.stages]
    for number, stage in enumerate(policy.stages, start=1):
        assert policy.due_after(number) == (None if stage.due_days is None else sum(taken[:number]))


def changed(**other: Any) -> dict[str, Any]:
    return {**SINGLE_REVIEW.facts(), **other}


def with_stage(**other: Any) -> dict[str, Any]:
    return changed(stages=[{**SINGLE_REVIEW.stages[0].facts(), **other}])


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "policy"),
        ({}, "policy"),
        (changed(extra=1), "policy"),
        (changed(name="Upper"), "name"),
        (changed(name=5), "name"),
        (changed(version=0), "version"),
        (changed(version=True), "version"),
        (changed(stages=[]), "stages"),
        (changed(stages="review"), "stages"),
        (changed(stages=[{**SINGLE_REVIEW.stages[0].facts(), "name": f"s{n}"} for n in range(9)]), "stages"),
        (changed(stages=[SINGLE_REVIEW.stages[0].facts()] * 2), "stages.2.name"),
        (changed(reject_rule="never"), "reject_rule"),
        (changed(reject_rule=["any"]), "reject_rule"),
        (changed(valid_days={}), "valid_days"),
        (changed(valid_days={"default": 0}), "valid_days.default"),
        (changed(valid_days={"default": 1, "prohibited": 1}), "valid_days"),
        (with_stage(pool="Operators"), "stages.1.pool"),
        (with_stage(pool="Auditors"), "stages.1.pool"),
        (with_stage(pool=None), "stages.1.pool"),
        (with_stage(quorum=0), "stages.1.quorum"),
        (with_stage(quorum="1"), "stages.1.quorum"),
        (with_stage(quorum=21), "stages.1.quorum"),
        (with_stage(blind="yes"), "stages.1.blind"),
        (with_stage(due_days=0), "stages.1.due_days"),
        (with_stage(conditions_allowed=1), "stages.1.conditions_allowed"),
        (with_stage(distinct_from="requester"), "stages.1.distinct_from"),
        (with_stage(distinct_from=["boss"]), "stages.1.distinct_from"),
        (with_stage(distinct_from=["requester", "requester"]), "stages.1.distinct_from"),
        (with_stage(distinct_from=["stage:review"]), "stages.1.distinct_from"),
        (with_stage(surprise=1), "stages.1"),
    ],
)
def test_data_that_is_no_policy(data: object, field: str) -> None:
    with pytest.raises(PolicyRefused) as caught:
        parse_policy(data)
    assert caught.value.field == field


def test_the_requester_is_always_kept_out() -> None:
    assert parse_policy(with_stage(distinct_from=["use_case_owner"])).stages[0].distinct_from[0] == "requester"


def test_words_agree_with_what_stands_elsewhere() -> None:
    assert {getattr(roles, name) for name in ("REVIEWERS", "RISK_OWNERS", "SECURITY", "PRIVACY", "COMPLIANCE")} | {
        roles.DATA_PROTECTION
    } == POOLS
    assert {roles.OPERATORS, roles.AUDITORS, roles.REQUESTERS}.isdisjoint(POOLS)
    assert set(ApprovalRequest.State.values) == set(State)
    assert set(Decision.Choice.values) == set(Choice)
    assert {*TIERS, "prohibited"} == {*Tier.values, DEFAULT}
    assert set(ATTRIBUTES["tier"]) == set(Tier.values) - {"prohibited"}
    assert set(ATTRIBUTES["hosting"]) == set(GpuPool.Hosting.values)
    assert set(ATTRIBUTES["kind"]) == set(ApprovalRequest.Kind.values)
    assert set(ATTRIBUTES["environment"]) == set(ENVIRONMENTS)


def test_the_heaviest_route_that_matches_applies() -> None:
    def route(name: str, weight: int, **when: tuple[str, ...]) -> Route:
        return Route(ApprovalPolicy(name, 1, SINGLE_REVIEW.stages), weight, when)

    asked = {"environment": "production", "tier": "high", "hosting": "cloud"}
    routes = [
        route("z", 5),
        route("b", 7, tier=("high",), environment=("production", "staging")),
        route("a", 7, tier=("high",)),
        route("c", 9, tier=("minimal",)),
        route("d", 9, unknown=("x",)),
    ]
    assert choose(routes, asked).name == "a"
    assert choose(routes[:1], asked).name == "z"
    assert choose(routes[3:], asked) is SINGLE_REVIEW
    assert choose([], asked) is SINGLE_REVIEW


@pytest.mark.parametrize(
    "data", [[], {"moon": ["full"]}, {"kind": []}, {"kind": "deploy"}, {"kind": ["x"]}, {1: ["x"]}]
)
def test_a_condition_of_a_route_that_cannot_be(data: object) -> None:
    with pytest.raises(PolicyRefused):
        parse_applies_when(data)
    assert parse_applies_when({"kind": ["deploy", "change", "deploy"]}) == {"kind": ("change", "deploy")}


@given(STAGES, st.sampled_from(RejectRule), st.lists(st.sampled_from(Choice), max_size=8))
def test_a_stage_advances_only_with_its_quorum_and_is_always_settled(
    stage: Stage, rule: RejectRule, choices: list[Choice]
) -> None:
    found = standing(rule, stage, choices)
    approvals = sum(choice in APPROVING for choice in choices)
    assert (found.approvals, found.against) == (approvals, len(choices) - approvals)
    if found.verdict is Verdict.ADVANCES:
        assert approvals >= stage.quorum
        assert rule is RejectRule.MAJORITY or found.against == 0
    if found.verdict is Verdict.REJECTED:
        assert Choice.REJECT in choices
    if found.verdict is Verdict.CHANGES_REQUESTED:
        assert Choice.REQUEST_CHANGES in choices
    assert (found.missing == 0) is (found.verdict is not Verdict.WAITS)
    if found.verdict is Verdict.WAITS and stage.blind:
        assert len(choices) < needed(stage, rule)
    if len(choices) >= needed(stage, rule):
        assert found.verdict is not Verdict.WAITS
    if found.missing:
        filled = standing(rule, stage, [*choices, *[Choice.APPROVE] * found.missing])
        assert filled.verdict is not Verdict.WAITS
