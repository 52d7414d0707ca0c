"""HMAC-SHA256 (RFC 2104) out of two hashes.

`hmac.digest` lets go of the interpreter for each call; in a process of many threads that costs more than the hashing,
and an entry needs four of them. `sha256` holds on to it for anything short.
"""

from hashlib import sha256
from typing import Final

_BLOCK: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The 32-byte code of a message. Raises ValueError for a key of more than 64 bytes, which RFC 2104 hashes first:
    keys here have 32.
    """
    padded = _padded(key)
    return sha256(padded.translate(_OUTER) + sha256(padded.translate(_INNER) + message).digest()).digest()


class Mac:
    """`hmac_sha256` of many messages under one key, whose two blocks are hashed once.

    Raises ValueError as `hmac_sha256` does.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = _padded(key)
        self._inner = sha256(padded.translate(_INNER))
        self._outer = sha256(padded.translate(_OUTER))

    def __call__(self, message: bytes) -> bytes:
        """The 32-byte code of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def _padded(key: bytes) -> bytes:
    if len(key) > _BLOCK:
        raise ValueError(f"A key has at most {_BLOCK} bytes, not {len(key)}.")
    return key.ljust(_BLOCK, b"\0")
