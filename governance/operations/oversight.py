"""Recording who oversees a use of AI, and that somebody no longer does."""

from datetime import date, datetime
from uuid import UUID

from audit.events import EventType
from governance.models import OversightAssignment, OversightEnd, UseCase
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.operations.readings import refuse_unknown_person


def assign_oversight(
    *,
    by: By,
    use_case_id: UUID,
    person_id: UUID,
    role: str,
    competence: str,
    training: str,
    training_date: date,
    authority: str,
    valid_from: date,
    valid_until: date | None = None,
    now: datetime,
) -> Recorded:
    """Record that a person oversees a use of AI, why they can, and what they may do about it.

    Raises:
        Refused: a field that cannot be, or something that is not registered.
    """
    refuse_unless_registrar(by)
    columns = {
        "role": text("role", role, limit=200),
        "competence": text("competence", competence, limit=1000),
        "training": text("training", training, limit=500),
        "authority": choice("authority", authority, OversightAssignment.Authority.values),
    }
    if training_date > now.date():
        raise Refused("training_date", "is still to come; a training that is planned is none yet.")
    if valid_until is not None and valid_until < valid_from:
        raise Refused("valid_until", "is before it begins.")
    with change("use_case"):
        if not UseCase.objects.filter(pk=use_case_id).exists():
            raise Refused("use_case", "is not registered.")
        refuse_unknown_person("person_id", person_id)
        row = OversightAssignment.objects.create(
            use_case_id=use_case_id,
            person_id=person_id,
            training_date=training_date,
            valid_from=valid_from,
            valid_until=valid_until,
            assigned_by=actor_of(by),
            assigned_at=now,
            **columns,
        )
        told = event("oversight_assignment", EventType.OVERSIGHT_ASSIGNED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [told])


def end_oversight(*, by: By, assignment_id: UUID, reason: str, now: datetime) -> Recorded:
    """Record that a person no longer oversees a use, from now on. The id is that of the end.

    Raises:
        Refused: no such assignment, one that has ended already, or no reason.
    """
    refuse_unless_registrar(by)
    reason = text("reason", reason, limit=1000)
    with change("assignment"):
        found = OversightAssignment.objects.select_related("end").filter(pk=assignment_id).first()
        if found is None:
            raise Refused("assignment", "is not registered.")
        over = found.valid_until is not None and found.valid_until < now.date()
        if over or getattr(found, "end", None) is not None:
            raise Refused("assignment", "has ended already.")
        row = OversightEnd.objects.create(assignment=found, reason=reason, ended_by=actor_of(by), ended_at=now)
        return recorded(row.id, [event("oversight_end", EventType.OVERSIGHT_ENDED, row, actor=actor_of(by), now=now)])
