"""The front matter of a Hugging Face model card: YAML between two lines `---` at the start of `README.md`.

Every value is read as the text that stands there: YAML 1.1 would make `no` (Norwegian) a false and a version
a number. Anchors and aliases are refused, because a few lines of them unfold into gigabytes; equal keys too,
because readers differ in which one they keep. Keys that are not known here are not looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import yaml

from governance.formats.strict_json import FormatError, text

CARD_LIMIT: Final = 4 << 20
FRONT_MATTER_LIMIT: Final = 128 << 10
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 20_000
MAX_ITEMS: Final = 200
NAME: Final = "README.md"
RELATIONS: Final = ("adapter", "converted", "distilled", "finetune", "merge", "quantized")

_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*---[ \t]*\r?\n")
_END: Final = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)

Value: TypeAlias = "str | list[Value] | dict[str, Value]"


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A model card, read.

    Attributes:
        licence: as the card names it; `license_name` where `license` only says `other`.
        relation: what the model is to its base models, in the words of Hugging Face; empty when not said.
    """

    licence: str
    base_models: tuple[str, ...]
    relation: str
    datasets: tuple[str, ...]
    tags: tuple[str, ...]
    languages: tuple[str, ...]


def read_card(data: bytes) -> CardFacts:
    """The facts in the front matter of a `README.md`.

    Raises:
        FormatError: no front matter, not within the limits, or a key that says what it cannot.
    """
    found = _front_matter(data)
    licence = ", ".join(_texts(found, "license"))
    relation = _text(found, "base_model_relation")
    if relation not in {"", *RELATIONS}:
        raise FormatError("base_model_relation", f"must be one of {', '.join(RELATIONS)}.")
    if licence == "other":
        licence = _text(found, "license_name") or licence
    if len(licence) > 200:
        raise FormatError("license", "must be at most 200 printable characters.")
    return CardFacts(
        licence=licence,
        base_models=_texts(found, "base_model"),
        relation=relation,
        datasets=_texts(found, "datasets"),
        tags=_texts(found, "tags"),
        languages=_texts(found, "language"),
    )


def _front_matter(data: bytes) -> dict[str, Value]:
    if len(data) > CARD_LIMIT:
        raise FormatError(NAME, f"is larger than {CARD_LIMIT} bytes.")
    start = _START.match(data)
    end = _END.search(data, start.end()) if start is not None else None
    if start is None or end is None:
        raise FormatError(NAME, "has no front matter: YAML between two lines --- at its start.")
    raw = data[start.end() : end.start()]
    if len(raw) > FRONT_MATTER_LIMIT:
        raise FormatError(NAME, f"has front matter of {len(raw)} bytes; at most {FRONT_MATTER_LIMIT} are read.")
    try:
        found = _parsed(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise FormatError(NAME, "is not UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        raise FormatError(NAME, f"has front matter that is not YAML{_where(error.problem_mark)}.") from error
    except yaml.YAMLError as error:
        raise FormatError(NAME, "has front matter that is not YAML.") from error
    if not isinstance(found, dict):
        raise FormatError(NAME, "has front matter that is not a mapping of keys.")
    return found


def _parsed(source: str) -> Value:
    """Build the value from the parser's events, so that nothing unfolds and nothing recurses."""
    open_values: list[_Open] = []
    whole: list[Value] = []
    values = 0
    for event in yaml.parse(source, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise FormatError(NAME, f"has an anchor or alias{_where(event.start_mark)}; write it out.")
        made: Value
        if isinstance(event, yaml.ScalarEvent):
            made = event.value
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            open_values.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else []))
            if len(open_values) > MAX_DEPTH:
                raise FormatError(NAME, f"has front matter nested deeper than {MAX_DEPTH} levels.")
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            made = open_values.pop().value
        else:
            continue
        values += 1
        if values > MAX_VALUES:
            raise FormatError(NAME, f"has front matter of more than {MAX_VALUES} values.")
        if open_values:
            open_values[-1].take(made)
        else:
            whole.append(made)
    if len(whole) != 1:
        raise FormatError(NAME, "has front matter that is not a mapping of keys.")
    return whole[0]


def _where(mark: object) -> str:
    """The line of the file, of which the parser saw all but the first one."""
    line = getattr(mark, "line", None)
    return f" in line {line + 2}" if isinstance(line, int) else ""


class _Open:
    """A list or mapping whose end has not come yet; a mapping takes key and value in turn."""

    def __init__(self, value: list[Value] | dict[str, Value]) -> None:
        self.value = value
        self.key: str | None = None

    def take(self, made: Value) -> None:
        if isinstance(self.value, list):
            self.value.append(made)
        elif self.key is not None:
            self.value[self.key] = made
            self.key = None
        elif not isinstance(made, str):
            raise FormatError(NAME, "has front matter with a key that is not text.")
        elif made in self.value:
            raise FormatError(NAME, f"names {made[:80]!r} twice.")
        else:
            self.key = made


def _text(found: Mapping[str, Value], field: str) -> str:
    return text(found, field).strip()


def _texts(found: Mapping[str, Value], field: str) -> tuple[str, ...]:
    """The texts under `field`, where one may stand alone; empty ones are left out."""
    value = found.get(field, [])
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ITEMS:
        raise FormatError(field, f"names {len(items)} things; at most {MAX_ITEMS} are read.")
    named = (_text({field: item}, field) for item in items)
    return tuple(dict.fromkeys(item for item in named if item))
