"""Receipts (c2sp.org/tlog-proof@v1): one entry's inclusion proof together with the checkpoint it leads to."""

from dataclasses import dataclass
from typing import Final, Self

from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.encoding import (
    HASH_SIZE,
    MAX_SIZE,
    EncodingError,
    decode_base64,
    decode_decimal,
    decode_hash,
    encode_base64,
)
from audit.tlog.keyhistory import Trusted, as_history, read_checkpoint_in
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.proof import ProofError, verify_inclusion
from audit.tlog.tree import leaf_hash
from audit.tlog.verification import Check, Verification

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63
MAX_RECEIPT_BYTES: Final = 2_000_000


def is_receipt(data: bytes) -> bool:
    """Whether a file calls itself a receipt."""
    return data.startswith(HEADER.encode() + b"\n")


class ReceiptError(ValueError):
    """A text is not a receipt."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the entry at `index` is under the signed checkpoint.

    `extra` is opaque and not covered by any signature: never trust it. Raises ReceiptError on impossible
    values.
    """

    index: int
    hashes: tuple[bytes, ...]
    """Inclusion proof, the leaf's sibling first (RFC 6962 section 2.1.1)."""
    checkpoint_note: str
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE or len(self.hashes) > MAX_HASHES:
            raise ReceiptError(f"A receipt needs an index from 0 up and at most {MAX_HASHES} hashes.")
        if any(len(item) != HASH_SIZE for item in self.hashes):
            raise ReceiptError(f"Every hash of a receipt must be exactly {HASH_SIZE} bytes.")

    def to_text(self) -> str:
        """The receipt as a text, to be stored as `.tlog-proof`."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(encode_base64, self.hashes)
        return "\n".join(lines) + "\n\n" + self.checkpoint_note

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Inverse of to_text; the checkpoint's signatures are not checked here. Raises ReceiptError."""
        if len(text) > MAX_RECEIPT_BYTES:
            raise ReceiptError(f"A receipt may have at most {MAX_RECEIPT_BYTES} bytes.")
        try:
            whole = text.decode() if isinstance(text, bytes) else text
        except UnicodeDecodeError:
            raise ReceiptError("A receipt must be valid UTF-8.") from None
        head, blank, note = whole.partition("\n\n")
        header, *lines = head.split("\n")
        if header != HEADER or not blank:
            raise ReceiptError(f"A receipt starts with the line {HEADER} and has a blank line before the checkpoint.")
        try:
            extra = None
            if lines and lines[0].startswith("extra "):
                extra = decode_base64(lines.pop(0).removeprefix("extra "), "extra data")
            if not lines or not lines[0].startswith("index "):
                raise ReceiptError("The receipt lacks its index line.")
            index = decode_decimal(lines.pop(0).removeprefix("index "), "index")
            hashes = tuple(decode_hash(line, f"proof hash {n}") for n, line in enumerate(lines, 1))
        except EncodingError as error:
            raise ReceiptError(f"The receipt is malformed. {error}") from None
        return cls(index, hashes, note, extra)

    def verify(self, entry: bytes, vkeys: Trusted) -> Checkpoint:
        """The checkpoint under which these exact entry bytes stand at `index`.

        Raises the errors of keyhistory.read_checkpoint_in, or ProofError.
        """
        checkpoint, _ = read_checkpoint_in(self.checkpoint_note, as_history(vkeys))
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def verify_receipt(text: str | bytes, entry: bytes, vkeys: Trusted) -> Verification:
    """Check a receipt for these entry bytes against the keys one trusts, each for its sizes. Raises ReceiptError."""
    receipt = Receipt.parse(text)
    try:
        checkpoint, opened = read_checkpoint_in(receipt.checkpoint_note, as_history(vkeys))
    except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError) as error:
        return Verification("receipt", (Check("checkpoint", ok=False, detail=str(error)),), pinned=True)
    signed = Check(
        "checkpoint",
        ok=True,
        detail=f"{checkpoint.origin} at size {checkpoint.size}, signed by the given key.",
    )
    try:
        verify_inclusion(leaf_hash(entry), receipt.index, checkpoint.size, receipt.hashes, checkpoint.root)
        included = Check("entry", ok=True, detail="The entry is in the log at this index.", index=receipt.index)
    except ProofError as error:
        included = Check("entry", ok=False, detail=str(error), index=receipt.index)
    return Verification("receipt", (signed, included), pinned=True, keys=opened.signers, checkpoint=checkpoint)
