"""Who asked, who decided and why; and the memory estimate that the request carried as evidence."""

import json
from collections.abc import Mapping
from typing import Any

from audit.events import EventType
from reports.collect.evidence import NOTHING, Evidence, Facts, moment, text, whole
from reports.collect.subjects import Subjects
from reports.dataset import Approval, Fit, MemoryTerm, Person

STEPS: Mapping[str, str] = {
    EventType.REQUEST_SUBMITTED: "submitted",
    EventType.REQUEST_APPROVED: "approved",
    EventType.REQUEST_REJECTED: "rejected",
    EventType.REQUEST_WITHDRAWN: "withdrawn",
    EventType.REQUEST_ADVANCED: "advanced",
    EventType.REQUEST_CHANGES_REQUESTED: "changes_requested",
    EventType.REQUEST_TIMED_OUT: "timed_out",
    EventType.REQUEST_REVOKED: "revoked",
    EventType.REQUEST_EXPIRED: "expired",
    EventType.REQUEST_INVALIDATED: "invalidated",
}
"""A type that is not here is told by its last word."""

VOTES: Mapping[str, str] = {
    "approve": "approved",
    "approve_with_conditions": "approved_with_conditions",
    "reject": "rejected",
    "request_changes": "changes_requested",
}


def approvals(found: Subjects, names: Mapping[str, str]) -> tuple[Approval, ...]:
    """Every step of every request for the deployment, oldest first.

    A decision that closed its request is told by the closing entry; one of several that a quorum needed stands alone.
    """
    steps = [_step(item, names) for item in found.requests]
    closed = {(step.request, step.person.id, step.at, step.step) for step in steps}
    votes = [_vote(item, names) for item in found.decisions]
    steps += [vote for vote in votes if (vote.request, vote.person.id, vote.at, vote.step) not in closed]
    return tuple(sorted(steps, key=lambda step: step.entry))


def people(found: Subjects) -> set[str]:
    """Ids of everybody whose name the approvals and fields need."""
    actors = {item.row.actor for item in (*found.requests, *found.decisions)}
    owners = {f"person:{state.after['owner_id']}" for state in found.states.values() if state.after.get("owner_id")}
    return actors | owners


def _step(item: Evidence, names: Mapping[str, str]) -> Approval:
    submitted = item.row.type == EventType.REQUEST_SUBMITTED
    reason = item.after.get("justification") if submitted else item.facts.get("reason")
    return Approval(
        request=item.row.subject,
        step=STEPS.get(item.row.type, item.row.type.rpartition(".")[2]),
        person=Person(id=item.row.actor, name=names.get(item.row.actor)),
        at=moment(item.row.occurred_at),
        reason=text(reason, limit=4000) or None,
        digest=text(item.after.get("revision_digest")) or None,
        entry=item.index,
    )


def _vote(item: Evidence, names: Mapping[str, str]) -> Approval:
    return Approval(
        request=f"request:{item.after.get('request_id')}",
        step=VOTES.get(text(item.after.get("decision")), "decision"),
        person=Person(id=item.row.actor, name=names.get(item.row.actor)),
        at=moment(item.row.occurred_at),
        reason=text(item.after.get("reason"), limit=4000) or None,
        digest=text(item.after.get("digest_seen")) or None,
        entry=item.index,
    )


def fit(found: Subjects, measured_peak: int | None) -> Fit | None:
    """The newest estimate for the revision the report is about; None when no request carried one."""
    revision = found.revision.partition(":")[2]
    for item in reversed(found.requests):
        if item.row.type == EventType.REQUEST_SUBMITTED and item.after.get("revision_id") == revision:
            return _fit(parsed(item.after.get("evidence")), item.index, measured_peak)
    return None


def _fit(content: Facts, entry: int, measured_peak: int | None) -> Fit | None:
    terms = content.get("terms")
    numbers = [whole(content.get(key)) for key in ("need_bytes", "usable_bytes", "band_low", "band_high")]
    if not isinstance(terms, list) or None in numbers:
        return None
    need, usable, low, high = (number or 0 for number in numbers)
    assumptions = content.get("assumptions")
    return Fit(
        terms=tuple(
            MemoryTerm(name=text(term.get("name")), bytes=whole(term.get("bytes")) or 0, how=text(term.get("how")))
            for term in terms
            if isinstance(term, dict)
        ),
        need_bytes=need,
        usable_bytes=usable,
        low_bytes=low,
        high_bytes=high,
        verdict=text(content.get("verdict")),
        assumptions=tuple(text(item) for item in assumptions) if isinstance(assumptions, list) else (),
        formula_version=text(content.get("formula_version")),
        measured_peak_bytes=measured_peak,
        entry=entry,
    )


def parsed(value: Any) -> Facts:
    """JSON text inside a snapshot as an object; empty when it is none."""
    try:
        content = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return NOTHING
    return content if isinstance(content, dict) else NOTHING
