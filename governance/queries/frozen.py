"""The policy that was frozen into a request, read back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.models import ApprovalPolicyVersion, ApprovalRequest
from governance.workflow import RejectRule, Route, Stage, parse_applies_when, parse_policy


@dataclass(frozen=True, slots=True)
class Frozen:
    """Who must agree to a request. `valid_days`: how long its approval stands, None without end."""

    name: str
    version: int
    stages: tuple[Stage, ...]
    rule: RejectRule
    valid_days: int | None

    @property
    def pools(self) -> frozenset[str]:
        return frozenset(stage.pool for stage in self.stages)

    def valid_until(self, now: datetime) -> datetime | None:
        """The end of an approval that is given now."""
        return None if self.valid_days is None else now + timedelta(days=self.valid_days)


def frozen_policy(request: ApprovalRequest) -> Frozen:
    """The policy of a request. One submitted before there were stages is one stage, and its approval has no end."""
    content: Mapping[str, object] = json.loads(request.approval_policy)
    if "stages" not in content:
        stage = Stage(name="review", pool=request.pool, quorum=request.quorum, conditions_allowed=False)
        return Frozen(str(content["name"]), int(str(content["version"])), (stage,), RejectRule.ANY, None)
    policy = parse_policy(content)
    return Frozen(policy.name, policy.version, policy.stages, policy.reject_rule, policy.days_for(request.tier))


def routes() -> tuple[Route, ...]:
    """The adopted policies and when each applies, in one query."""
    rows = ApprovalPolicyVersion.objects.filter(state=ApprovalPolicyVersion.State.ADOPTED).order_by("name")
    return tuple(
        Route(
            policy=parse_policy(json.loads(row.content)),
            weight=row.weight,
            applies_when=parse_applies_when(json.loads(row.applies_when)),
        )
        for row in rows
    )
