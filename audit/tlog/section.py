"""Commitments to the disclosable parts of an event.

A leaf holds only the commitment, so that a section's bytes can be shown, checked or erased alone without
touching the tree. The salt is 32 fresh random bytes for each section; without it the commitment cannot be
opened or guessed.
"""

import hmac
from functools import lru_cache
from typing import Final

from audit.tlog.mac import hmac_sha256

SALT_SIZE: Final = 32

_DOMAIN: Final = b"assay/section/v1"


class SectionError(ValueError):
    """A section cannot be committed to, or does not open its commitment."""


def commit(salt: bytes, origin: str, entry_id: str, name: str, body: bytes) -> bytes:
    """32-byte commitment to `body` as section `name` of entry `entry_id` of the log `origin`.

    HMAC-SHA256(salt, "assay/section/v1" || lp(origin) || lp(entry_id) || lp(name) || body), where lp(x) is
    the length of the UTF-8 bytes as big-endian uint32, then the bytes. Raises SectionError unless the salt is
    exactly 32 bytes: HMAC pads short keys and hashes long ones, so two different salts could open one
    commitment.
    """
    if len(salt) != SALT_SIZE:
        raise SectionError(f"A section's salt must be exactly {SALT_SIZE} bytes, not {len(salt)}.")
    return hmac_sha256(salt, _opening(origin) + _lp(entry_id) + _named(name) + body)


def opens(commitment: bytes, salt: bytes, origin: str, entry_id: str, name: str, body: bytes) -> bool:
    """Whether salt and body are what the commitment was made from. Raises SectionError as commit does."""
    return hmac.compare_digest(commitment, commit(salt, origin, entry_id, name, body))


@lru_cache(maxsize=64)
def _opening(origin: str) -> bytes:
    return _DOMAIN + _lp(origin)


@lru_cache(maxsize=256)
def _named(name: str) -> bytes:
    return _lp(name)


def _lp(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "big") + data
