"""Text as the words that a search looks up: the same for what is kept and for what is asked.

Latin and other words are runs of letters and digits, without case and in one width. Japanese and Chinese have no
spaces: their runs become pairs of neighbours, and the last character alone, so that any part of a run is found by its
pairs. An id and a digest are one word each; so is a reference such as REQ-0007.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

SHELF: Final = 8192
"""Documents of a kind that share a shelf. A search reads shelves newest first until it has enough."""

MOST_KEPT: Final = 600
MOST_ASKED: Final = 8
LONGEST: Final = 64
LONGEST_ASKED: Final = 200

MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
"""A time as snapshots hold it."""

_CJK: Final = "\u3005\u3006\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = re.compile(
    rf"(?P<uuid>[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}})|(?P<cjk>[{_CJK}]+)|(?P<word>[^\W_{_CJK}]+)"
)
_REF = re.compile(r"([a-z]{2,6})-(\d{1,12})")


def words_of(text: str) -> Iterator[str]:
    """The words of a text, each as often as it stands there."""
    for run in _RUN.finditer(_plain(text)):
        if run["cjk"]:
            yield from (run["cjk"][place : place + 2] for place in range(len(run["cjk"])))
        else:
            yield (run["word"] or run["uuid"].replace("-", ""))[:LONGEST]


def kept(texts: Iterable[str]) -> tuple[str, ...]:
    """The words under which texts are found, at most MOST_KEPT: the first ones of the first texts."""
    found: dict[str, None] = {}
    for text in texts:
        if MOMENT.fullmatch(text):
            continue
        if (ref := _ref(text)) and len(found) < MOST_KEPT:
            found[ref] = None
        for word in words_of(text):
            if len(found) >= MOST_KEPT:
                return tuple(found)
            found[word] = None
    return tuple(found)


def asked(text: str) -> tuple[str, ...]:
    """The words that a question asks for, each as the beginning of a kept one: at most MOST_ASKED."""
    text = text[:LONGEST_ASKED]
    if ref := _ref(text):
        return (ref,)
    found = list(dict.fromkeys(words_of(text)))
    # The last character of a run stands alone beside its pair: asked for, it would only find less.
    whole = [word for word in found if not (len(word) == 1 and _in_a_pair(word, found))]
    return tuple(whole[:MOST_ASKED])


def lexemes(kind: str, number: int, words: Iterable[str]) -> list[str]:
    """Words as they stand in the document `number` of a kind."""
    return [f"{kind}/{number // SHELF}/{word}" for word in words]


def template(words: Iterable[str]) -> str:
    """The query for words in PostgreSQL's form; `#` stands where kind and shelf go. Words are letters and digits."""
    return " & ".join(f"'#{word}':*" for word in words)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _ref(text: str) -> str:
    match = _REF.fullmatch(_plain(text).strip())
    return f"{match[1]}{int(match[2]):04}" if match else ""


def _in_a_pair(word: str, found: Iterable[str]) -> bool:
    return bool(re.fullmatch(f"[{_CJK}]", word)) and any(len(pair) == 2 and pair[1] == word for pair in found)
