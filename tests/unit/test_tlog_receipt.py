"""Receipts in the text of c2sp.org/tlog-proof@v1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.checkpoint import CheckpointError
from audit.tlog.encoding import encode_base64
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, SigningKey, UnverifiedNoteError
from audit.tlog.proof import ProofError
from audit.tlog.receipt import HEADER, Receipt, ReceiptError, verify_receipt
from tests.unit.tlog_reference import ORIGIN, SampleLog

LOG = SampleLog(40)
KEY = LOG.key.verifier


def test_a_receipt_proves_its_entry_and_no_other() -> None:
    for index in range(40):
        receipt = Receipt.parse(LOG.receipt(index))
        assert receipt.verify(LOG.leaves[index], [KEY]).size == 40
        with pytest.raises(ProofError):
            receipt.verify(LOG.leaves[index - 1], [KEY])
        result = verify_receipt(LOG.receipt(index), LOG.leaves[index], [KEY])
        assert result.ok and result.pinned and result.keys == (KEY,)


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.none() | st.binary(),
)
def test_receipts_are_read_back(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    receipt = Receipt(index, tuple(hashes), LOG.checkpoint(40), extra)
    assert Receipt.parse(receipt.to_text()) == receipt
    assert Receipt.parse(receipt.to_text().encode()) == receipt


def test_the_text_is_that_of_the_specification() -> None:
    lines = Receipt(0, (bytes(32),), "log\n", b"hi").to_text().split("\n")
    assert lines == [HEADER, "extra aGk=", "index 0", encode_base64(bytes(32)), "", "log", ""]


GOOD = LOG.receipt(7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("index 7", "index 07"),
        GOOD.replace("index 7", "index -7"),
        GOOD.replace("index 7\n", ""),
        GOOD.replace("index 7", "Index 7"),
        GOOD.replace("index 7", "extra not-base64\nindex 7"),
        GOOD.replace("index 7", "index 7\nindex 7"),
        GOOD.replace("=\n", "\n", 1),
        GOOD.replace("=\n", "= \n", 1),
        GOOD.replace("\n\n", "\n"),
        f"{HEADER}\nindex 0\n{(encode_base64(bytes(32)) + chr(10)) * 64}\nlog\n",
        f"{HEADER}\nindex 0\n{encode_base64(bytes(31))}\n\nlog\n",
        "x" * 2_000_001,
    ],
)
def test_texts_that_are_no_receipts(text: str) -> None:
    with pytest.raises(ReceiptError):
        Receipt.parse(text)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ReceiptError, match="UTF-8"):
        Receipt.parse(b"\xff")


def test_impossible_receipts_cannot_be_made() -> None:
    for index, hashes in ((-1, ()), (2**63, ()), (0, (bytes(31),)), (0, (bytes(32),) * 64)):
        with pytest.raises(ReceiptError):
            Receipt(index, hashes, "")


def test_every_flipped_hash_bit_and_signature_byte_is_refused() -> None:
    receipt = Receipt.parse(GOOD)
    for n, item in enumerate(receipt.hashes):
        hashes = (*receipt.hashes[:n], bytes([item[0] ^ 1]) + item[1:], *receipt.hashes[n + 1 :])
        with pytest.raises(ProofError):
            Receipt(7, hashes, receipt.checkpoint_note).verify(LOG.leaves[7], [KEY])
    note = receipt.checkpoint_note
    for place in range(len(note)):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        with pytest.raises((InvalidSignatureError, MalformedNoteError, UnverifiedNoteError, CheckpointError)):
            Receipt(7, receipt.hashes, changed).verify(LOG.leaves[7], [KEY])


def test_what_is_said_of_a_receipt_that_fails() -> None:
    wrong = verify_receipt(GOOD, b"another entry", [KEY])
    assert not wrong.ok and wrong.first_bad_index == 7
    stranger = SigningKey.generate(ORIGIN, b"S" * 32).verifier
    unsigned = verify_receipt(GOOD, LOG.leaves[7], [stranger])
    assert not unsigned.ok and unsigned.failures[0].name == "checkpoint"
