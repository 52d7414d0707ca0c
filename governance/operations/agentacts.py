"""What an agent did, held against its grants and budgets. Pure: the follower of the log asks and keeps the answers.

No word that only a client wrote stands in an answer: see `governance.operations.following`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from governance.models import Finding
from governance.queries.agentlimits import COUNTED, Granted, Limits
from governance.queries.quoting import leaf_form

MAX_AMOUNT: Final = 40


@dataclass(frozen=True, slots=True)
class Excess:
    """Something an agent was not allowed: what kind of finding, the scope it is raised once a day for, and why."""

    kind: Finding.Kind
    scope: str
    why: str


def excess_of_call(content: Mapping[str, object], agent: Limits, received_at: datetime) -> Excess | None:
    """What is wrong with a tool call; None when its grant covers it.

    Args:
        received_at: by the ledger's own clock. A grant that ended is held against it, for a client can write any
            time of its own.
    """
    tool = content.get("tool")
    if not isinstance(tool, str) or tool not in agent.tools:
        name = leaf_form("tool", tool) if isinstance(tool, str) else "an unnamed tool"
        return Excess(Finding.Kind.TOOL_CALL_OUTSIDE_GRANT, name, f"{agent.name} called a tool it was not granted.")
    name, grant = printable(tool), agent.tools[tool]
    if grant.ends is not None and grant.ends <= received_at:
        why = f"{agent.name} called {name} after its grant ended."
        return Excess(Finding.Kind.TOOL_GRANT_EXPIRED_USE, name, why)
    why = _outside(content, agent, grant, name)
    return Excess(Finding.Kind.TOOL_CALL_OUTSIDE_GRANT, name, why) if why else None


def _outside(content: Mapping[str, object], agent: Limits, grant: Granted, name: str) -> str:
    if grant.agent_version not in (None, agent.version):
        return f"{agent.name} called {name}; that was granted to another version of it."
    stated = content.get("tool_version")
    if grant.tool_version and isinstance(stated, str) and stated != grant.tool_version:
        return f"{agent.name} called a version of {name} that it was not granted."
    if content.get("side_effect") is True:
        if grant.reversibility == "read_only":
            return f"{agent.name} called {name} with a side effect; it may only read with it."
        if grant.reaches_too_far:
            return f"{agent.name} called {name} with a side effect; its newest version does more than the grant says."
    approver = content.get("approver")
    if grant.requires_human and not (isinstance(approver, str) and approver.strip()):
        return f"{agent.name} called {name} and no person approved the call; its grant needs one."
    return ""


def excesses_of_run(content: Mapping[str, object], agent: Limits, *, is_open: bool) -> Iterator[Excess]:
    """Budgets that a run has used up, as far as `run` in the facts tells: steps, tokens and so on, so far.

    Args:
        is_open: whether everybody may read these facts, and so the number in them.
    """
    run = content.get("run")
    if not isinstance(run, Mapping):
        return
    for name, _column, words in COUNTED:
        limit, used = agent.counts.get(name), run.get(name)
        if limit is not None and isinstance(used, int) and not isinstance(used, bool) and used > limit:
            yield _above(agent, words, f"{used:,}" if is_open else "more", f"{limit:,}")
    cost = _amount(run.get("cost"))
    if agent.cost is not None and cost is not None and run.get("currency") == agent.currency and cost > agent.cost:
        used_words = f"{cost:,f}" if is_open else "more"
        yield _above(agent, f"{agent.currency} of cost", used_words, f"{agent.cost.normalize():,f}")


def _above(agent: Limits, words: str, used: str, limit: str) -> Excess:
    why = f"A run of {agent.name} used {used} {words}; its version {agent.version} may use at most {limit}."
    return Excess(Finding.Kind.AGENT_BUDGET_EXCEEDED, f"version {agent.version}, {words}", why)


def _amount(value: object) -> Decimal | None:
    if not isinstance(value, str) or len(value) > MAX_AMOUNT:
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    # An exponent makes a short text a number with a million digits.
    return found if found.is_finite() and -20 < found.adjusted() < 20 else None


def printable(text: str) -> str:
    """At most 200 characters of a text, each of which can be shown."""
    return "".join(character if character.isprintable() else "?" for character in text[:200])
