"""Who must agree, in which order, and for how long: an approval policy as strict data.

A policy is read from JSON data and written back by `facts`; reading what `facts` gives is the same policy again. A
copy is frozen into each request, so a later change cannot reach it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

MAX_STAGES: Final = 8
MAX_QUORUM: Final = 20
MAX_DAYS: Final = 3650
DEFAULT: Final = "default"

POOLS: Final = frozenset(
    {"Reviewers", "Risk owners", "Security reviewers", "Privacy reviewers", "Compliance officers", "Data protection"}
)
"""Pools that may decide a stage; a test holds them against `audit.queries.roles`."""

TIERS: Final = frozenset(
    {"unclassified", "out_of_scope", "high", "transparency", "minimal", "gpai", "gpai_systemic", DEFAULT}
)
"""Tiers that may have a validity of their own; what is prohibited is never approved."""

WORDS: Final = frozenset({"requester", "deployment_owner", "use_case_owner"})
STAGE_WORD: Final = "stage:"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9 _.-]{0,59}")


class PolicyRefused(ValueError):
    """Data that is no approval policy. `field` names the place, `reason` is a sentence."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class RejectRule(StrEnum):
    """When a stage is lost: at the first voice against it, or when as many are against it as the quorum asks for."""

    ANY = "any"
    MAJORITY = "majority"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a policy.

    Attributes:
        pool: the group whose members decide.
        quorum: how many different persons must approve.
        distinct_from: who may not decide here: words of `WORDS`, or `stage:<name>` for who decided there. The
            requester is always among them, and one person always counts once in a request.
        blind: nobody sees what another decided until all needed decisions are in.
        due_days: days this stage has; None without end. What is not decided by then times out, it never passes.
        conditions_allowed: whether somebody may approve with conditions.
    """

    name: str
    pool: str
    quorum: int = 1
    distinct_from: tuple[str, ...] = ("requester",)
    blind: bool = False
    due_days: int | None = None
    conditions_allowed: bool = True

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "pool": self.pool,
            "quorum": self.quorum,
            "distinct_from": list(self.distinct_from),
            "blind": self.blind,
            "due_days": self.due_days,
            "conditions_allowed": self.conditions_allowed,
        }


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Who must agree, stage by stage. `valid_days`: how long an approval stands, by tier, with a `default`."""

    name: str
    version: int
    stages: tuple[Stage, ...]
    reject_rule: RejectRule = RejectRule.ANY
    valid_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({DEFAULT: 365}))

    def facts(self) -> dict[str, Any]:
        """The policy as it is hashed and stored."""
        return {
            "name": self.name,
            "version": self.version,
            "stages": [stage.facts() for stage in self.stages],
            "reject_rule": self.reject_rule.value,
            "valid_days": dict(sorted(self.valid_days.items())),
        }

    def days_for(self, tier: str) -> int:
        """How many days an approval for this tier stands."""
        return self.valid_days.get(tier, self.valid_days[DEFAULT])

    def due_after(self, number: int) -> int | None:
        """Days from submission until stage `number` (from 1) is due, those before it taken fully; None without end."""
        taken = [stage.due_days for stage in self.stages[:number]]
        return None if taken[-1] is None else sum(days or 0 for days in taken)


def parse_policy(data: object) -> ApprovalPolicy:
    """The policy that `data` describes, with the shape that `ApprovalPolicy.facts` gives.

    Raises:
        PolicyRefused: an unknown, missing or impossible part.
    """
    found = _object(data, "policy", {"name", "version", "stages", "reject_rule", "valid_days"})
    raw = found["stages"]
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_STAGES:
        raise PolicyRefused("stages", f"must be a list of 1 to {MAX_STAGES} stages.")
    stages: list[Stage] = []
    for number, item in enumerate(raw, start=1):
        stages.append(_stage(item, f"stages.{number}", [stage.name for stage in stages]))
    rule = found["reject_rule"]
    if not isinstance(rule, str) or rule not in set(RejectRule):
        raise PolicyRefused("reject_rule", f"must be one of {', '.join(RejectRule)}.")
    return ApprovalPolicy(
        name=_name(found["name"], "name"),
        version=_whole(found["version"], "version", 1_000_000),
        stages=tuple(stages),
        reject_rule=RejectRule(rule),
        valid_days=_valid_days(found["valid_days"]),
    )


def _stage(data: object, field: str, before: list[str]) -> Stage:
    found = _object(data, field, {"name", "pool", "quorum", "distinct_from", "blind", "due_days", "conditions_allowed"})
    name = _name(found["name"], f"{field}.name")
    if name in before:
        raise PolicyRefused(f"{field}.name", "is the name of an earlier stage.")
    pool = found["pool"]
    if not isinstance(pool, str) or pool not in POOLS:
        raise PolicyRefused(f"{field}.pool", f"must be one of {', '.join(sorted(POOLS))}.")
    days = found["due_days"]
    return Stage(
        name=name,
        pool=pool,
        quorum=_whole(found["quorum"], f"{field}.quorum", MAX_QUORUM),
        distinct_from=_distinct(found["distinct_from"], f"{field}.distinct_from", before),
        blind=_flag(found["blind"], f"{field}.blind"),
        due_days=None if days is None else _whole(days, f"{field}.due_days", MAX_DAYS),
        conditions_allowed=_flag(found["conditions_allowed"], f"{field}.conditions_allowed"),
    )


def _distinct(data: object, field: str, before: list[str]) -> tuple[str, ...]:
    if not isinstance(data, list) or not all(isinstance(word, str) for word in data):
        raise PolicyRefused(field, "must be a list of words.")
    if len(set(data)) != len(data):
        raise PolicyRefused(field, "names somebody twice.")
    for word in data:
        if word.startswith(STAGE_WORD):
            if word.removeprefix(STAGE_WORD) not in before:
                raise PolicyRefused(field, f"{word} is no earlier stage.")
        elif word not in WORDS:
            raise PolicyRefused(field, f"must be among {', '.join(sorted(WORDS))} or name an earlier stage.")
    return tuple(data) if "requester" in data else ("requester", *data)


def _valid_days(data: object) -> Mapping[str, int]:
    if not isinstance(data, dict) or DEFAULT not in data:
        raise PolicyRefused("valid_days", f"must be an object with a {DEFAULT}.")
    for tier in data:
        if not isinstance(tier, str) or tier not in TIERS:
            raise PolicyRefused("valid_days", f"has a tier that is none of {', '.join(sorted(TIERS))}.")
    return MappingProxyType({tier: _whole(days, f"valid_days.{tier}", MAX_DAYS) for tier, days in sorted(data.items())})


def _object(data: object, field: str, keys: Collection[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise PolicyRefused(field, "must be an object.")
    unknown = sorted(str(key) for key in data if key not in keys)
    if unknown:
        raise PolicyRefused(field, f"has a part that is not known here: {unknown[0][:100]}.")
    missing = sorted(set(keys) - set(data))
    if missing:
        raise PolicyRefused(field, f"lacks {missing[0]}.")
    return data


def _name(data: object, field: str) -> str:
    if not isinstance(data, str) or _NAME.fullmatch(data) is None:
        raise PolicyRefused(field, "must be 1 to 60 small letters, digits, spaces, dots, hyphens or underscores.")
    return data


def _whole(data: object, field: str, high: int) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or not 1 <= data <= high:
        raise PolicyRefused(field, f"must be a whole number from 1 to {high}.")
    return data


def _flag(data: object, field: str) -> bool:
    if not isinstance(data, bool):
        raise PolicyRefused(field, "must be true or false.")
    return data


BUILT_IN: Final = "single-review"
SINGLE_REVIEW: Final = ApprovalPolicy(
    name=BUILT_IN,
    version=2,
    stages=(Stage(name="review", pool="Reviewers"),),
    valid_days=MappingProxyType({"high": 90, "transparency": 180, DEFAULT: 365}),
)
"""What applies where no adopted policy does: one reviewer who is not the one who asks."""
