"""Which entries a request asks for: the query of the list, read and judged."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from audit.formats.moments import MomentError, NoSuchMoment, Span, read_span
from audit.queries.search import Wanted

MAX_WORD: Final = 256
"""Characters of a type, subject or source in a leaf."""


class Unreadable(ValueError):
    """A parameter that says nothing this list understands; the message says what it should be."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def asked(query: Mapping[str, str], *, now: datetime) -> tuple[Wanted, int | None, int]:
    """What is looked for, the cursor `before`, and how many entries at most.

    Raises:
        Unreadable: naming the first parameter that is wrong.
    """
    before, limit = _number(query, "before", 1 << 62), _number(query, "limit", 500)
    words = {name: query.get(name, "") for name in ("type", "subject", "source")}
    for name, text in words.items():
        if len(text) > MAX_WORD:
            raise Unreadable(name, f"At most {MAX_WORD} characters; no leaf holds more.")
    first, last = (_span(query, name, now) for name in ("received_from", "received_to"))
    wanted = Wanted(**words, received_from=first.start if first else None, received_to=last.end if last else None)
    return wanted, before, limit or 50


def _number(query: Mapping[str, str], name: str, most: int) -> int | None:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise Unreadable(name, f"A whole number from 1 to {most}.")
    return int(text) if text else None


def _span(query: Mapping[str, str], name: str, now: datetime) -> Span | None:
    text = query.get(name, "")
    try:
        return read_span(text, now=now) if text else None
    except NoSuchMoment:
        raise Unreadable(name, "There is no such day or time between the years 2000 and 2199.") from None
    except MomentError:
        raise Unreadable(name, "A day such as 2026-11-24, or a time such as 2026-11-24T14:30:00Z.") from None
