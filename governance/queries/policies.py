"""Approval policies for reading: their versions, what they apply to, and who may do what about one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, IntegerField, When
from django.utils.translation import gettext as _

from audit import queries as log
from audit.models import User
from audit.queries.roles import COMPLIANCE
from governance.models import ApprovalPolicyVersion
from governance.queries.rights import viewer, why_not_decide_policy, why_not_propose_policy
from governance.queries.telling import HistoryLine, history_lines
from governance.snapshot import snapshot
from governance.snapshot.rows import Value
from governance.workflow import MIN_REASON, SINGLE_REVIEW

MOST = 200
_State = ApprovalPolicyVersion.State


class PolicyNotFound(LookupError):
    """No version of an approval policy has this id."""


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A version in the list. `when`: attributes and the values they must have, in words; empty for all requests."""

    id: UUID
    name: str
    version: int
    weight: int
    when: tuple[tuple[str, str], ...]
    mark: str
    word: str
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage as the policy says it."""

    number: int
    name: str
    pool: str
    quorum: int
    blind: bool
    due_days: int | None
    conditions_allowed: bool
    distinct_from: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """One version as its page shows it.

    Attributes:
        valid_days: how long an approval stands, by tier. `in_force`: the adopted version of this name, if another.
        blocked: why this person may not decide it; empty when they may. `own`: they proposed it and it is open.
    """

    id: UUID
    name: str
    version: int
    weight: int
    when: tuple[tuple[str, str], ...]
    mark: str
    word: str
    stages: tuple[StageLine, ...]
    reject_rule: str
    valid_days: tuple[tuple[str, int], ...]
    proposed_by: str
    proposed_at: datetime
    reason: str
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
    content: str
    in_force: str
    digest: str
    row_version: int
    is_open: bool
    own: bool
    blocked: str
    history: tuple[HistoryLine, ...]
    min_reason: int = MIN_REASON


@dataclass(frozen=True, slots=True)
class Begun:
    """What a proposal begins from, as JSON texts."""

    weight: int
    applies_when: str
    content: str


def policy_snapshot(policy_id: UUID) -> dict[str, Value] | None:
    """The full snapshot of a version of an approval policy, None when there is none."""
    row = ApprovalPolicyVersion.objects.filter(pk=policy_id).first()
    return snapshot("approval_policy", row) if row else None


def policy_list() -> tuple[PolicyLine, ...]:
    """Proposed versions, then those in force by weight, then the others, newest first; in one query."""
    first = (When(state=_State.PROPOSED, then=0), When(state=_State.ADOPTED, then=1))
    rank = Case(*first, default=2, output_field=IntegerField())
    rows = ApprovalPolicyVersion.objects.select_related("proposed_by").annotate(rank=rank)
    return tuple(_line(row) for row in rows.order_by("rank", "-weight", "name", "-version")[:MOST])


def policy_page(policy_id: UUID, *, user: User) -> PolicyPage:
    """The page of one version as `user` sees it, in a constant number of queries.

    Raises:
        PolicyNotFound: no such version.
    """
    row = ApprovalPolicyVersion.objects.select_related("proposed_by", "decided_by").filter(pk=policy_id).first()
    if row is None:
        raise PolicyNotFound("There is no such version of an approval policy.")
    other = ApprovalPolicyVersion.objects.filter(name=row.name, state=_State.ADOPTED).exclude(pk=row.pk).first()
    content: Mapping[str, object] = json.loads(row.content)
    line = _line(row)
    return PolicyPage(
        id=row.pk,
        name=row.name,
        version=row.version,
        weight=row.weight,
        when=line.when,
        mark=line.mark,
        word=line.word,
        stages=tuple(_stages(content)),
        reject_rule=str(content["reject_rule"]),
        valid_days=_valid_days(content),
        proposed_by=row.proposed_by.display_name,
        proposed_at=row.proposed_at,
        reason=row.reason,
        decided_by=row.decided_by.display_name if row.decided_by else "",
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        content=_pretty(content),
        in_force=_pretty(json.loads(other.content)) if other else "",
        digest=row.digest,
        row_version=row.row_version,
        is_open=row.state == _State.PROPOSED,
        own=row.state == _State.PROPOSED and row.proposed_by_id == user.person_id,
        blocked=why_not_decide_policy(row, viewer(user)),
        history=history_lines(log.history(f"approval_policy:{row.pk}")),
    )


def policies_waiting_for(user: User) -> int:
    """How many proposed policies `user` may decide."""
    who = viewer(user)
    if COMPLIANCE not in who.pools or who.suspended or who.barred:
        return 0
    return ApprovalPolicyVersion.objects.filter(state=_State.PROPOSED).exclude(proposed_by=who.person_id).count()


def newest_content(name: str) -> Begun:
    """The newest version of this name to begin a proposal from, or else the built-in policy."""
    row = ApprovalPolicyVersion.objects.filter(name=name).order_by("-version").first()
    if row is None:
        return Begun(10, json.dumps({"tier": ["high"]}), _pretty(_proposable(SINGLE_REVIEW.facts())))
    return Begun(row.weight, row.applies_when, _pretty(_proposable(json.loads(row.content))))


def why_not_propose(user: User) -> str:
    """Why `user` may not propose a policy; empty when they may."""
    return why_not_propose_policy(viewer(user))


def _proposable(content: Mapping[str, object]) -> dict[str, object]:
    return {key: content[key] for key in ("stages", "reject_rule", "valid_days")}


def _line(row: ApprovalPolicyVersion) -> PolicyLine:
    mark = {_State.PROPOSED: "wait", _State.ADOPTED: "ok", _State.REFUSED: "bad"}.get(_State(row.state), "none")
    when = json.loads(row.applies_when)
    return PolicyLine(
        id=row.pk,
        name=row.name,
        version=row.version,
        weight=row.weight,
        when=tuple((key, ", ".join(values)) for key, values in sorted(when.items())),
        mark=mark,
        word=_("in force") if row.state == _State.ADOPTED else row.get_state_display(),
        proposed_by=row.proposed_by.display_name,
        proposed_at=row.proposed_at,
    )


def _stages(content: Mapping[str, object]) -> Iterator[StageLine]:
    stages = content["stages"]
    assert isinstance(stages, list)  # read by `workflow.parse_policy` before it was kept
    for number, stage in enumerate(stages, start=1):
        yield StageLine(
            number=number,
            name=stage["name"],
            pool=stage["pool"],
            quorum=stage["quorum"],
            blind=stage["blind"],
            due_days=stage["due_days"],
            conditions_allowed=stage["conditions_allowed"],
            distinct_from=tuple(stage["distinct_from"]),
        )


def _valid_days(content: Mapping[str, object]) -> tuple[tuple[str, int], ...]:
    days = content["valid_days"]
    assert isinstance(days, dict)  # as above
    return tuple(sorted(days.items(), key=lambda pair: (pair[0] != "default", pair[0])))


def _pretty(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
