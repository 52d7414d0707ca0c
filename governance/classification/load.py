"""Reading a tree file: strict YAML, and a tree in which every walk ends.

Anchors, aliases and duplicate keys are refused: they let a file say less than it means, or two things at once.
Values are text, so no date and no `no` becomes something else; `true` alone is a truth.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

from governance.classification.tree import (
    AFTER_HIGH,
    HIGH,
    TIERS,
    UNSURE,
    Choice,
    Question,
    Result,
    Rule,
    Tree,
)

FOLDER: Final = Path(__file__).parents[1] / "catalogue" / "frameworks"
PREFIX: Final = "eu-ai-act-"
MAX_BYTES: Final = 1024 * 1024
MAX_NODES: Final = 1000
_COMPUTE: Final = re.compile(r"(\w+) is (?:not empty|set)")


class TreeRefused(ValueError):
    """A tree file that cannot be used, or a version that does not exist."""


class _Strict(yaml.BaseLoader):
    """The base loader, which makes text of every scalar, without what could make a file ambiguous."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        node = super().compose_node(parent, index)
        if self.anchors:
            raise TreeRefused(f"{', '.join(map(str, self.anchors))}: anchors and aliases are not read.")
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise TreeRefused(f"line {key.start_mark.line + 1}: a key must be text.")
            if key.value in seen:
                raise TreeRefused(f"line {key.start_mark.line + 1}: {key.value!r} stands twice.")
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=True))


def versions() -> tuple[str, ...]:
    """Versions of the tree that are shipped, oldest first."""
    return tuple(sorted(path.stem.removeprefix(PREFIX) for path in FOLDER.glob(f"{PREFIX}*.yaml")))


def newest() -> Tree:
    """The tree that new classifications follow."""
    return load_tree(versions()[-1])


@lru_cache(maxsize=8)
def load_tree(version: str) -> Tree:
    """The tree of a version.

    Raises:
        TreeRefused: there is no such version.
    """
    if version not in versions():
        raise TreeRefused(f"There is no version {version} of the decision tree; there is {', '.join(versions())}.")
    tree = read_tree((FOLDER / f"{PREFIX}{version}.yaml").read_bytes())
    if tree.version != version:
        raise TreeRefused(f"The file of version {version} says that it is {tree.version}.")
    return tree


def read_tree(data: bytes) -> Tree:
    """The tree in a file.

    Raises:
        TreeRefused: not strict YAML, a field that is missing, or a tree in which a walk could fail to end.
    """
    content = _document(data)
    try:
        questions, rules = _nodes(content["nodes"])
        tree = Tree(
            id=_text(content["id"]),
            version=_text(content["version"]),
            title=_text(content["title"]),
            disclaimer=_text(content["disclaimer"]),
            legal_text=_text(content["legal_basis"]["consolidated_text"]),
            digest=hashlib.sha256(data).hexdigest(),
            start=_text(content["start"]),
            questions=questions,
            rules=rules,
            results=MappingProxyType({key: _result(key, found) for key, found in content["results"].items()}),
        )
    except KeyError as error:
        raise TreeRefused(f"{error.args[0]!r} is missing.") from error
    except (TypeError, AttributeError) as error:
        raise TreeRefused("A field is not of the form that a tree has.") from error
    _check(tree)
    return tree


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise TreeRefused(f"The file is {len(data)} bytes; at most {MAX_BYTES} are read.")
    loader = _Strict(data)
    try:
        content = loader.get_single_data()
    except (yaml.YAMLError, RecursionError) as error:
        raise TreeRefused(f"The file is not YAML: {error}") from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise TreeRefused("The file must hold one mapping.")
    return content


def _nodes(found: Mapping[str, Any]) -> tuple[Mapping[str, Question], Mapping[str, Rule]]:
    questions: dict[str, Question] = {}
    rules: dict[str, Rule] = {}
    for key, node in found.items():
        answers = node["answers"]
        if "compute" in node:
            match = _COMPUTE.fullmatch(_text(node["compute"]))
            if match is None or set(answers) != {"yes", "no"}:
                raise TreeRefused(f"{key}: this rule is not known.")
            rules[key] = Rule(key, match[1], _text(answers["yes"]["next"]), _text(answers["no"]["next"]))
        else:
            choices = tuple(_choice(answer, said) for answer, said in answers.items())
            if not choices or UNSURE in answers:
                raise TreeRefused(f"{key}: needs answers of its own; {UNSURE} is always one.")
            refs = tuple(map(_text, node["refs"]))
            questions[key] = Question(key, _text(node["question"]), _text(node.get("help", "")), refs, choices)
    return MappingProxyType(questions), MappingProxyType(rules)


def _choice(answer: str, found: Mapping[str, Any]) -> Choice:
    sets = tuple((key, value == "true" or _text(value)) for key, value in found.get("set", {}).items())
    return Choice(answer, _text(found.get("label", "")), _text(found["next"]), sets)


def _result(key: str, found: Mapping[str, Any]) -> Result:
    if found["tier"] not in TIERS:
        raise TreeRefused(f"{key}: the tier {found['tier']!r} is not known.")
    return Result(
        id=key,
        tier=found["tier"],
        label=_text(found["label"]),
        refs=tuple(map(_text, found["refs"])),
        obligations=tuple(map(_text, found["obligations"])),
        applies_from=tuple((_text(case), _text(date)) for case, date in found.get("applies_from", {}).items()),
        note=_text(found.get("note", "")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _check(tree: Tree) -> None:
    """Every node leads somewhere, is reached from the start, and never comes back to itself."""
    known = {**tree.questions, **tree.rules, **tree.results}
    if len(known) != len(tree.questions) + len(tree.rules) + len(tree.results) or len(known) > MAX_NODES:
        raise TreeRefused("A node and a result share an id, or there are too many.")
    if tree.start not in tree.questions:
        raise TreeRefused(f"The start {tree.start!r} is no question.")
    done: set[str] = set()
    _visit(tree, tree.start, known, (), done)
    if set(known) - done:
        raise TreeRefused(f"Nothing leads to {', '.join(sorted(set(known) - done))}.")
    if any(result.tier == HIGH for result in tree.results.values()) and AFTER_HIGH not in tree.questions:
        raise TreeRefused(f"A high result needs the question {AFTER_HIGH!r}.")


def _visit(tree: Tree, node: str, known: Mapping[str, object], above: tuple[str, ...], done: set[str]) -> None:
    if node not in known:
        raise TreeRefused(f"{above[-1]} leads to {node!r}, which does not exist.")
    if node in above:
        raise TreeRefused(f"{node} leads back to itself.")
    if node not in done:
        for following in _following(tree, node):
            _visit(tree, following, known, (*above, node), done)
        done.add(node)


def _following(tree: Tree, node: str) -> Iterator[str]:
    if node in tree.questions:
        yield from (choice.next for choice in tree.questions[node].choices)
    elif node in tree.rules:
        yield from (tree.rules[node].yes, tree.rules[node].no)
