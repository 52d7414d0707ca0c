"""Walking a tree from answers to a result, and the digest that binds what was answered."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import rfc8785

from governance.classification.tree import AFTER_HIGH, HIGH, UNCLASSIFIED, UNSURE, Question, Result, Tree

State = dict[str, str | bool | list[str]]


class AnswersRefused(ValueError):
    """Answers that lead to no result.

    Attributes:
        node: the question it is about.
        reason: a sentence for the person.
    """

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(f"{node}: {reason}")
        self.node = node
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered to a question, and why."""

    node: str
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """A question of a walk with its answer."""

    question: Question
    answer: Answer


@dataclass(frozen=True, slots=True)
class Walk:
    """How far answers lead.

    Attributes:
        steps: the questions that were asked, in order.
        waits_for: the next question without an answer; None at an end.
        result: where the walk ended; None before that, and when somebody was unsure. A high result stands already
            while the questions after it are open.
        unsure: the question at which it stopped because the answer was unsure; empty otherwise.
        kept: what the answers set.
    """

    steps: tuple[Step, ...]
    waits_for: Question | None
    result: Result | None
    unsure: str
    kept: Mapping[str, str | bool | list[str]]

    @property
    def ended(self) -> bool:
        return self.waits_for is None

    @property
    def tier(self) -> str:
        """The tier of the result; unclassified without one."""
        return self.result.tier if self.result and self.ended else UNCLASSIFIED


@dataclass(frozen=True, slots=True)
class Classified:
    """A walk that ended, as it is kept.

    Attributes:
        path: RFC 8785 text of the list of {node, answer, reason}, in the order in which they were asked.
        result: id of the result; empty when somebody was unsure.
        outcome: RFC 8785 text of {label, state, obligations, applies_from, note, unsure}.
        digest: SHA-256 over the tree's digest, the path and the result.
    """

    path: str
    result: str
    tier: str
    outcome: str
    digest: str


def walk(tree: Tree, answers: Mapping[str, Answer]) -> Walk:
    """Follow `answers` from the start as far as they lead; answers to questions that are not asked are passed over.

    Raises:
        AnswersRefused: an answer that its question does not take.
    """
    steps: list[Step] = []
    kept: State = {}
    high: Result | None = None
    node = tree.start
    while True:
        if node in tree.rules:
            if high is not None:
                return Walk(tuple(steps), None, high, "", MappingProxyType(kept))
            node = tree.rules[node].yes if kept.get(tree.rules[node].key) else tree.rules[node].no
            continue
        if node in tree.results:
            result = tree.results[node]
            if result.tier != HIGH or high is not None:
                return Walk(tuple(steps), None, high or result, "", MappingProxyType(kept))
            high, node = result, AFTER_HIGH
            continue
        question = tree.questions[node]
        answer = answers.get(node)
        if answer is None:
            return Walk(tuple(steps), question, high, "", MappingProxyType(kept))
        steps.append(Step(question, answer))
        if answer.answer == UNSURE:
            return Walk(tuple(steps), None, None, node, MappingProxyType(kept))
        node = _next(question, answer, kept)


def _next(question: Question, answer: Answer, kept: State) -> str:
    choice = question.choice(answer.answer)
    if choice is None:
        known = ", ".join([*(found.answer for found in question.choices), UNSURE])
        raise AnswersRefused(question.id, f"takes one of {known}.")
    for key, value in choice.sets:
        if key.endswith("+"):
            so_far = kept.get(key[:-1])
            before = so_far if isinstance(so_far, list) else []
            kept[key[:-1]] = before if value in before else [*before, str(value)]
        else:
            kept[key] = value
    return choice.next


def classify(tree: Tree, answers: Sequence[Answer]) -> Classified:
    """The classification that complete and consistent answers lead to, each with its reason.

    Raises:
        AnswersRefused: two answers to one question, an answer without a reason, a question without an answer, or
            an answer to a question that the others never lead to.
    """
    by_node: dict[str, Answer] = {}
    for answer in answers:
        if answer.node not in tree.questions:
            raise AnswersRefused(answer.node, f"is no question of version {tree.version}.")
        if answer.node in by_node:
            raise AnswersRefused(answer.node, "is answered twice.")
        if not answer.reason.strip():
            raise AnswersRefused(answer.node, "needs a reason for the answer.")
        by_node[answer.node] = answer
    found = walk(tree, by_node)
    if found.waits_for is not None:
        raise AnswersRefused(found.waits_for.id, f"is not answered yet: {found.waits_for.text}")
    stray = sorted(by_node.keys() - {step.question.id for step in found.steps})
    if stray:
        raise AnswersRefused(stray[0], "is not asked after the other answers; take it out.")
    path = _canonical([_facts(step.answer) for step in found.steps])
    result = found.result.id if found.result else ""
    return Classified(
        path=path,
        result=result,
        tier=found.tier,
        outcome=_canonical(_outcome(found)),
        digest=classification_digest(tree_digest=tree.digest, path=path, result=result),
    )


def classification_digest(*, tree_digest: str, path: str, result: str) -> str:
    """SHA-256 of the three texts, a line feed between each; the database computes the same."""
    return hashlib.sha256(f"{tree_digest}\n{path}\n{result}".encode()).hexdigest()


def _facts(answer: Answer) -> dict[str, str]:
    return {"node": answer.node, "answer": answer.answer, "reason": answer.reason}


def _outcome(found: Walk) -> dict[str, Any]:
    result = found.result
    return {
        "label": result.label if result else "",
        "state": dict(found.kept),
        "obligations": list(result.obligations) if result else [],
        "applies_from": dict(result.applies_from) if result else {},
        "note": result.note if result else "",
        "unsure": found.unsure,
    }


def _canonical(content: Any) -> str:
    return bytes(rfc8785.dumps(content)).decode()
