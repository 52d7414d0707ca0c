"""Registering what AI is used for, and recording what the EU AI Act makes of it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from audit.events import EventType
from governance.classification import Answer, AnswersRefused, Classified, Tree, TreeRefused, classify, load_tree
from governance.models import Classification, UseCase
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    next_number,
    person_of,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.snapshot import snapshot

MEMBER_STATES: Final = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""Members of the Union by their ISO 3166 codes."""

MAX_REASON: Final = 1000
MAX_ANSWERS: Final = 200


def register_use_case(
    *,
    by: By,
    name: str,
    intended_purpose: str,
    eu_role: str,
    out_of_scope_uses: str = "",
    member_states: Sequence[str] = (),
    begin_date: date | None = None,
    end_date: date | None = None,
    now: datetime,
) -> Recorded:
    """Register a use of AI; the one who registers answers for it. It is unclassified until somebody classifies it.

    Raises:
        Refused: a field that cannot be, or a name that stands already.
    """
    refuse_unless_registrar(by)
    name = text("name", name, limit=100)
    purpose = text("intended_purpose", intended_purpose, limit=2000)
    excluded = text("out_of_scope_uses", out_of_scope_uses, limit=2000, required=False)
    eu_role = choice("eu_role", eu_role, UseCase.EuRole.values)
    states = sorted({choice("member_states", state, MEMBER_STATES) for state in member_states})
    if begin_date is not None and end_date is not None and end_date < begin_date:
        raise Refused("end_date", "is before the use begins.")
    with change("name"):
        if UseCase.objects.filter(name=name).exists():
            raise Refused("name", f"A use case called {name} stands already.")
        row = UseCase.objects.create(
            number=next_number("use_case_number"),
            name=name,
            intended_purpose=purpose,
            out_of_scope_uses=excluded,
            owner_id=person_of(by),
            eu_role=eu_role,
            member_states=states,
            begin_date=begin_date,
            end_date=end_date,
            registered_at=now,
        )
        registered = event("use_case", EventType.USE_CASE_REGISTERED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [registered])


def classify_use_case(
    *, by: By, use_case_id: UUID, tree_version: str, answers: Sequence[Answer], seen: int, now: datetime
) -> Recorded:
    """Record a walk through the decision tree; the use case takes its tier. The id is the classification's.

    Args:
        answers: every question that was asked, with its answer and the reason.
        seen: `row_version` of the use case that was read.

    Raises:
        Refused: `answers.<question>` for what is missing, superfluous or contradictory; `row_version` when the use
            case has changed since; `use_case` when there is none.
    """
    refuse_unless_registrar(by)
    tree, found = _walked(tree_version, answers)
    actor = actor_of(by)
    with change("row_version"):
        row = UseCase.objects.select_for_update().filter(pk=use_case_id).first()
        if row is None:
            raise Refused("use_case", "is not registered.")
        if row.row_version != seen:
            raise Refused("row_version", "is not the newest: the use case has changed since. Read it again.")
        before = snapshot("use_case", row)
        made = Classification.objects.create(
            use_case=row,
            number=row.classifications.count() + 1,
            tree=tree.id,
            tree_version=tree.version,
            tree_digest=tree.digest,
            path=found.path,
            result=found.result,
            tier=found.tier,
            outcome=found.outcome,
            digest=found.digest,
            classified_by=actor,
            classified_at=now,
        )
        row.classification = made
        row.tier = found.tier
        row.row_version += 1
        row.save(update_fields=["classification", "tier", "row_version"])
        events = [
            event("classification", EventType.CLASSIFICATION_RECORDED, made, actor=actor, now=now),
            event("use_case", EventType.USE_CASE_CHANGED, row, actor=actor, now=now, before=dict(before)),
        ]
        return recorded(made.id, events)


def _walked(tree_version: str, answers: Sequence[Answer]) -> tuple[Tree, Classified]:
    if len(answers) > MAX_ANSWERS:
        raise Refused("answers", f"are {len(answers)}; at most {MAX_ANSWERS} are read.")
    try:
        tree = load_tree(tree_version)
    except TreeRefused as error:
        raise Refused("tree_version", str(error)) from error
    said = [
        Answer(answer.node, answer.answer, text(f"answers.{answer.node}", answer.reason, limit=MAX_REASON))
        for answer in answers
    ]
    try:
        return tree, classify(tree, said)
    except AnswersRefused as error:
        raise Refused(f"answers.{error.node}", error.reason) from error
