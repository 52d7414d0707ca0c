"""Keys, signed notes and checkpoints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.checkpoint import (
    Checkpoint,
    CheckpointError,
    open_checkpoint,
    peek_checkpoint,
    read_checkpoint,
    sign_checkpoint,
)
from audit.tlog.encoding import EncodingError, decode_base64, decode_decimal, encode_base64
from audit.tlog.keys import KeyTextError, SigningKey, VerifierKey
from audit.tlog.note import (
    InvalidSignatureError,
    MalformedNoteError,
    UnverifiedNoteError,
    open_note,
    read_note,
    sign_note,
)
from audit.tlog.tree import EMPTY_ROOT

# The worked example of c2sp.org/signed-note v1.0.0.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

LOG = SigningKey.generate("assay.example/demo", b"L" * 32)
WITNESS = SigningKey.generate("witness.example", b"W" * 32)
ROOT = bytes(range(32))

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n")).map(
    lambda text: text + "\n"
)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1).filter(
    lambda name: "+" not in name
)


def test_the_worked_example_opens() -> None:
    assert open_note(EXAMPLE_NOTE, [VerifierKey.parse(EXAMPLE_KEY)]) == "This is an example message.\n"


@given(texts, st.lists(st.tuples(names, st.binary(min_size=32, max_size=32)), min_size=1, max_size=4))
def test_what_was_signed_opens(text: str, seeds: list[tuple[str, bytes]]) -> None:
    keys = [SigningKey.generate(name, seed) for name, seed in seeds]
    opened = read_note(sign_note(text, keys), [key.verifier for key in keys])
    assert opened.text == text
    assert set(opened.signers) == {key.verifier for key in keys}
    assert opened.unknown == ()


@given(names, st.binary(min_size=32, max_size=32))
def test_key_texts_are_read_back(name: str, seed: bytes) -> None:
    key = SigningKey.generate(name, seed)
    assert SigningKey.from_text(key.to_text()) == key
    assert VerifierKey.parse(key.verifier.to_text()) == key.verifier


def test_every_changed_byte_of_a_note_is_refused() -> None:
    note = sign_note("one line\n", [LOG]).encode()
    for place in range(len(note)):
        for bit in (1, 0x20, 0x80):
            changed = note[:place] + bytes([note[place] ^ bit]) + note[place + 1 :]
            with pytest.raises((MalformedNoteError, InvalidSignatureError, UnverifiedNoteError)):
                open_note(changed, [LOG.verifier])


def test_unknown_keys_are_ignored_and_known_ones_must_hold() -> None:
    note = sign_note("text\n", [WITNESS, LOG])
    assert read_note(note, [LOG.verifier]).unknown == (WITNESS.name,)
    other = sign_note("other\n", [WITNESS]).split("\n\n")[1]
    mixed = sign_note("text\n", [LOG]) + other
    assert open_note(mixed, [LOG.verifier]) == "text\n"
    with pytest.raises(InvalidSignatureError, match=r"witness\.example"):
        open_note(mixed, [LOG.verifier, WITNESS.verifier])
    with pytest.raises(UnverifiedNoteError):
        open_note(mixed, [])
    namesake = SigningKey.generate(LOG.name, b"N" * 32)
    with pytest.raises(UnverifiedNoteError):
        open_note(sign_note("text\n", [namesake]), [LOG.verifier])


@pytest.mark.parametrize("note", [b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n", "\ud800\n", "x" * 1_000_001, "", "\n\n"])
def test_texts_that_are_no_notes(note: str | bytes) -> None:
    with pytest.raises(MalformedNoteError):
        open_note(note, [LOG.verifier])


def test_signature_lines_must_be_well_formed() -> None:
    for line in ("— name AAAA\n", "— name AAAAAAAA", "- name AAAAAAAA\n", "— a+b AAAAAAAA\n", "— name AAAAAAA\n"):
        with pytest.raises(MalformedNoteError):
            open_note(f"text\n\n{line}", [LOG.verifier])
    with pytest.raises(MalformedNoteError, match="at least one"):
        sign_note("text\n", [])


def test_keys_under_which_anyone_can_sign_are_refused() -> None:
    for y in ("00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ee" + "ff" * 31, "00" * 31 + "80"):
        with pytest.raises(KeyTextError, match="small order"):
            VerifierKey("name", bytes.fromhex(y))


def test_other_malformed_keys() -> None:
    for text in ("", "name", "name+00000000", "name+0000000g+AA==", f"{LOG.verifier.to_text()}\n"):
        with pytest.raises(KeyTextError):
            VerifierKey.parse(text)
    with pytest.raises(KeyTextError, match=r"PRIVATE\+KEY"):
        SigningKey.from_text(LOG.verifier.to_text())
    with pytest.raises(KeyTextError, match="copied wrongly"):
        SigningKey.from_text(LOG.to_text().replace("demo", "dema"))
    with pytest.raises(KeyTextError, match="32 bytes"):
        SigningKey.generate("name", b"short")
    with pytest.raises(KeyTextError, match="32 bytes"):
        VerifierKey("name", b"short")
    with pytest.raises(KeyTextError, match="plain Ed25519"):
        VerifierKey.parse("name+00000000+" + encode_base64(b"\x06" + bytes(32)))


def test_a_signing_key_does_not_show_its_seed() -> None:
    assert "LLLL" not in repr(LOG)
    assert len(LOG.verifier.fingerprint) == 64


def test_a_checkpoint_is_signed_and_opened() -> None:
    checkpoint = Checkpoint(LOG.name, 42, ROOT)
    note = sign_checkpoint(checkpoint, LOG)
    assert note.startswith(f"{LOG.name}\n42\n{encode_base64(ROOT)}\n\n— {LOG.name} ")
    assert open_checkpoint(note, [LOG.verifier]) == checkpoint == peek_checkpoint(note)
    assert read_checkpoint(note, [WITNESS.verifier, LOG.verifier])[1].signers == (LOG.verifier,)


def test_a_witness_cannot_stand_in_for_the_log() -> None:
    checkpoint = Checkpoint(LOG.name, 42, ROOT)
    with pytest.raises(CheckpointError, match="names must match"):
        sign_checkpoint(checkpoint, WITNESS)
    with pytest.raises(CheckpointError, match="not signed by a key of that log"):
        open_checkpoint(sign_note(checkpoint.to_text(), [WITNESS]), [WITNESS.verifier, LOG.verifier])


@given(names, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(names, max_size=3))
def test_checkpoint_texts_are_read_back(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.to_text()) == checkpoint


BASE = f"log\n5\n{encode_base64(ROOT)}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n5\n",
        BASE[:-1],
        f"{BASE}\n",
        BASE.replace("log", ""),
        BASE.replace("5", "05"),
        BASE.replace("5", "-5"),
        BASE.replace("5", "+5"),
        BASE.replace("5", "５"),
        BASE.replace("5", str(2**63)),
        BASE.replace("5", "0"),
        BASE.replace("=", ""),
        BASE.replace("8=", "9="),
        f"log\n5\n{encode_base64(ROOT[:31])}\n",
        f"log\n5\n {encode_base64(ROOT)}\n",
    ],
)
def test_texts_that_are_no_checkpoints(text: str) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.parse(text)


def test_an_empty_log_has_one_root() -> None:
    assert Checkpoint.parse(Checkpoint("log", 0, EMPTY_ROOT).to_text()).size == 0
    with pytest.raises(CheckpointError, match="empty log"):
        Checkpoint("log", 0, ROOT)
    with pytest.raises(CheckpointError):
        Checkpoint("log", 1, ROOT[:31])
    with pytest.raises(CheckpointError):
        Checkpoint("log", 1, ROOT, ("",))
    with pytest.raises(CheckpointError):
        Checkpoint("lo\ng", 1, ROOT)


@given(st.binary())
def test_base64_has_one_spelling(data: bytes) -> None:
    text = encode_base64(data)
    assert decode_base64(text, "value") == data
    for other in (f" {text}", f"{text}\n", f"{text}=", text.rstrip("=") if "=" in text else f"{text}A"):
        with pytest.raises(EncodingError):
            decode_base64(other, "value")


@pytest.mark.parametrize("text", ["AAB=", "AB==", "A", "AA", "é", "\ud800", "AA-_"])
def test_unusual_base64_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        decode_base64(text, "value")


@pytest.mark.parametrize("text", ["", "00", "01", "-1", "1 ", "٣", "9" * 19, "9" * 5000])
def test_unusual_numbers_are_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        decode_decimal(text, "value")
