"""What happened around a deployment: tool calls of its agents, comparisons, findings, stretches not observed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from audit.events import EventType
from governance.queries.quoting import leaf_forms
from reports.collect.approvals import parsed
from reports.collect.evidence import Evidence, Facts, Ledger, moment, text, whole
from reports.collect.subjects import Subjects
from reports.dataset import Comparison, ComparisonOption, Finding, Gap, ToolCall

MAX_CALLS = 200
MAX_FINDINGS = 200
MAX_GAPS = 200
SEVERITY: Mapping[str, str] = {
    "reasoning_cap_exceeded": "high",
    "tool_call_outside_grant": "high",
    "unapproved_revision": "high",
    "tool_grant_expired_use": "high",
    "agent_budget_exceeded": "high",
    "unregistered_subject": "medium",
}
HOSTING: Mapping[str, str] = {"on_prem": "on_prem", "cloud_gpu": "cloud", "api": "api"}
PRICED_AS: Mapping[str, str] = {"on_prem": "own", "cloud_gpu": "cloud", "api": "api"}


def tool_calls(ledger: Ledger, found: Subjects) -> tuple[tuple[ToolCall, ...], int]:
    """The newest calls of the deployment's agents, oldest first, each held against the grants of its time.

    The second value is how many older ones are left out.
    """
    calls: list[Evidence] = []
    for agent in found.agents:
        calls += ledger.find(kind=EventType.AGENT_TOOL_CALL, subject=agent.row.subject, newest=MAX_CALLS)
    names = {agent.row.subject: text(agent.after.get("name")) for agent in found.agents}
    calls.sort(key=lambda item: item.index)
    shown = tuple(_call(item, names, found) for item in calls[-MAX_CALLS:])
    return shown, ledger.count(EventType.AGENT_TOOL_CALL, names) - len(shown)


def _call(item: Evidence, names: Mapping[str, str], found: Subjects) -> ToolCall:
    tool, writes = text(item.data.get("tool"), limit=200), item.data.get("side_effect") is True
    agent = item.row.subject.partition(":")[2]
    known = [
        grant
        for grant in found.grants
        if grant.index < item.index and grant.after.get("agent_id") == agent and grant.after.get("tool") == tool
    ]
    # The newest grant counts; an older one never comes back.
    granted = _covers(known[-1], item, found, writes=writes) if known else None if found.grants_left_out else False
    return ToolCall(
        at=moment(item.row.occurred_at),
        agent=names.get(item.row.subject) or agent[:8],
        tool=tool or "?",
        effect="side_effect" if writes else "no_side_effect",
        granted=granted,
        outcome=text(item.data.get("outcome") or item.data.get("result") or item.data.get("status"), limit=200),
        entry=item.index,
    )


def _covers(grant: Evidence, call: Evidence, found: Subjects, *, writes: bool) -> bool:
    """Whether a grant covers a call: it had not ended by the ledger's clock, and allows what the call did."""
    until = text(grant.after.get("valid_until"))
    revoked = any(
        item.after.get("grant_id") == grant.after.get("id") and item.index < call.index for item in found.revocations
    )
    if revoked or (until and until <= moment(call.row.received_at)):
        return False
    return not writes or text(grant.after.get("reversibility")) != "read_only"


def comparisons(ledger: Ledger, found: Subjects) -> tuple[tuple[Comparison, ...], int]:
    """The newest comparison recorded for the deployment, and how many are left out."""
    own_id = found.deployment.partition(":")[2]
    made, left_out = ledger.of_deployment(
        "comparison", found.deployment, newest=1, keep=lambda item: item.after.get("deployment_id") == own_id
    )
    pool = found.states.get(found.gpu_pool)
    hosting = text(pool.after.get("hosting")) if pool else ""
    return tuple(_comparison(item, hosting) for item in made), left_out


def _comparison(item: Evidence, hosting: str) -> Comparison:
    content = parsed(item.after.get("content"))
    result, load, prices = (_part(content, key) for key in ("result", "load", "prices"))
    options = result.get("options")
    return Comparison(
        title=text(item.after.get("title")),
        currency=text(content.get("currency")),
        tokens_per_month=sum(whole(load.get(f"{kind}_tokens")) or 0 for kind in ("input", "output", "reasoning")),
        break_even_tokens=whole(result.get("break_even_tokens")),
        cheapest=text(result.get("cheapest")),
        options=tuple(_option(option, prices, hosting) for option in options if isinstance(option, dict))
        if isinstance(options, list)
        else (),
        formula_version=text(result.get("formula_version")),
        entry=item.index,
    )


def _option(option: Facts, prices: Facts, hosting: str) -> ComparisonOption:
    kind = text(option.get("kind"))
    where = HOSTING.get(kind, kind)
    return ComparisonOption(
        name=text(option.get("name")),
        hosting=where,
        low=text(option.get("low")),
        mid=text(option.get("mid")),
        high=text(option.get("high")),
        cost_per_million=text(option.get("per_million")) or None,
        reasoning_share=text(option.get("reasoning_share")) or None,
        prices="; ".join(dict.fromkeys(_sources(_part(prices, PRICED_AS.get(kind, kind))))),
        chosen=where == hosting,
    )


def _sources(prices: Facts) -> Iterable[str]:
    for price in prices.values():
        if isinstance(price, dict) and text(price.get("source")):
            yield f"{text(price.get('source'))}, {text(price.get('as_of'))}"


def _part(content: Facts, key: str) -> dict[str, Any]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def findings(ledger: Ledger, found: Subjects) -> tuple[tuple[Finding, ...], int]:
    """The newest findings about the deployment or one of its agents, oldest first, and how many are left out."""
    state = found.states.get(found.deployment)
    about = {found.deployment, *(agent.row.subject for agent in found.agents)}
    about |= leaf_forms("deployment", text(state.after.get("name"))) if state else set()
    about = about.union(*(leaf_forms("agent", text(agent.after.get("name"))) for agent in found.agents))
    raised, left_out = ledger.of_deployment(
        "finding", found.deployment, newest=MAX_FINDINGS, keep=lambda item: item.after.get("subject") in about
    )
    shown = tuple(
        Finding(
            severity=SEVERITY.get(text(item.after.get("kind")), "low"),
            kind=text(item.after.get("kind")),
            detail=text(item.after.get("detail")),
            at=moment(item.row.occurred_at),
            evidence=_below(whole(item.after.get("entry_index")), ledger.size),
            entry=item.index,
        )
        for item in raised
    )
    return shown, left_out


def _below(index: int | None, size: int) -> int | None:
    return index if index is not None and 0 <= index < size else None


def gaps(ledger: Ledger, targets: Mapping[str, str]) -> tuple[tuple[Gap, ...], int]:
    """The newest stretches in which a target (by ledger name, with the name people use) was not observed.

    The second value is how many entries about older ones are left out.
    """
    told: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for target in sorted(targets):
        # An opening and an end tell of one gap: so many entries are enough for as many gaps as are shown.
        for item in ledger.find(kind=EventType.COVERAGE_GAP, subject=target, newest=2 * MAX_GAPS):
            told[target, text(item.facts.get("gap")) or str(item.index)].append(item)
    shown = sorted(told.values(), key=lambda items: items[-1].index)[-MAX_GAPS:]
    left_out = ledger.count(EventType.COVERAGE_GAP, targets) - sum(map(len, shown))
    return tuple(_gap(items[-1], targets[items[-1].row.subject]) for items in shown), left_out


def _gap(item: Evidence, name: str) -> Gap:
    return Gap(
        target=name,
        start=text(item.facts.get("began_at")) or moment(item.row.occurred_at),
        end=text(item.facts.get("ended_at")) or None,
        reason=text(item.facts.get("reason")),
        entry=item.index,
    )
