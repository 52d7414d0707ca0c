"""Checkpoints (c2sp.org/tlog-checkpoint): a signed note of origin, tree size and root, one a line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from audit.tlog.encoding import HASH_SIZE, MAX_SIZE, EncodingError, decode_decimal, decode_hash, encode_base64
from audit.tlog.note import OpenedNote, SigningKey, VerifierKey, read_note, sign_note, split_note
from audit.tlog.tree import EMPTY_ROOT

_BODY_LINES: Final = 3
_LINE_BREAKING = re.compile("[\x00-\x1f]")


class CheckpointError(ValueError):
    """A text is not a checkpoint, or not one of the log that was asked for."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: `root` is the RFC 6962 tree hash of its first `size` entries.

    Raises CheckpointError on values a checkpoint cannot hold; size 0 has the root SHA-256("") and no other.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Extension lines of other logs, kept as they are; this log writes none."""

    def __post_init__(self) -> None:
        if not self.origin or any(map(_LINE_BREAKING.search, (self.origin, *self.extensions))):
            raise CheckpointError("A checkpoint's origin and extension lines must be single lines of text.")
        if not all(self.extensions):
            raise CheckpointError("A checkpoint's extension lines must not be empty.")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise CheckpointError("A checkpoint needs a size from 0 up and a root of exactly 32 bytes.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("The checkpoint of an empty log must have the root SHA-256 of nothing.")

    def to_text(self) -> str:
        """The note text to sign, ending in a newline."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of to_text. Raises CheckpointError."""
        lines = text.split("\n")
        if len(lines) <= _BODY_LINES or lines.pop():
            raise CheckpointError("A checkpoint has three lines: origin, tree size and root.")
        origin, size, root, *extensions = lines
        try:
            return cls(origin, decode_decimal(size, "tree size"), decode_hash(root, "root hash"), tuple(extensions))
        except EncodingError as error:
            raise CheckpointError(f"The checkpoint is malformed. {error}") from None


def sign_checkpoint(checkpoint: Checkpoint, *keys: SigningKey) -> str:
    """The checkpoint as a note signed by all these keys. Raises CheckpointError unless each is named like the log
    (its origin).
    """
    for key in keys:
        if key.name != checkpoint.origin:
            raise CheckpointError(
                f"The key {key.name} cannot sign for the log {checkpoint.origin}: the names must match."
            )
    return sign_note(checkpoint.to_text(), keys)


def open_checkpoint(note: str | bytes, vkeys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint of a note that the log's own key signed; see read_checkpoint."""
    return read_checkpoint(note, vkeys)[0]


def read_checkpoint(note: str | bytes, vkeys: Sequence[VerifierKey]) -> tuple[Checkpoint, OpenedNote]:
    """Check a signed checkpoint: one of `vkeys` that is named like its origin must have signed.

    A witness's key beside it is welcome but cannot stand in for the log. Raises the errors of note.read_note
    and CheckpointError.
    """
    opened = read_note(note, vkeys)
    checkpoint = Checkpoint.parse(opened.text)
    if all(key.name != checkpoint.origin for key in opened.signers):
        raise CheckpointError(f"The checkpoint of {checkpoint.origin} is not signed by a key of that log.")
    return checkpoint, opened


def peek_checkpoint(note: str | bytes) -> Checkpoint:
    """What a note claims, its signatures NOT checked: for showing only. Raises MalformedNoteError and
    CheckpointError.
    """
    return Checkpoint.parse(split_note(note)[0])
