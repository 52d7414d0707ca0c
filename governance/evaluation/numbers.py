"""Numbers as text: a decimal that reads the same everywhere, and never passes through a float."""

import re
from decimal import Decimal
from typing import Final

NUMBER: Final = r"^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?$"
"""What a number looks like once it is kept; the database holds the same."""

_NUMBER: Final = re.compile(NUMBER)
_GIVEN: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_LONGEST: Final = 70


class NumberRefused(ValueError):
    """A text that is no number of the kind that is kept."""


def number_text(given: str) -> str:
    """The plain decimal text of a number; its digits stay as they were given, trailing zeros included.

    Raises:
        NumberRefused: no number, or one with more than 30 digits on either side of the point.
    """
    words = given.strip()
    if len(words) > _LONGEST or _GIVEN.fullmatch(words) is None:
        raise NumberRefused("is not a decimal number such as 0.925.")
    found = Decimal(words)
    text = f"{found:f}"
    if found.is_zero():
        text = text.removeprefix("-")
    if _NUMBER.fullmatch(text) is None:
        raise NumberRefused("has more than 30 digits before or after the point.")
    return text
