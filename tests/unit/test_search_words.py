"""Words of a search: the same for what is kept and for what is asked, and nothing but letters and digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.queries.words import LONGEST, MOST_ASKED, MOST_KEPT, SHELF, asked, kept, lexemes, template, words_of

_TEXT = st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Z"]), max_size=120)
_JAPANESE = st.text(st.sampled_from("信用メモの下書き審査担当々ー"), min_size=1, max_size=12)


@given(_TEXT, _TEXT)
def test_a_part_of_a_text_finds_it(text: str, other: str) -> None:
    words = kept([other, text])
    for question in (text, f" {text}\n"):
        if len(words) < MOST_KEPT:
            assert all(any(word.startswith(wanted) for word in words) for wanted in asked(question)), question


@given(_JAPANESE, st.integers(min_value=0, max_value=11), st.integers(min_value=1, max_value=12))
def test_any_part_of_japanese_text_finds_it(text: str, start: int, length: int) -> None:
    part = text[start : start + length]
    words = kept([f"call {text} 2026"])
    assert all(any(word.startswith(wanted) for word in words) for wanted in asked(part))


@given(_TEXT)
def test_words_are_letters_and_digits_within_limits(text: str) -> None:
    words = list(words_of(text))
    assert all(0 < len(word) <= LONGEST for word in words)
    assert not any(character in word for word in words for character in "'\\:&|!()<>/# \t")
    assert len(asked(text)) <= MOST_ASKED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("REQ-0007", ("req0007",)),
        ("req-7", ("req0007",)),
        ("DEP-12345678", ("dep12345678",)),
        ("credit-memo-draft", ("credit", "memo", "draft")),
        ("ＡＢＣ　ｶﾒﾗ", ("abc", "カメ", "メラ")),
        ("下書き", ("下書", "書き")),
        ("書", ("書",)),
        ("0199f3c2-7a41-4d0e-9b55-3f1c2ae80d77", ("0199f3c27a414d0e9b553f1c2ae80d77",)),
        ("' & !:*", ()),
    ],
)
def test_what_a_question_asks_for(text: str, words: tuple[str, ...]) -> None:
    assert asked(text) == words
    assert all(any(word.startswith(wanted) for word in kept([text])) for wanted in asked(text))


def test_how_words_stand_in_a_document_and_in_a_query() -> None:
    assert lexemes("request", SHELF, ["draft"]) == ["request/1/draft"]
    assert template(["a", "書き"]) == "'#a':* & '#書き':*"
    assert kept(["2026-11-24T09:00:00.000000Z"]) == ()
