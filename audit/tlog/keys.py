"""Named Ed25519 keys of signed notes (c2sp.org/signed-note) and their text forms."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.tlog.encoding import EncodingError, decode_base64, encode_base64

ED25519: Final = 0x01
"""Signature type identifier byte of plain Ed25519 signatures (signed-note, "Signature types")."""

KEY_ID_SIZE: Final = 4
PUBLIC_KEY_SIZE: Final = 32
SEED_SIZE: Final = 32

_PRIVATE_PREFIX: Final = "PRIVATE+KEY+"
_KEY_ID_HEX = re.compile("[0-9a-f]{8}", re.ASCII)

# Ed25519 points of small order, y coordinate without the sign bit: under such a "key" anyone can sign
# anything.
_SMALL_ORDER_Y: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


class KeyTextError(ValueError):
    """A verifier or signing key text is malformed, or is of a kind this program does not use."""


def is_valid_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no Unicode space or control character, no plus sign."""
    return bool(name) and "+" not in name and not any(char.isspace() or char < " " for char in name)


def key_id(name: str, public_key: bytes) -> bytes:
    """The 4-byte key ID of an Ed25519 key."""
    # signed-note, "Signatures": SHA-256(key name || 0x0A || signature type || public key)[:4].
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public_key).digest()[:KEY_ID_SIZE]


@dataclass(frozen=True)
class VerifierKey:
    """A named Ed25519 public key; its text form is `name+hash+base64(0x01 || key)`."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_valid_key_name(self.name):
            raise KeyTextError("A key name must not be empty and must not hold spaces or plus signs.")
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise KeyTextError(f"An Ed25519 key has {PUBLIC_KEY_SIZE} bytes, not {len(self.public_key)}.")
        if self.public_key[:31] + bytes([self.public_key[31] & 0x7F]) in _SMALL_ORDER_Y:
            raise KeyTextError("This Ed25519 key is a point of small order: its signatures prove nothing.")

    @cached_property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before its signatures."""
        return key_id(self.name, self.public_key)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the whole key text, in hexadecimal: what people compare over another channel."""
        return sha256(self.to_text().encode()).hexdigest()

    @cached_property
    def _ed25519(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public_key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key text. Raises KeyTextError."""
        name, key = _split_key(text, "verifier key", PUBLIC_KEY_SIZE)
        result = cls(name, key)
        if result.to_text() != text:
            raise KeyTextError("The verifier key's name and hash do not belong to its key: it was copied wrongly.")
        return result

    def to_text(self) -> str:
        """`name+hash+base64`, as in a policy or settings file."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([ED25519]) + self.public_key)}"

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made the signature over the bytes."""
        try:
            self._ed25519.verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A named Ed25519 private key; its text form is `PRIVATE+KEY+name+hash+base64(0x01 || seed)`."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_SIZE:
            raise KeyTextError(f"An Ed25519 seed has {SEED_SIZE} bytes, not {len(self.seed)}.")
        if not is_valid_key_name(self.name):
            raise KeyTextError("A key name must not be empty and must not hold spaces or plus signs.")

    @cached_property
    def _ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self._ed25519.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str, seed: bytes) -> Self:
        """The key made from 32 bytes of fresh randomness. Raises KeyTextError on another length or a bad
        name.
        """
        return cls(name, seed)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a signing key text. Raises KeyTextError."""
        if not text.startswith(_PRIVATE_PREFIX):
            raise KeyTextError(f"A signing key starts with {_PRIVATE_PREFIX}.")
        name, seed = _split_key(text.removeprefix(_PRIVATE_PREFIX), "signing key", SEED_SIZE)
        result = cls(name, seed)
        if result.to_text() != text:
            raise KeyTextError("The signing key's name and hash do not belong to its key: it was copied wrongly.")
        return result

    def to_text(self) -> str:
        """The private key's text: a secret."""
        hash_text = self.verifier.key_id.hex()
        return f"{_PRIVATE_PREFIX}{self.name}+{hash_text}+{encode_base64(bytes([ED25519]) + self.seed)}"

    def sign(self, text: bytes) -> bytes:
        """64-byte Ed25519 signature (RFC 8032) over the bytes."""
        return self._ed25519.sign(text)


def _split_key(text: str, what: str, size: int) -> tuple[str, bytes]:
    """Name and key bytes of `name+hash+base64(0x01 || key)`; the caller checks the hash by writing the text
    again.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not _KEY_ID_HEX.fullmatch(parts[1]):
        raise KeyTextError(f"A {what} has the form name+hash+base64.")
    try:
        data = decode_base64(parts[2], what)
    except EncodingError as error:
        raise KeyTextError(str(error)) from None
    if len(data) != size + 1 or data[0] != ED25519:
        raise KeyTextError(f"The {what} is not a plain Ed25519 key, the only kind used here.")
    return parts[0], data[1:]
