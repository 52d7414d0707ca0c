"""A decision tree as data: questions with choices, rules that are computed, results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TIERS: Final = ("out_of_scope", "prohibited", "high", "transparency", "minimal", "gpai", "gpai_systemic")
"""Tiers that a result may have."""

UNCLASSIFIED: Final = "unclassified"
"""The tier of a use that nobody has classified, or whose classification stopped at a question."""

UNSURE: Final = "unsure"
"""The answer of one who does not know: it stops the walk, since guessing would look like knowing."""

HIGH: Final = "high"
AFTER_HIGH: Final = "t1"
"""Where the walk goes on after a high result: the questions about transparency, up to the first rule."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that a node takes.

    Attributes:
        label: words of its own; empty for yes and no.
        next: the node or result that follows.
        sets: what is kept when it is given; a key that ends in + adds to a list.
    """

    answer: str
    label: str
    next: str
    sets: tuple[tuple[str, str | bool], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A node that a person answers."""

    id: str
    text: str
    help: str
    refs: tuple[str, ...]
    choices: tuple[Choice, ...]

    def choice(self, answer: str) -> Choice | None:
        """The choice of that answer, None when there is none."""
        return next((choice for choice in self.choices if choice.answer == answer), None)


@dataclass(frozen=True, slots=True)
class Rule:
    """A node that is computed: yes when something is kept under `key`."""

    id: str
    key: str
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Result:
    """Where a walk ends.

    Attributes:
        applies_from: pairs of a case and a date; the case `default` is first.
    """

    id: str
    tier: str
    label: str
    refs: tuple[str, ...]
    obligations: tuple[str, ...]
    applies_from: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True, slots=True)
class Tree:
    """One version of a decision tree.

    Attributes:
        digest: SHA-256 of the file it was read from, in hexadecimal.
        legal_text: the consolidated text it follows.
        questions, rules, results: by id, in the order of the file.
    """

    id: str
    version: str
    title: str
    disclaimer: str
    legal_text: str
    digest: str
    start: str
    questions: Mapping[str, Question]
    rules: Mapping[str, Rule]
    results: Mapping[str, Result]

    def facts(self) -> dict[str, object]:
        """The tree as plain values, for a program that asks its questions."""
        rules = {rule.id: {"is_set": rule.key, "yes": rule.yes, "no": rule.no} for rule in self.rules.values()}
        return {
            "id": self.id,
            "version": self.version,
            "title": self.title,
            "disclaimer": self.disclaimer,
            "legal_text": self.legal_text,
            "digest": self.digest,
            "start": self.start,
            "after_high": AFTER_HIGH,
            "questions": {key: _question(question) for key, question in self.questions.items()},
            "rules": rules,
            "results": {key: _result(result) for key, result in self.results.items()},
        }


def _question(question: Question) -> dict[str, object]:
    answers = {
        choice.answer: {"label": choice.label, "next": choice.next, "set": dict(choice.sets)}
        for choice in question.choices
    }
    return {"question": question.text, "help": question.help, "refs": list(question.refs), "answers": answers}


def _result(result: Result) -> dict[str, object]:
    return {
        "tier": result.tier,
        "label": result.label,
        "refs": list(result.refs),
        "obligations": list(result.obligations),
        "applies_from": dict(result.applies_from),
        "note": result.note,
    }
