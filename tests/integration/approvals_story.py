"""People in the pools of approvals and policies with stages, for tests; all made by the operations themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.models import User
from governance import operations
from governance.models import ApprovalPolicyVersion, ApprovalRequest, Classification, UseCase
from governance.operations import ConditionAsk, Recorded
from governance.operations.base import next_number
from governance.snapshot import digest
from tests.integration.governance_story import NOW, REASON, Story, login, tell

WHY = "Two independent reviews and a risk owner for what is risky."
DAY = timedelta(days=1)


def stage(name: str, pool: str = "Reviewers", **other: Any) -> dict[str, Any]:
    """A stage of a policy as JSON data."""
    return {
        "name": name,
        "pool": pool,
        "quorum": 1,
        "distinct_from": ["requester"],
        "blind": False,
        "due_days": None,
        "conditions_allowed": True,
        **other,
    }


TWO_STAGES = (
    stage("independent", quorum=2, blind=True, distinct_from=["requester", "deployment_owner"], due_days=14),
    stage("risk", "Risk owners", conditions_allowed=False, due_days=7, distinct_from=["stage:independent"]),
)


@dataclass(frozen=True, slots=True)
class Approvals:
    """The story of governance with risk owners and compliance officers beside it."""

    story: Story
    third_reviewer: User
    risk: User
    officer: User
    second_officer: User

    def policy(self, name: str = "high-risk", stages: Sequence[dict[str, Any]] = TWO_STAGES, **other: Any) -> Recorded:
        """A proposed policy that applies to everything."""
        content = {
            "stages": list(stages),
            "reject_rule": other.pop("reject_rule", "any"),
            "valid_days": other.pop("valid_days", {"default": 365, "high": 90}),
        }
        plain = {"weight": 10, "applies_when": {}, "reason": WHY, "now": NOW, "by": self.officer}
        return operations.propose_policy(**{**plain, **other, "name": name, "content": content})

    def adopted(self, name: str = "high-risk", stages: Sequence[dict[str, Any]] = TWO_STAGES, **other: Any) -> Recorded:
        """The same, adopted by another person."""
        made = self.policy(name, stages, **other)
        return operations.decide_policy(
            policy_id=made.id, by=self.second_officer, decision="adopt", reason=WHY, seen=1, now=NOW
        )

    def decide(
        self, request: ApprovalRequest, who: User, decision: str = "approve", *, now: datetime = NOW, **other: Any
    ) -> Recorded:
        """A decision on the request as it stands."""
        plain: dict[str, Any] = {"reason": REASON, "digest_seen": request.decision_digest}
        return operations.decide(request_id=request.pk, decider=who, decision=decision, now=now, **{**plain, **other})

    def use_case(self, tier: str = "high", owner: User | None = None) -> UseCase:
        """A use case of a tier, as if somebody had walked the tree."""
        owner = owner or self.officer
        row = UseCase.objects.create(
            number=next_number("use_case_number"),
            name=f"use {tier} {UseCase.objects.count()}",
            intended_purpose="to be looked at",
            eu_role="deployer",
            owner_id=owner.person_id,
            registered_at=NOW,
        )
        self.classify(row, tier)
        return row

    def classify(self, row: UseCase, tier: str) -> None:
        """Give a use case a tier, as if somebody had walked the tree."""
        made = Classification.objects.create(
            use_case=row, number=row.classifications.count() + 1, tree="t", tree_version="1", tree_digest="a" * 64,
            path="[]", result=tier, tier=tier, outcome="{}", digest=digest("a" * 64 + "\n[]\n" + tier),
            classified_by=self.officer.actor, classified_at=NOW,
        )  # fmt: skip
        row.classification, row.tier = made, tier
        row.save()


def condition(text: str = "A red-team report is on file.", days: int = 30, on_breach: str = "block") -> ConditionAsk:
    return ConditionAsk(text, NOW + days * DAY, on_breach)


def tell_approvals() -> Approvals:
    """The story up to the first policy."""
    return Approvals(
        story=tell(),
        third_reviewer=login("tanaka", "Reviewers"),
        risk=login("silva", "Risk owners"),
        officer=login("berg", "Compliance officers"),
        second_officer=login("costa", "Compliance officers"),
    )


def policy_row(made: Recorded) -> ApprovalPolicyVersion:
    return ApprovalPolicyVersion.objects.get(pk=made.id)
