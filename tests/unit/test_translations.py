"""The Japanese catalogue: compiled as it is written, and every text keeps the values its original has."""

import gettext
import re
from pathlib import Path

from governance.classification import newest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "locale" / "ja" / "LC_MESSAGES"
_ENTRY = re.compile(
    r'^(?:msgctxt "(?P<context>.*)"\n)?msgid "(?P<id>.*)"\n'
    r'(?:msgid_plural "(?P<plural>.*)"\n)?msgstr(?:\[0\])? "(?P<text>.*)"$',
    re.MULTILINE,
)
_VALUE = re.compile(r"%\([a-z_]+\)s")


def _plain(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def _entries() -> list[tuple[str | None, str, str | None, str]]:
    source = (FOLDER / "django.po").read_text(encoding="utf-8")
    return [
        (found["context"], _plain(found["id"]), found["plural"], _plain(found["text"]))
        for found in _ENTRY.finditer(source)
        if found["id"]
    ]


def test_no_text_loses_or_invents_a_value() -> None:
    for _context, original, plural, text in _entries():
        if text:
            known = set(_VALUE.findall(original)) | set(_VALUE.findall(plural or ""))
            assert set(_VALUE.findall(text)) <= known, original
            assert set(_VALUE.findall(original)) <= set(_VALUE.findall(text)), original


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    for context, original, plural, text in _entries():
        if not text:
            continue
        if plural is not None:
            assert catalogue.ngettext(original, _plain(plural), 2) == text
        elif context is None:
            assert catalogue.gettext(original) == text
        else:
            assert catalogue.pgettext(context, original) == text


def test_the_pages_are_translated() -> None:
    done = sum(bool(text) for _context, _id, _plural, text in _entries())
    assert done >= 800


def test_every_word_of_the_newest_decision_tree_is_translated() -> None:
    tree = newest()
    words = {text for question in tree.questions.values() for text in (question.text, question.help)}
    words |= {choice.label for question in tree.questions.values() for choice in question.choices}
    words |= {text for result in tree.results.values() for text in (result.label, result.note)}
    translated = {original for _context, original, _plural, text in _entries() if text}
    assert words - {""} - translated == set()
