"""Signed notes (c2sp.org/signed-note): text, a blank line, then signature lines of Ed25519 keys.

    — <key name> base64(4-byte key ID || signature)

Key ID = SHA-256(key name || 0x0A || 0x01 || 32-byte public key)[:4]. It finds the key, it does not identify
it: keys are compared whole. The text means nothing until a key one trusts has signed it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from audit.tlog.encoding import EncodingError, decode_base64, encode_base64
from audit.tlog.keys import KEY_ID_SIZE, KeyTextError, SigningKey, VerifierKey, is_valid_key_name

__all__ = [
    "InvalidSignatureError",
    "KeyTextError",
    "MalformedNoteError",
    "OpenedNote",
    "SigningKey",
    "UnverifiedNoteError",
    "VerifierKey",
    "open_note",
    "read_note",
    "sign_note",
    "split_note",
]

MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100

_SIGNATURE_PREFIX: Final = "\N{EM DASH} "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


class MalformedNoteError(ValueError):
    """A text is not a signed note, or cannot be signed as one."""


class InvalidSignatureError(ValueError):
    """A key we know signed something else: the note was changed, or made up."""


class UnverifiedNoteError(ValueError):
    """No signature on the note is by a key we know."""


class OpenedNote(NamedTuple):
    """A note that at least one known key has signed."""

    text: str
    signers: tuple[VerifierKey, ...]
    """Known keys whose signatures were checked, in the order of the note."""
    unknown: tuple[str, ...]
    """Names on signature lines of keys we do not know: not checked, not trusted."""


def sign_note(text: str, keys: Iterable[SigningKey]) -> str:
    """The signed note over `text`. Raises MalformedNoteError when the text does not end in a newline or
    cannot be signed.
    """
    data = _note_bytes(text)
    if not text.endswith("\n"):
        raise MalformedNoteError("The text of a signed note must end in a newline.")
    lines = [f"{_SIGNATURE_PREFIX}{key.name} {encode_base64(key.verifier.key_id + key.sign(data))}\n" for key in keys]
    if not lines:
        raise MalformedNoteError("A signed note needs at least one signature.")
    return f"{text}\n{''.join(lines)}"


def open_note(note: str | bytes, vkeys: Sequence[VerifierKey]) -> str:
    """The text of a note signed by one of the keys; see read_note, which also names the signers."""
    return read_note(note, vkeys).text


def read_note(note: str | bytes, vkeys: Sequence[VerifierKey]) -> OpenedNote:
    """Check a signed note against the keys one trusts.

    Signatures of other keys are ignored, also when they share a name or an ID with a known key. Raises
    MalformedNoteError, InvalidSignatureError when the signature of a known key fails, UnverifiedNoteError
    when no known key signed.
    """
    text, lines = split_note(note)
    known = {(key.name, key.key_id): key for key in vkeys}
    data = text.encode()
    signers: dict[VerifierKey, None] = {}
    unknown: dict[str, None] = {}
    for name, signature in lines:
        key = known.get((name, signature[:KEY_ID_SIZE]))
        if key is None:
            unknown[name] = None
        elif key not in signers:
            if not key.is_signed(data, signature[KEY_ID_SIZE:]):
                raise InvalidSignatureError(f"The signature of {name} does not fit this text: one of them was changed.")
            signers[key] = None
    if not signers:
        raise UnverifiedNoteError("The note has no signature by a key that is trusted here.")
    return OpenedNote(text, tuple(signers), tuple(unknown))


def split_note(note: str | bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """Text and (key name, key ID || signature) lines of a note, nothing of it checked. Raises
    MalformedNoteError.
    """
    content = _note_bytes(note).decode()
    # The last blank line separates: the text itself may hold blank lines (signed-note, "Format").
    text, blank, signatures = content.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise MalformedNoteError("This is not a signed note: it does not end in a blank line and signature lines.")
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNoteError(f"A signed note may carry at most {MAX_SIGNATURES} signatures.")
    return text + "\n", [_signature_line(line) for line in lines]


def _signature_line(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not space or not is_valid_key_name(name):
        raise MalformedNoteError("A line after the blank line of the signed note is not a signature line.")
    try:
        signature = decode_base64(encoded, f"signature of {name}")
    except EncodingError as error:
        raise MalformedNoteError(str(error)) from None
    if len(signature) <= KEY_ID_SIZE:
        raise MalformedNoteError(f"The signature of {name} is empty.")
    return name, signature


def _note_bytes(note: str | bytes) -> bytes:
    try:
        data = note.encode() if isinstance(note, str) else note
        text = data.decode()
    except UnicodeError:
        raise MalformedNoteError("A signed note must be valid UTF-8.") from None
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedNoteError(f"A signed note may have at most {MAX_NOTE_BYTES} bytes.")
    if _CONTROL.search(text):
        raise MalformedNoteError("A signed note must not hold control characters other than newline.")
    return data
