"""Conditions of an approval: setting them with a decision, and confirming that one is met."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.models import Condition, Decision
from governance.operations.base import Recorded, Refused, change, choice, event, recorded, text
from governance.operations.closing import locked
from governance.queries.frozen import frozen_policy
from governance.queries.rights import viewer, why_not_meet
from governance.snapshot import snapshot

MAX_CONDITIONS = 20
MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class ConditionAsk:
    """A condition that somebody asks for when approving."""

    text: str
    due_at: datetime
    on_breach: str = "block"

    def facts(self) -> dict[str, str]:
        """As it is sealed."""
        due = self.due_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"text": self.text, "due_at": due, "on_breach": self.on_breach}


def check_conditions(asked: Sequence[ConditionAsk], *, wanted: bool, now: datetime) -> tuple[ConditionAsk, ...]:
    """The conditions with clean texts.

    Raises:
        Refused: none where there must be some, some where there must be none, or one that cannot be.
    """
    if bool(asked) != wanted:
        raise Refused("conditions", "are missing." if wanted else "come with an approval with conditions alone.")
    if len(asked) > MAX_CONDITIONS:
        raise Refused("conditions", f"are {len(asked)}; at most {MAX_CONDITIONS} are taken.")
    for item in asked:
        if item.due_at <= now:
            raise Refused("conditions", "must be due later than now.")
    return tuple(
        ConditionAsk(
            text=text("conditions", item.text, limit=MAX_TEXT),
            due_at=item.due_at,
            on_breach=choice("conditions", item.on_breach, Condition.OnBreach.values),
        )
        for item in asked
    )


def read_conditions(told: Iterable[Mapping[str, str]]) -> tuple[ConditionAsk, ...]:
    """Conditions as they were sealed."""
    return tuple(ConditionAsk(item["text"], datetime.fromisoformat(item["due_at"]), item["on_breach"]) for item in told)


def set_conditions(
    decision: Decision, asked: Sequence[ConditionAsk], *, actor: str, now: datetime
) -> list[ledger.Event]:
    """Rows for the conditions of a decision, and the events that tell them."""
    if not asked:
        return []
    last = Condition.objects.filter(request_id=decision.request_id).count()
    rows = [
        Condition.objects.create(
            request_id=decision.request_id,
            decision=decision,
            number=number,
            text=item.text,
            due_at=item.due_at,
            on_breach=item.on_breach,
        )
        for number, item in enumerate(asked, start=last + 1)
    ]
    return [event("condition", EventType.CONDITION_SET, row, actor=actor, now=now) for row in rows]


def meet_condition(*, request_id: UUID, number: int, by: User, evidence: str, seen: int, now: datetime) -> Recorded:
    """Confirm that a condition is met, as a member of the pool that asked for it. The id is the condition's.

    Args:
        evidence: what shows it: an address or a digest.
        seen: `row_version` of the condition that was read.

    Raises:
        Refused: no such condition, not this person's to confirm, met already, or changed since it was read.
    """
    evidence = text("evidence", evidence, limit=MAX_TEXT)
    with change("condition"):
        request = locked(request_id)
        row = (
            Condition.objects.select_for_update(of=("self",))
            .select_related("decision")
            .filter(request=request, number=number)
            .first()
        )
        if row is None:
            raise Refused("number", "names no condition of this request.")
        pool = frozen_policy(request).stages[row.decision.stage - 1].pool
        refusal = why_not_meet(request, row, viewer(by), pool)
        if refusal:
            raise Refused("", refusal)
        if row.row_version != seen:
            raise Refused("row_version", "is not the newest: the condition has changed since. Read it again.")
        before: dict[str, object] = {**snapshot("condition", row)}
        row.state, row.met_at, row.met_by_id, row.evidence = Condition.State.MET.value, now, by.person_id, evidence
        row.row_version += 1
        row.save(update_fields=["state", "met_at", "met_by", "evidence", "row_version"])
        met = event("condition", EventType.CONDITION_MET, row, actor=by.actor, now=now, before=before)
        return recorded(row.id, [met])
