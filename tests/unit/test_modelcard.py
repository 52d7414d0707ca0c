"""The front matter of model cards: known keys as text, and YAML that unfolds, repeats or nests refused."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from governance.formats import modelcard
from governance.formats.modelcard import CARD_LIMIT, FRONT_MATTER_LIMIT, CardFacts, read_card
from governance.formats.strict_json import FormatError

CARD = """---
# as written by a maker
license: apache-2.0
base_model: Qwen/Qwen3-8B
base_model_relation: quantized
datasets:
- HuggingFaceFW/fineweb
- allenai/c4
language: [en, no, ja]
tags: ["text-generation", 1.10, text-generation]
model-index:
- name: x
  results: [{metrics: [{value: 0.5}]}]
widget:
- text: |
    ---
    not the end
---
# Model
license: mit
"""


def front(text: str) -> bytes:
    return f"---\n{text}\n---\n# Model\n".encode()


def test_a_card_gives_its_claims_as_text() -> None:
    found = read_card(CARD.replace("    ---\n", "").encode())
    assert found == CardFacts(
        licence="apache-2.0",
        base_models=("Qwen/Qwen3-8B",),
        relation="quantized",
        datasets=("HuggingFaceFW/fineweb", "allenai/c4"),
        tags=("text-generation", "1.10"),
        languages=("en", "no", "ja"),
    )


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n\n"])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_line_ends_and_what_stands_before(before: bytes, line: str) -> None:
    text = front("license: mit\ntags:\n- a").decode().replace("\n", line)
    assert read_card(before + text.encode()).licence == "mit"


def test_an_indented_line_of_hyphens_does_not_end_it() -> None:
    assert read_card(CARD.encode()).relation == "quantized"


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("license: other\nlicense_name: llama3.1", "llama3.1"),
        ("license: other", "other"),
        ("license: mit\nlicense_name: unused", "mit"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
        ("license:", ""),
        ("tags: []", ""),
    ],
)
def test_the_licence(text: str, licence: str) -> None:
    assert read_card(front(text)).licence == licence


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        (b"", "README.md", "no front matter"),
        (b"# Model\n---\nlicense: mit\n---\n", "README.md", "no front matter"),
        (b"---\nlicense: mit\n", "README.md", "no front matter"),
        (b" " * (CARD_LIMIT + 1), "README.md", "larger than"),
        (front("a: " + "x" * FRONT_MATTER_LIMIT), "README.md", "front matter of"),
        (b"---\nlicense: \xff\n---\n", "README.md", "not UTF-8"),
        (front("license: \x07"), "README.md", "not YAML"),
        (front("a: [1"), "README.md", "not YAML in line"),
        (front("a: b: c"), "README.md", "not YAML in line 2"),
        (front("- a"), "README.md", "not a mapping"),
        (front("just text"), "README.md", "not a mapping"),
        (front(""), "README.md", "not a mapping"),
        (front("a: &x [1]\nb: *x"), "README.md", "anchor or alias in line 2"),
        (front("b: *x"), "README.md", "anchor or alias in line 2"),
        (front("<<: {license: mit}\nlicense: a\nlicense: b"), "README.md", "'license' twice"),
        (front("a: {b: 1, b: 2}"), "README.md", "'b' twice"),
        (front("? [a]\n: b"), "README.md", "a key that is not text"),
        (front("a: " + "[" * 20 + "]" * 20), "README.md", "nested deeper"),
        (front("a: [" + "1," * 21_000 + "]"), "README.md", "more than 20000 values"),
        (front("license: {name: mit}"), "license", "must be text"),
        (front("license: " + "x" * 201), "license", "printable"),
        (front("license: [" + ", ".join(f"{n:0>90}" for n in range(3)) + "]"), "license", "200"),
        (front("base_model: [[a]]"), "base_model", "must be text"),
        (front('base_model: "a\\x1bb"'), "base_model", "printable"),
        (front("base_model_relation: cousin"), "base_model_relation", "must be one of"),
        (front("base_model_relation: [merge]"), "base_model_relation", "must be text"),
        (front("tags: [" + ",".join(map(str, range(201))) + "]"), "tags", "names 201 things"),
    ],
)
def test_a_card_that_cannot_be(data: bytes, field: str, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read_card(data)
    assert caught.value.field == field


def test_a_tag_makes_no_object() -> None:
    found = read_card(front("license: !!python/object/apply:os.getcwd []\ntags: !!int x"))
    assert (found.licence, found.tags) == ("", ("x",))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_card(front(text.encode("utf-8", "replace").decode()))
    except FormatError as error:
        assert error.reason


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_card(b"---\n" + data + b"\n---\n")
    except FormatError as error:
        assert error.reason


NAMES = st.text("abcxyz0189日é-./ ", min_size=1, max_size=30)
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "license": NAMES,
        "base_model": st.lists(NAMES, max_size=3),
        "base_model_relation": st.sampled_from(modelcard.RELATIONS),
        "datasets": NAMES | st.lists(NAMES, max_size=3),
        "tags": st.lists(NAMES, max_size=5),
        "language": NAMES,
        "unknown": st.recursive(NAMES, lambda inner: st.lists(inner, max_size=2), max_leaves=4),
    },
)


@given(CLAIMS)
def test_what_is_written_is_read(claims: dict[str, Any]) -> None:
    text = yaml.safe_dump({"pipeline_tag": "text-generation", **claims}, allow_unicode=True, default_style='"')
    found = read_card(front(text))

    def told(key: str) -> tuple[str, ...]:
        items = claims.get(key, [])
        named = [item.strip() for item in (items if isinstance(items, list) else [items])]
        return tuple(dict.fromkeys(item for item in named if item))

    assert found.licence == next(iter(told("license")), "")
    assert found.relation == claims.get("base_model_relation", "")
    assert (found.base_models, found.datasets) == (told("base_model"), told("datasets"))
    assert (found.tags, found.languages) == (told("tags"), told("language"))
