"""JSON from outside, read once and refused with a reason: size, depth, duplicate keys, NaN, huge numbers.

The standard parser keeps the last of two equal keys and takes NaN for a number; both let a file say one thing
to us and another to the next reader.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1
# To the end of the data when the closing quote is missing, so that a hostile file is still read in one pass.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z|\\\Z)', re.DOTALL)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


class FormatError(ValueError):
    """A file that is not what it is said to be.

    Attributes:
        field: where in the file, or the name of the file.
        reason: a sentence the sender can act on.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def read_object(data: bytes, *, name: str, limit: int) -> dict[str, object]:
    """The JSON object in `data`.

    Args:
        name: what to call the file in an error.
        limit: most bytes that are read.

    Raises:
        FormatError: not one JSON object within the limits.
    """
    if len(data) > limit:
        raise FormatError(name, f"is {len(data)} bytes; at most {limit} are read.")
    _check_depth(data, name)
    try:
        text = data.decode("utf-8")
        found: object = json.loads(
            text, object_pairs_hook=_unique(name), parse_constant=_no_constant(name), parse_int=_integer(name)
        )
    except UnicodeDecodeError as error:
        raise FormatError(name, "is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise FormatError(name, f"is not JSON: line {error.lineno}, column {error.colno}.") from error
    if not isinstance(found, dict):
        raise FormatError(name, "must hold one JSON object.")
    return found


def integer(found: Mapping[str, object], field: str, *, low: int = 0, high: int = MAX_INTEGER) -> int | None:
    """The whole number under `field`; None when absent or null.

    Raises:
        FormatError: another type, or out of bounds.
    """
    value = found.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatError(field, "must be a whole number.")
    if not low <= value <= high:
        raise FormatError(field, f"must be between {low} and {high}.")
    return value


def text(found: Mapping[str, object], field: str, *, limit: int = 200) -> str:
    """The string under `field`; empty when absent or null.

    Raises:
        FormatError: another type, too long, or with characters that no name has.
    """
    value = found.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FormatError(field, "must be text.")
    if len(value) > limit or not value.isprintable():
        raise FormatError(field, f"must be at most {limit} printable characters.")
    return value


def flag(found: Mapping[str, object], field: str, *, default: bool) -> bool:
    """The boolean under `field`.

    Raises:
        FormatError: another type.
    """
    value = found.get(field)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise FormatError(field, "must be true or false.")
    return value


def mapping(found: Mapping[str, object], field: str) -> dict[str, object] | None:
    """The object under `field`; None when absent or null.

    Raises:
        FormatError: another type.
    """
    value = found.get(field)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise FormatError(field, "must be an object.")
    return value


def _check_depth(data: bytes, name: str) -> None:
    """Refuse deep nesting before the recursive parser meets it. Brackets inside strings do not count."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise FormatError(name, f"is nested deeper than {MAX_DEPTH} levels.")


def _unique(name: str) -> Callable[[list[tuple[str, object]]], dict[str, object]]:
    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            counted = Counter(key for key, _value in pairs)
            twice = next(key for key, count in counted.items() if count > 1)
            raise FormatError(name, f"names {twice[:80]!r} twice.")
        return found

    return collect


def _no_constant(name: str) -> Callable[[str], object]:
    def refuse(constant: str) -> object:
        raise FormatError(name, f"holds {constant}, which is not JSON.")

    return refuse


def _integer(name: str) -> Callable[[str], int]:
    def read(digits: str) -> int:
        if len(digits) > 20:
            raise FormatError(name, f"holds a number of {len(digits)} digits.")
        return int(digits)

    return read
