"""The review page: everything a person needs to decide one request, on one page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import queries as log
from audit.models import User
from audit.queries.entries import entries_at
from governance.models import ApprovalRequest, Decision, Revision
from governance.queries.adapters import AdapterLine, adapter_lines
from governance.queries.again import why_not_again
from governance.queries.fit import Fit, read_fit
from governance.queries.grounds import Grounds, grounds
from governance.queries.people import names_of
from governance.queries.reviewing import Way, way
from governance.queries.rights import viewer, why_not_decide, why_not_withdraw
from governance.queries.telling import HistoryLine, history_lines
from governance.queries.triggers import TriggerLine, triggers_of_request
from governance.workflow import APPROVING, MIN_REASON, Choice


class RequestNotFound(LookupError):
    """No request has this id."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A part of the configuration: what is approved now and what is asked."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision that was made. `entry` is its place in the log."""

    who: str
    decision: str
    mark: str
    word: str
    reason: str
    decided_at: datetime
    entry: int | None
    stage: int


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One request as its page shows it.

    Attributes:
        sentence: what is asked, in one line.
        closed_at: when it was decided. `ended_at`: when its approval was over before its time or with it.
        changed, same: configuration against what was approved when it was asked; all in `changed` when new.
        blocked: why this person may not decide; empty when they may.
        withdraw_blocked: the same for taking it back.
        grounds: the use and its tier, costs, evidence and evaluations.
        again_blocked: why exactly this cannot be asked for again; empty when it can.
        triggers: what changed since it was approved.
        way: stages, rounds, exclusions, conditions, validity, and what this person may do besides deciding.
    """

    id: UUID
    ref: str
    title: str
    sentence: str
    state: str
    mark: str
    word: str
    kind: str
    requester: str
    submitted_by: str
    submitted_at: datetime
    closed_at: datetime | None
    ended_at: datetime | None
    justification: str
    deployment_id: UUID
    deployment: str
    deployment_ref: str
    purpose: str
    revision_number: int
    revision_digest: str
    previous_number: int | None
    previous_digest: str
    decision_digest: str
    approval_policy_digest: str
    policy: str
    pool: str
    quorum: int
    approvals: int
    changed: tuple[FieldChange, ...]
    same: tuple[FieldChange, ...]
    adapters: tuple[AdapterLine, ...]
    fit: Fit
    decisions: tuple[DecisionLine, ...]
    history: tuple[HistoryLine, ...]
    blocked: str
    withdraw_blocked: str
    way: Way
    grounds: Grounds
    min_reason: int = MIN_REASON
    again_blocked: str = ""
    triggers: tuple[TriggerLine, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state == ApprovalRequest.State.OPEN.value


def review_page(request_id: UUID, *, user: User, now: datetime) -> ReviewPage:
    """The page of one request as `user` sees it at `now`, in a constant number of queries.

    Raises:
        RequestNotFound: no such request.
    """
    found = _request(request_id)
    decisions = list(Decision.objects.filter(request=found).select_related("decider").order_by("decided_at", "pk"))
    who = viewer(user)
    steps = way(found, decisions, who, now=now)
    states, events = _told(found, [*(f"decision:{row.pk}" for row in decisions), *steps.subjects])
    changed, same = _compare(found.previous_revision, found.revision)
    mark, word = state_mark(found.state)
    return ReviewPage(
        id=found.pk,
        ref=found.ref,
        title=_title(found),
        sentence=_sentence(found.revision),
        state=found.state,
        mark=mark,
        word=word,
        kind=found.kind,
        requester=found.requester.display_name,
        submitted_by=names_of([found.submitted_by])[found.submitted_by],
        submitted_at=found.submitted_at,
        closed_at=found.closed_at,
        ended_at=found.ended_at,
        justification=found.justification,
        deployment_id=found.deployment_id,
        deployment=found.deployment.name,
        deployment_ref=found.deployment.ref,
        purpose=found.deployment.purpose,
        revision_number=found.revision.number,
        revision_digest=found.revision_digest,
        previous_number=found.previous_revision.number if found.previous_revision else None,
        previous_digest=found.previous_revision.digest if found.previous_revision else "",
        decision_digest=found.decision_digest,
        approval_policy_digest=found.approval_policy_digest,
        policy=_policy(found),
        pool=found.pool,
        quorum=found.quorum,
        approvals=sum(row.decision in APPROVING for row in decisions if row.stage == found.stage),
        changed=changed,
        same=same,
        adapters=adapter_lines(found.revision.content),
        fit=read_fit(found.evidence, found.evidence_digest),
        decisions=tuple(_decision(row, states) for row in decisions),
        history=history_lines(events),
        blocked=why_not_decide(found, who, steps.deciders, steps.excluded, now=now),
        withdraw_blocked=why_not_withdraw(found, who.person_id),
        way=steps,
        grounds=grounds(found, now=now),
        again_blocked=why_not_again(found, who, now),
        triggers=triggers_of_request(found.pk),
    )


def _told(found: ApprovalRequest, subjects: Sequence[str]) -> tuple[Mapping[str, log.StateRow], list[log.EntryRow]]:
    """The newest state of each subject, and the entries that tell the story of the request, oldest first."""
    states = log.states_at([f"revision:{found.revision_id}", *subjects], log.head_size())
    asked = log.history(f"request:{found.pk}")
    extra = entries_at([row.index for row in states.values()])
    events = sorted({entry.index: entry for entry in [*asked, *extra.values()]}.values(), key=lambda e: e.index)
    return states, events


def _request(request_id: UUID) -> ApprovalRequest:
    found = (
        ApprovalRequest.objects.select_related(
            "deployment__use_case", "revision__model_version__model", "revision__gpu_pool__gpu_model",
            "previous_revision", "requester", "previous_request",
        )
        .filter(pk=request_id)
        .first()
    )  # fmt: skip
    if found is None:
        raise RequestNotFound("There is no such request.")
    return found


def state_mark(state: str) -> tuple[str, str]:
    """Shape and word of a request's state."""
    return {
        "open": ("wait", _("Open")),
        "approved": ("ok", _("Approved")),
        "rejected": ("bad", _("Rejected")),
        "withdrawn": ("none", _("Withdrawn")),
        "changes_requested": ("warn", _("Changes requested")),
        "timed_out": ("none", _("Timed out")),
        "revoked": ("bad", _("Revoked")),
        "expired": ("warn", _("Expired")),
        "invalidated": ("warn", _("Invalidated")),
    }[state]


def choice_mark(choice: str) -> tuple[str, str]:
    """Shape and word of a decision."""
    return {
        Choice.APPROVE: ("ok", _("Approved")),
        Choice.APPROVE_WITH_CONDITIONS: ("ok", _("Approved with conditions")),
        Choice.REJECT: ("bad", _("Rejected")),
        Choice.REQUEST_CHANGES: ("warn", _("Changes requested")),
    }[Choice(choice)]


def _title(found: ApprovalRequest) -> str:
    if found.kind == ApprovalRequest.Kind.CHANGE:
        return _("Change %(name)s") % {"name": found.deployment.name}
    return _("Deploy %(name)s") % {"name": found.deployment.name}


def _sentence(revision: Revision) -> str:
    cards = ngettext("%(count)s card", "%(count)s cards", revision.gpu_count) % {"count": revision.gpu_count}
    return _(
        "Run %(model)s, version %(version)s, on %(cards)s of kind %(gpu)s in %(pool)s (%(region)s), with up to"
        " %(context)s tokens an answer and %(concurrency)s answers at once."
    ) % {
        "model": revision.model_version.model.name,
        "version": revision.model_version.version,
        "cards": cards,
        "gpu": revision.gpu_pool.gpu_model.name,
        "pool": revision.gpu_pool.name,
        "region": revision.region,
        "context": f"{revision.context:,}",
        "concurrency": f"{revision.concurrency:,}",
    }


def _policy(found: ApprovalRequest) -> str:
    policy: Mapping[str, object] = json.loads(found.approval_policy)
    return f"{policy['name']} {policy['version']}"


def _compare(old: Revision | None, new: Revision) -> tuple[tuple[FieldChange, ...], tuple[FieldChange, ...]]:
    before, after = _flat(json.loads(old.content)) if old else {}, _flat(json.loads(new.content))
    lines = [
        FieldChange(name, before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if name != "format"
    ]
    changed = tuple(line for line in lines if line.old != line.new)
    return changed, tuple(line for line in lines if line.old == line.new)


def _flat(content: object, path: str = "") -> dict[str, str]:
    """Every leaf of a JSON object by its dotted name; a list is one line."""
    if isinstance(content, dict):
        found: dict[str, str] = {}
        for key, value in content.items():
            found |= _flat(value, f"{path}.{key}" if path else key)
        return found
    if isinstance(content, list):
        return {path: ", ".join(_item(item) for item in content) or _("none")}
    return {path: _("none") if content in (None, "") else str(content)}


def _item(item: object) -> str:
    return " ".join(str(value) for value in item.values()) if isinstance(item, dict) else str(item)


def _decision(row: Decision, states: Mapping[str, log.StateRow]) -> DecisionLine:
    state = states.get(f"decision:{row.pk}")
    mark, word = choice_mark(row.decision)
    return DecisionLine(
        who=row.decider.display_name,
        decision=row.decision,
        mark=mark,
        word=word,
        reason=row.reason,
        decided_at=row.decided_at,
        entry=state.index if state else None,
        stage=row.stage,
    )
