"""The decision tree: its worked examples, that every walk ends, and which answers and files are refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.classification import (
    TIERS,
    UNCLASSIFIED,
    UNSURE,
    Answer,
    AnswersRefused,
    Tree,
    TreeRefused,
    classification_digest,
    classify,
    load_tree,
    newest,
    versions,
    walk,
)
from governance.classification.load import FOLDER, PREFIX, read_tree

DIGESTS = {"2026.11.23": "67f2fe12b84c5efbef69628a69bdb000696fd9b3452860c65ae729c45c7af525"}
"""A file that was used never changes."""

TRANSPARENCY = ("t1", "t2", "t3", "t4", "t5")


def content(version: str) -> Any:
    return yaml.safe_load((FOLDER / f"{PREFIX}{version}.yaml").read_text(encoding="utf-8"))


EXAMPLES = {example["id"]: example for example in content("2026.11.23")["examples"]}


def answers(said: dict[str, str]) -> list[Answer]:
    return [Answer(node, answer, f"because of {node}") for node, answer in said.items()]


def drawn(data: st.DataObject, tree: Tree) -> list[Answer]:
    """Answers to whatever is asked, until nothing is."""
    said: dict[str, Answer] = {}
    while (question := walk(tree, said).waits_for) is not None:
        assert question.id not in said
        choices = [choice.answer for choice in question.choices]
        # Mostly answers that lead on, so that the far ends are reached too.
        answer = data.draw(st.sampled_from([*choices * 4, UNSURE]))
        said[question.id] = Answer(question.id, answer, data.draw(st.text("ab", min_size=1, max_size=3)))
    return list(said.values())


def test_every_version_is_pinned() -> None:
    assert {version: load_tree(version).digest for version in versions()} == DIGESTS
    assert newest().version == versions()[-1]
    assert len(newest().questions) + len(newest().rules) == 67
    assert len(newest().results) == 26


def test_there_are_all_worked_examples() -> None:
    assert len(EXAMPLES) == 16


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_a_worked_example(key: str) -> None:
    example = EXAMPLES[key]
    expected = example["expected"]
    said = dict(example["answers"])
    if expected["tier"] == "high":
        with pytest.raises(AnswersRefused) as caught:
            classify(newest(), answers(said))
        assert caught.value.node == "t1", "the questions about transparency are asked as well"
        said |= dict.fromkeys(TRANSPARENCY, "no")
    found = classify(newest(), answers(said))
    assert (found.result, found.tier) == (expected["result"], expected["tier"])
    reached = walk(newest(), {answer.node: answer for answer in answers(said)})
    assert dict(reached.kept) == expected["state"]


def test_a_high_use_may_have_duties_of_transparency_too() -> None:
    said = {**EXAMPLES["ex05"]["answers"], **dict.fromkeys(TRANSPARENCY, "no"), "t1": "yes", "t4": "yes", "t5": "yes"}
    reached = walk(newest(), {answer.node: answer for answer in answers(said)})
    assert reached.tier == "high"
    assert reached.kept["art50"] == ["50(1)", "50(4)"]


@given(st.data())
def test_every_walk_ends_and_its_path_leads_there_again(data: st.DataObject) -> None:
    tree = newest()
    said = drawn(data, tree)
    found = classify(tree, said)
    assert found.tier in {*TIERS, UNCLASSIFIED}
    assert (found.result == "") == (found.tier == UNCLASSIFIED) == (said[-1].answer == UNSURE)
    again = [Answer(**step) for step in yaml.safe_load(found.path)]
    assert again == said
    shuffled = data.draw(st.permutations(said))
    assert classify(tree, again) == classify(tree, shuffled) == found
    assert found.digest == classification_digest(tree_digest=tree.digest, path=found.path, result=found.result)


@given(st.data())
def test_nothing_may_be_missing_and_nothing_too_much(data: st.DataObject) -> None:
    tree = newest()
    said = drawn(data, tree)
    position = data.draw(st.integers(0, len(said) - 1))
    left = said[:position] + said[position + 1 :]
    with pytest.raises(AnswersRefused) as caught:
        classify(tree, left)
    assert caught.value.node == said[position].node
    others = sorted(tree.questions.keys() - {answer.node for answer in said})
    stray = data.draw(st.sampled_from(others))
    with pytest.raises(AnswersRefused, match="take it out"):
        classify(tree, [*said, Answer(stray, "no", "for nothing")])


@pytest.mark.parametrize(
    ("said", "node", "words"),
    [
        ([], "s1", "not answered"),
        ([Answer("s1", "no", "a"), Answer("s1", "yes", "b")], "s1", "twice"),
        ([Answer("s1", "no", " ")], "s1", "reason"),
        ([Answer("s1", "maybe", "a")], "s1", "one of yes, no, unsure"),
        ([Answer("s99", "no", "a")], "s99", "no question"),
        ([Answer("t6", "yes", "a")], "t6", "no question"),
        ([Answer("s1", UNSURE, "a"), Answer("s2", "yes", "b")], "s2", "not asked"),
    ],
)
def test_answers_that_lead_to_nothing(said: list[Answer], node: str, words: str) -> None:
    with pytest.raises(AnswersRefused, match=words) as caught:
        classify(newest(), said)
    assert caught.value.node == node


def test_the_digest_holds_reasons_and_tree() -> None:
    one = classify(newest(), [Answer("s1", UNSURE, "a")])
    other = classify(newest(), [Answer("s1", UNSURE, "b")])
    assert one.digest != other.digest
    assert one.digest != classification_digest(tree_digest="0" * 64, path=one.path, result=one.result)


def test_facts_of_a_tree_hold_everything() -> None:
    facts = newest().facts()
    questions = facts["questions"]
    assert isinstance(questions, dict)
    assert set(questions) == set(newest().questions)
    assert facts["digest"] == newest().digest


SMALL = """
id: t
version: v
title: t
disclaimer: d
legal_basis: {consolidated_text: c}
start: a
nodes:
  a: {question: q, refs: [r], answers: {'yes': {next: b}, 'no': {next: r1}}}
  b: {compute: x is set, answers: {'yes': {next: r1}, 'no': {next: r1}}}
results:
  r1: {tier: minimal, label: l, refs: [r], obligations: []}
"""


def test_a_small_tree_is_read() -> None:
    assert read_tree(SMALL.encode()).questions["a"].text == "q"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("id: t\n", "id: t\nid: u\n", "stands twice"),
        ("id: t\n", "id: &x t\nother: *x\n", "anchors"),
        ("id: t\n", "id: [t]\n", "form"),
        ("id: t\n", "? [a]\n: t\n", "key must be text"),
        ("version: v\n", "", "'version' is missing"),
        ("{next: b}", "{next: c}", "does not exist"),
        ("{next: b}", "{next: a}", "back to itself"),
        ("{next: b}", "{next: r1}", "Nothing leads to b"),
        ("x is set", "x is odd", "rule is not known"),
        ("tier: minimal", "tier: low", "tier 'low'"),
        ("tier: minimal", "tier: high", "needs the question"),
        ("start: a", "start: r1", "no question"),
        ("'no': {next: r1}}}\n  b", "unsure: {next: r1}}}\n  b", "always one"),
        ("  r1: {", "  a: {", "share an id"),
        ("nodes:\n", "nodes: [\n", "not YAML"),
        (SMALL, "- a\n", "one mapping"),
        (SMALL, "[" * 20_000, "not YAML"),
        (SMALL, "# " + "x" * 1024 * 1024, "at most"),
    ],
)
def test_a_file_that_is_no_tree(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(TreeRefused, match=words):
        read_tree(SMALL.replace(old, new).encode())


def test_a_version_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TreeRefused, match="no version 1999"):
        load_tree("1999")
    monkeypatch.setattr("governance.classification.load.FOLDER", tmp_path)
    (tmp_path / f"{PREFIX}w.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(TreeRefused, match="says that it is v"):
        load_tree("w")
