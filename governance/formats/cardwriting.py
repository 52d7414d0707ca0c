"""Writing a Hugging Face model card: `README.md` whose front matter `governance.formats.modelcard` reads back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from governance.formats.modelcard import CardFacts

_LICENCE_ID: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")
HUB_LICENCES: Final = frozenset(
    {
        "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bigcode-openrail-m", "bigscience-bloom-rail-1.0",
        "bigscience-openrail-m", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "c-uda", "cc", "cc-by-2.0",
        "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-2.0",
        "creativeml-openrail-m", "deepfloyd-if-license", "ecl-2.0", "epl-2.0", "eupl-1.1", "eupl-1.2", "gemma",
        "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "h-research", "intel-research", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0",
        "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "mit", "mpl-2.0", "ms-pl", "odbl",
        "odc-by", "ofl-1.1", "openmdw-1.0", "openrail", "openrail++", "osl-3.0", "other", "pddl", "postgresql",
        "unlicense", "wtfpl", "zlib",
    }
)  # fmt: skip
"""What the Hub takes as `license`; every other name is written as `license_name` beside `license: other`."""


@dataclass(frozen=True, slots=True)
class Result:
    """A measured value for `model-index`: figures as the text that was recorded."""

    task: str
    dataset: str
    metric: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card to write.

    Attributes:
        facts: the front matter that is read back. `loaded_by`: its `library_name`.
        about: sections of the text: a title, and lines of name and value.
    """

    name: str
    facts: CardFacts
    loaded_by: str = ""
    task: str = ""
    results: tuple[Result, ...] = ()
    about: tuple[tuple[str, Sequence[tuple[str, str]]], ...] = ()


class _Dumper(yaml.SafeDumper):
    """Every value written out: the reader refuses aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_card(card: Card) -> bytes:
    """The bytes of `README.md`."""
    front = yaml.dump(_front(card), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    lines = [f"# {_shown(card.name)}"]
    for title, facts in card.about:
        lines += ["", f"## {_shown(title)}", "", "| | |", "|---|---|"]
        lines += [f"| {_shown(name)} | {_shown(value)} |" for name, value in facts]
    return f"---\n{front}---\n\n{chr(10).join(lines)}\n".encode()


def _front(card: Card) -> dict[str, Any]:
    facts = card.facts
    said: dict[str, Any] = {
        **_licence(facts.licence),
        "base_model": list(facts.base_models),
        "base_model_relation": facts.relation,
        "library_name": card.loaded_by,
        "pipeline_tag": card.task,
        "language": list(facts.languages),
        "datasets": list(facts.datasets),
        "tags": list(facts.tags),
        "model-index": _index(card),
    }
    return {key: value for key, value in said.items() if value} or {"tags": []}


def _licence(licence: str) -> dict[str, str]:
    if licence in HUB_LICENCES or (licence.lower() in HUB_LICENCES and _LICENCE_ID.fullmatch(licence.lower())):
        return {"license": licence.lower()}
    return {"license": "other", "license_name": licence} if licence else {}


def _index(card: Card) -> list[dict[str, Any]]:
    if not card.results:
        return []
    results = [
        {
            "task": {"type": found.task},
            "dataset": {"name": found.dataset, "type": found.dataset},
            "metrics": [{"type": found.metric, "value": found.value}],
        }
        for found in card.results
    ]
    return [{"name": card.name, "results": results}]


def _shown(text: str) -> str:
    """`text` as Markdown shows it, on one line and without a meaning of its own."""
    return re.sub(r"([\\`*_{}\[\]<>|#!~&])", r"\\\1", " ".join(text.split()))
