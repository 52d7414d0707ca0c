"""A use case with its classifications, and the form that a person classifies it by."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit import queries as log
from governance.classification import UNSURE, Answer, Question, Tree, TreeRefused, Walk, load_tree, newest, walk
from governance.models import Classification, Tier, UseCase
from governance.queries.objects import object_history
from governance.queries.people import names_of
from governance.queries.telling import HistoryLine
from governance.snapshot import snapshot
from governance.snapshot.rows import Value

SHOWN: Final = 20
MARKS: Final = {
    Tier.PROHIBITED: "bad",
    Tier.HIGH: "warn",
    Tier.GPAI_SYSTEMIC: "warn",
    Tier.UNCLASSIFIED: "todo",
    Tier.OUT_OF_SCOPE: "none",
}
"""Shape of a tier; every other is ok."""


class UseCaseNotFound(LookupError):
    """No use case has this id."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """A question as it was answered."""

    node: str
    question: str
    refs: tuple[str, ...]
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClassificationView:
    """One classification. `steps` name questions by their id alone when this installation has no such tree."""

    number: int
    mark: str
    tier: str
    label: str
    note: str
    unsure: str
    state: tuple[tuple[str, str], ...]
    obligations: tuple[str, ...]
    applies_from: tuple[tuple[str, str], ...]
    tree_version: str
    digest: str
    by: str
    at: datetime
    entry: int | None
    steps: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True)
class UseCasePage:
    """One use case as its page shows it; `older` classifications stand in the ledger alone."""

    id: UUID
    ref: str
    name: str
    intended_purpose: str
    out_of_scope_uses: str
    owner: str
    eu_role: str
    member_states: tuple[str, ...]
    begin_date: date | None
    end_date: date | None
    registered_at: datetime
    mark: str
    tier: str
    disclaimer: str
    tree_version: str
    classifications: tuple[ClassificationView, ...]
    older: int
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class ClassifyPage:
    """What a person needs to classify a use case.

    Attributes:
        seen: `row_version` that the answers are for.
        found: how far the answers lead.
        previous: answers of the newest classification, when it followed the same tree.
    """

    id: UUID
    ref: str
    name: str
    intended_purpose: str
    seen: int
    tree: Tree
    found: Walk
    previous: Mapping[str, Answer]
    mark: str
    tier: str


def use_case_page(use_case_id: UUID) -> UseCasePage:
    """The page of one use case, in a constant number of queries.

    Raises:
        UseCaseNotFound: there is none.
    """
    found = UseCase.objects.select_related("owner").filter(pk=use_case_id).first()
    if found is None:
        raise UseCaseNotFound("There is no such use case.")
    rows = list(found.classifications.order_by("-number")[:SHOWN])
    tree = newest()
    mark, tier = tier_mark(found.tier)
    return UseCasePage(
        id=found.pk,
        ref=found.ref,
        name=found.name,
        intended_purpose=found.intended_purpose,
        out_of_scope_uses=found.out_of_scope_uses,
        owner=found.owner.display_name,
        eu_role=found.get_eu_role_display(),
        member_states=tuple(found.member_states),
        begin_date=found.begin_date,
        end_date=found.end_date,
        registered_at=found.registered_at,
        mark=mark,
        tier=tier,
        disclaimer=tree.disclaimer,
        tree_version=tree.version,
        classifications=_views(rows),
        older=max(0, rows[0].number - SHOWN) if rows else 0,
        history=object_history("use_case", found.pk, limit=SHOWN),
    )


def classify_page(use_case_id: UUID, answers: Mapping[str, Answer] | None = None) -> ClassifyPage:
    """The form of a use case after `answers`; None begins with those of the newest classification.

    Raises:
        UseCaseNotFound: there is none.
        AnswersRefused: an answer that its question does not take.
    """
    row = UseCase.objects.select_related("classification").filter(pk=use_case_id).first()
    if row is None:
        raise UseCaseNotFound("There is no such use case.")
    tree = newest()
    last = row.classification
    previous = {
        said["node"]: Answer(**said)
        for said in (json.loads(last.path) if last and last.tree_digest == tree.digest else ())
    }
    found = walk(tree, previous if answers is None else answers)
    mark, tier = tier_mark(found.tier)
    return ClassifyPage(
        id=row.pk,
        ref=row.ref,
        name=row.name,
        intended_purpose=row.intended_purpose,
        seen=row.row_version,
        tree=tree,
        found=found,
        previous=previous,
        mark=mark,
        tier=tier,
    )


def use_case_snapshot(use_case_id: UUID) -> dict[str, Any] | None:
    """The full snapshot of a use case with those of its newest classifications; None when there is none."""
    row = UseCase.objects.filter(pk=use_case_id).first()
    if row is None:
        return None
    made = row.classifications.order_by("-number")[:SHOWN]
    classifications: list[dict[str, Value]] = [snapshot("classification", found) for found in made]
    return {**snapshot("use_case", row), "classifications": classifications}


def tier_mark(tier: str) -> tuple[str, str]:
    """Shape and word of a tier."""
    return MARKS.get(Tier(tier), "ok"), str(Tier(tier).label)


def answer_word(question: Question, answer: str) -> str:
    """An answer as a person reads it."""
    words = {"yes": pgettext("answer", "Yes"), "no": pgettext("answer", "No"), UNSURE: _("Unsure")}
    choice = question.choice(answer)
    return told(choice.label if choice else "") or words.get(answer, answer)


def told(words: str) -> str:
    """Words of the tree in the reader's language; what is recorded and hashed keeps the tree's own."""
    return _(words) if words else ""


def _views(rows: Sequence[Classification]) -> tuple[ClassificationView, ...]:
    names = names_of(row.classified_by for row in rows)
    states = log.states_at([f"classification:{row.pk}" for row in rows], log.head_size()) if rows else {}
    return tuple(_view(row, names, states.get(f"classification:{row.pk}")) for row in rows)


def _view(row: Classification, names: Mapping[str, str], state: log.StateRow | None) -> ClassificationView:
    outcome = json.loads(row.outcome)
    tree = _tree_of(row)
    mark, tier = tier_mark(row.tier)
    return ClassificationView(
        number=row.number,
        mark=mark,
        tier=tier,
        label=told(outcome["label"]),
        note=told(outcome["note"]),
        unsure=outcome["unsure"],
        state=tuple((key, _plain(value)) for key, value in sorted(outcome["state"].items())),
        obligations=tuple(outcome["obligations"]),
        applies_from=tuple(sorted(outcome["applies_from"].items(), key=lambda pair: (pair[0] != "default", pair[0]))),
        tree_version=row.tree_version,
        digest=row.digest,
        by=names[row.classified_by],
        at=row.classified_at,
        entry=state.index if state else None,
        steps=tuple(_step(said, tree) for said in json.loads(row.path)),
    )


def _step(said: Mapping[str, str], tree: Tree | None) -> StepLine:
    question = tree.questions.get(said["node"]) if tree else None
    return StepLine(
        node=said["node"],
        question=told(question.text) if question else said["node"],
        refs=question.refs if question else (),
        answer=answer_word(question, said["answer"]) if question else said["answer"],
        reason=said["reason"],
    )


def _tree_of(row: Classification) -> Tree | None:
    try:
        tree = load_tree(row.tree_version)
    except TreeRefused:
        return None
    return tree if tree.digest == row.tree_digest else None


def _plain(value: str | bool | list[str]) -> str:
    if isinstance(value, bool):
        return pgettext("answer", "Yes") if value else pgettext("answer", "No")
    return ", ".join(value) if isinstance(value, list) else value
