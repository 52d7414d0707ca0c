"""Digests that somebody sends: the hexadecimal text, with or without the name of the algorithm before it."""

import re
from typing import Final

from governance.operations.base import Refused

_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def sha256_text(field: str, value: str, *, required: bool = False) -> str:
    """The 64 hexadecimal digits of a SHA-256, empty where none was given.

    Raises:
        Refused: something else, or nothing although it is required.
    """
    found = _SHA256.fullmatch(value.strip().lower())
    if found is not None:
        return found[1]
    if value.strip() or required:
        raise Refused(field, "must be 64 hexadecimal digits.")
    return ""
