"""Approval policies: proposed by one person, decided by another; a new version retires the old one."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.models import ApprovalPolicyVersion
from governance.operations.base import Recorded, Refused, change, choice, event, recorded, text, whole
from governance.queries.rights import viewer, why_not_decide_policy, why_not_propose_policy
from governance.snapshot import canonical, digest, snapshot
from governance.workflow import BUILT_IN, MIN_REASON, PolicyRefused, parse_applies_when, parse_policy
from governance.workflow.routing import MAX_WEIGHT

MAX_REASON = 2000
_State = ApprovalPolicyVersion.State
_TOLD = {
    _State.ADOPTED.value: EventType.APPROVAL_POLICY_ADOPTED,
    _State.REFUSED.value: EventType.APPROVAL_POLICY_REFUSED,
    _State.WITHDRAWN.value: EventType.APPROVAL_POLICY_WITHDRAWN,
    _State.RETIRED.value: EventType.APPROVAL_POLICY_RETIRED,
}


def propose_policy(
    *,
    by: User,
    name: str,
    weight: int,
    applies_when: Mapping[str, object],
    content: Mapping[str, object],
    reason: str,
    now: datetime,
) -> Recorded:
    """Propose a version of an approval policy; it applies to nothing until another person adopts it.

    Args:
        applies_when: attributes of requests with the values they must have; see `governance.workflow.routing`.
        content: `stages`, `reject_rule` and `valid_days`, as `governance.workflow.policy` reads them.

    Raises:
        Refused: no right to propose, or data that is no policy; its field names the place.
    """
    refusal = why_not_propose_policy(viewer(by))
    if refusal:
        raise Refused("", refusal)
    reason = _reason(reason)
    whole("weight", weight, low=0, high=MAX_WEIGHT)
    if name == BUILT_IN:
        raise Refused("name", "is that of the built-in policy, which applies where no other does.")
    with change("name"):
        last = ApprovalPolicyVersion.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
        try:
            policy = parse_policy({**content, "name": name, "version": last + 1})
            when = parse_applies_when(dict(applies_when))
        except PolicyRefused as error:
            raise Refused(error.field, error.reason) from error
        written = canonical(policy.facts())
        row = ApprovalPolicyVersion.objects.create(
            name=policy.name,
            version=policy.version,
            weight=weight,
            applies_when=canonical({key: list(values) for key, values in when.items()}),
            content=written,
            digest=digest(written),
            proposed_by_id=by.person_id,
            reason=reason,
            proposed_at=now,
        )
        made = event("approval_policy", EventType.APPROVAL_POLICY_PROPOSED, row, actor=by.actor, now=now)
        return recorded(row.id, [made])


def decide_policy(*, policy_id: UUID, by: User, decision: str, reason: str, seen: int, now: datetime) -> Recorded:
    """Adopt or refuse a proposed policy; another person than who proposed it. The id is the policy's.

    Adopting retires the adopted older version of the same name. Open requests keep the policy frozen into them.

    Raises:
        Refused: not this person's to decide, no reason, or a proposal that has changed since it was read.
    """
    choice("decision", decision, ["adopt", "refuse"])
    reason = _reason(reason)
    with change("decision"):
        row = _locked(policy_id)
        refusal = why_not_decide_policy(row, viewer(by))
        if refusal:
            raise Refused("", refusal)
        if row.row_version != seen:
            raise Refused("row_version", "is not the newest: the proposal has changed since. Read it again.")
        events: list[ledger.Event] = []
        if decision == "adopt":
            _refuse_older(row)
            old = ApprovalPolicyVersion.objects.select_for_update().filter(name=row.name, state=_State.ADOPTED).first()
            if old is not None:
                events.append(_moved(old, _State.RETIRED.value, actor=by.actor, now=now))
        row.decided_by_id, row.decided_at, row.decision_reason = by.person_id, now, reason
        state = _State.ADOPTED.value if decision == "adopt" else _State.REFUSED.value
        events.append(_moved(row, state, actor=by.actor, now=now, reason=reason))
        return recorded(row.id, events)


def withdraw_policy(*, policy_id: UUID, by: User, reason: str, now: datetime) -> Recorded:
    """Take back one's own proposal. The id is the policy's.

    Raises:
        Refused: somebody else's proposal, closed, or no reason.
    """
    reason = text("reason", reason, limit=MAX_REASON)
    with change("reason"):
        row = _locked(policy_id)
        if row.proposed_by_id != by.person_id:
            raise Refused("", "Only the one who proposed a policy can withdraw it.")
        if row.state != _State.PROPOSED:
            raise Refused("", "This proposal is closed.")
        row.decided_at, row.decision_reason = now, reason
        return recorded(row.id, [_moved(row, _State.WITHDRAWN.value, actor=by.actor, now=now, reason=reason)])


def _refuse_older(row: ApprovalPolicyVersion) -> None:
    newer = ApprovalPolicyVersion.objects.filter(
        name=row.name, version__gt=row.version, state__in=[_State.ADOPTED, _State.RETIRED]
    )
    if newer.exists():
        raise Refused("decision", "A newer version was adopted already; propose this one again.")


def _moved(
    row: ApprovalPolicyVersion, state: str, *, actor: str, now: datetime, reason: str | None = None
) -> ledger.Event:
    before: dict[str, object] = {**snapshot("approval_policy", ApprovalPolicyVersion.objects.get(pk=row.pk))}
    row.state = state
    row.row_version += 1
    row.save(update_fields=["state", "decided_by", "decided_at", "decision_reason", "row_version"])
    return event("approval_policy", _TOLD[state], row, actor=actor, now=now, before=before, reason=reason)


def _locked(policy_id: UUID) -> ApprovalPolicyVersion:
    found = ApprovalPolicyVersion.objects.select_for_update().filter(pk=policy_id).first()
    if found is None:
        raise Refused("policy", "does not exist.")
    return found


def _reason(reason: str) -> str:
    reason = text("reason", reason, limit=MAX_REASON, required=False)
    if len(reason) < MIN_REASON:
        raise Refused("reason", f"has {len(reason)} characters; at least {MIN_REASON} are needed.")
    return reason
