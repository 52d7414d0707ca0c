"""What an agent did against what it may do, without a database: no excuse covers what a grant does not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from governance.operations.agentacts import excess_of_call, excesses_of_run
from governance.queries.agentlimits import Granted, Limits

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
REACH = st.sampled_from(["read_only", "reversible", "externally_reversible", "irreversible"])
VERSIONS = st.sampled_from(["", "1", "2"])
GRANTS = st.builds(
    Granted,
    reversibility=REACH,
    requires_human=st.booleans(),
    ends=st.none() | st.integers(-2, 2).map(lambda days: NOW + timedelta(days=days)),
    agent_version=st.none() | st.integers(1, 3),
    tool_version=VERSIONS,
    reaches_too_far=st.booleans(),
)
CALLS = st.fixed_dictionaries(
    {"tool": st.sampled_from(["a", "b"]) | st.none(), "side_effect": st.booleans() | st.just("yes")},
    optional={"approver": st.sampled_from(["", " ", "person:1"]) | st.integers(), "tool_version": VERSIONS},
)
COUNTS = ("steps", "tokens", "reasoning_tokens", "wall_seconds")


def limits(grant: Granted, **counts: int) -> Limits:
    return Limits(UUID(int=1), "agent", {"a": grant}, 2, counts, Decimal("2.5"), "EUR")


@given(GRANTS, CALLS)
def test_a_call_is_covered_only_by_all_of_its_grant(grant: Granted, call: dict[str, Any]) -> None:
    approver = call.get("approver")
    covered = (
        call["tool"] == "a"
        and (grant.ends is None or grant.ends > NOW)
        and grant.agent_version in (None, 2)
        and ("tool_version" not in call or grant.tool_version in ("", call["tool_version"]))
        and (call["side_effect"] is not True or (grant.reversibility != "read_only" and not grant.reaches_too_far))
        and (not grant.requires_human or (isinstance(approver, str) and bool(approver.strip())))
    )
    found = excess_of_call(call, limits(grant), NOW)
    assert (found is None) == covered
    ended = call["tool"] == "a" and grant.ends is not None and grant.ends <= NOW
    assert (found is not None and found.kind == "tool_grant_expired_use") == ended


@given(
    GRANTS,
    st.dictionaries(st.sampled_from(COUNTS), st.integers(0, 5)),
    st.dictionaries(st.sampled_from([*COUNTS, "other"]), st.integers(-1, 6) | st.booleans() | st.text(max_size=2)),
    st.decimals(0, 5, places=2),
)
def test_every_budget_that_is_used_up_is_told_and_no_other(
    grant: Granted, allowed: dict[str, int], used: dict[str, Any], cost: Decimal
) -> None:
    run = {**used, "cost": str(cost), "currency": "EUR"}
    found = list(excesses_of_run({"run": run}, limits(grant, **allowed), is_open=True))
    above = sum(type(used.get(name)) is int and used[name] > limit for name, limit in allowed.items())
    assert len(found) == above + (cost > Decimal("2.5"))
    assert len({excess.scope for excess in found}) == len(found)
