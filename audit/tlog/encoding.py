"""Strict text encodings shared by notes, receipts and bundles.

Lenient decoding lets two different texts stand for one value, so a signed or hashed file could be changed
without being noticed. Everything here therefore accepts exactly one spelling of each value.
"""

import re
from binascii import Error as Base64Problem
from binascii import a2b_base64, b2a_base64
from typing import Final

HASH_SIZE: Final = 32
"""Bytes of a SHA-256 hash."""

MAX_SIZE: Final = (1 << 63) - 1
"""Largest tree size, as in the Go and C2SP implementations (int64)."""

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})", re.ASCII)


class EncodingError(ValueError):
    """A text is not the one allowed spelling of a value."""


def encode_base64(data: bytes) -> str:
    """Standard padded Base64 without line breaks (RFC 4648 section 4)."""
    return b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str, what: str) -> bytes:
    """Bytes of a standard padded Base64 text (RFC 4648 section 4).

    `what` names the value in the error. Raises EncodingError on white space, missing padding or set trailing
    bits.
    """
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Base64Problem, ValueError):
        raise EncodingError(f"The {what} is not valid Base64.") from None
    # a2b_base64 overlooks set unused bits in the last digit and, before Python 3.13, surplus padding.
    if b2a_base64(data, newline=False) != text.encode("ascii"):
        raise EncodingError(f"The {what} is Base64 in an unusual form; only the standard form is accepted.")
    return data


def decode_hash(text: str, what: str) -> bytes:
    """A Base64 text of exactly 32 bytes. Raises EncodingError."""
    data = decode_base64(text, what)
    if len(data) != HASH_SIZE:
        raise EncodingError(f"The {what} has {len(data)} bytes; a SHA-256 hash has {HASH_SIZE}.")
    return data


def decode_decimal(text: str, what: str) -> int:
    """A whole number in ASCII digits without leading zeros, at most 2**63 - 1. Raises EncodingError."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise EncodingError(f"The {what} is not a plain whole number below 2**63.")
    return int(text)
