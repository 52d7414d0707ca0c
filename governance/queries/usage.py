"""Sealed usage windows of a deployment, read from the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from audit import queries as log
from audit.events import EventType


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """A sealed window. `over_cap`: an answer used more reasoning tokens than approved."""

    entry: int
    start: datetime | None
    requests: int
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    reasoning_max: int
    received: int
    expected: int
    over_cap: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """The newest windows, newest first, and the newest word on which revision runs (empty when none said so)."""

    windows: tuple[UsageWindow, ...]
    running_digest: str
    running_entry: int | None


def usage_of(subject: str, *, cap: int | None, limit: int) -> Usage:
    """What the ledger says about the use of a deployment."""
    entries = log.entries(subject=subject, type_=EventType.WINDOW_USAGE, limit=limit)
    facts = log.section_facts([entry.index for entry in entries])
    told = [entry.index for entry in entries if "revision_digest" in facts.get(entry.index, {})]
    return Usage(
        windows=tuple(_window(entry.index, facts[entry.index], cap) for entry in entries if entry.index in facts),
        running_digest=str(facts[told[0]]["revision_digest"]) if told else "",
        running_entry=told[0] if told else None,
    )


def _window(index: int, content: Mapping[str, object], cap: int | None) -> UsageWindow:
    window, totals, completeness = (_part(content, name) for name in ("window", "totals", "completeness"))
    most = _count(content, "reasoning_tokens_max")
    return UsageWindow(
        entry=index,
        start=_moment(window.get("start")),
        requests=_count(totals, "requests"),
        input_tokens=_count(totals, "input_tokens"),
        output_tokens=_count(totals, "output_tokens"),
        reasoning_tokens=_count(totals, "reasoning_tokens"),
        reasoning_max=most,
        received=_count(completeness, "received"),
        expected=_count(completeness, "expected"),
        over_cap=cap is not None and most > cap,
    )


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _part(content: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = content.get(name)
    return part if isinstance(part, dict) else {}


def _count(content: Mapping[str, object], name: str) -> int:
    value = content.get(name)
    return value if isinstance(value, int) else 0
