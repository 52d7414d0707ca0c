"""Key histories: which key may sign which sizes, and everything that must not be believed about it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.keyhistory import (
    BEGINS,
    ENDS,
    KeyHistory,
    KeyHistoryError,
    KeyRange,
    extend,
    load,
    of_keys,
    read_checkpoint_in,
    read_history,
    sign_statement,
    trust,
)
from audit.tlog.keys import SigningKey
from audit.tlog.note import InvalidSignatureError, UnverifiedNoteError, sign_note

ORIGIN = "assay.example/keys"
K1, K2, K3, K4 = (SigningKey.generate(ORIGIN, bytes([number]) * 32) for number in (1, 2, 3, 4))
WITNESS = SigningKey.generate("witness.example", b"W" * 32)
FIRST = f"{K1.verifier.to_text()}\n"


def history_of(*notes: str) -> str:
    return FIRST + "".join(f"\n{note}" for note in notes)


def begins(old: SigningKey, new: SigningKey, size: int) -> str:
    return sign_statement(BEGINS, old=old, new=new, size=size)


def ends(old: SigningKey, new: SigningKey, size: int) -> str:
    return sign_statement(ENDS, old=old, new=new, size=size)


def checkpoint(size: int, *keys: SigningKey) -> str:
    return sign_note(Checkpoint(ORIGIN, size, bytes([7]) * 32).to_text(), keys)


V1, V2 = K1.verifier.to_text(), K2.verifier.to_text()


def raw(*lines: str, by: list[SigningKey]) -> str:
    """A note of any lines, to try what the writer would not write."""
    return sign_note("".join(f"{line}\n" for line in lines), by)


# K1 up to 20, K2 from 11 to 30, K3 from 21 on.
TEXT = history_of(begins(K1, K2, 11), ends(K1, K2, 20), begins(K2, K3, 21), ends(K2, K3, 30))
HISTORY = read_history(TEXT, None)


def test_ranges_are_read_and_written_back() -> None:
    assert HISTORY.ranges == (
        KeyRange(K1.verifier, 0, 20),
        KeyRange(K2.verifier, 11, 30),
        KeyRange(K3.verifier, 21, None),
    )
    assert HISTORY.to_text() == TEXT
    second = {"key": V2, "fingerprint": K2.verifier.fingerprint, "first": 11, "last": 30}
    said = HISTORY.to_dict()["keys"]
    assert isinstance(said, list)
    assert said[1] == second
    assert read_history(FIRST, None).to_text() == FIRST


def test_a_checkpoint_counts_only_by_a_key_of_its_size() -> None:
    """CVE-2023-31439 and its kind: whoever holds one key of a log must not be able to re-sign the rest of it."""
    for size, key in ((10, K1), (20, K1), (11, K2), (30, K2), (21, K3), (10**9, K3)):
        assert read_checkpoint_in(checkpoint(size, key), HISTORY)[1].signers == (key.verifier,)
    both = read_checkpoint_in(checkpoint(15, K1, K2, WITNESS), HISTORY)
    assert (both[0].size, both[1].signers) == (15, (K1.verifier, K2.verifier))
    # An old size signed by a newer key only, and a size after its key's last one.
    for size, key, says in ((10, K2, "from 11 to 30"), (20, K3, "from 21 on"), (21, K1, "from 0 to 20")):
        with pytest.raises(CheckpointError, match=f"only by a key that may sign sizes {says}"):
            read_checkpoint_in(checkpoint(size, key), HISTORY)
    # A dead key's signature beside a living one's neither helps nor harms.
    assert read_checkpoint_in(checkpoint(31, K1, K3), HISTORY)[1].signers == (K3.verifier,)
    with pytest.raises(UnverifiedNoteError):
        read_checkpoint_in(checkpoint(5, K4), HISTORY)
    forged = checkpoint(15, K1).replace("\n15\n", "\n16\n")
    with pytest.raises(InvalidSignatureError):
        read_checkpoint_in(forged, HISTORY)
    with pytest.raises(CheckpointError, match="not signed by a key of that log"):
        read_checkpoint_in(checkpoint(5, WITNESS), of_keys([WITNESS.verifier, K1.verifier]))


def test_plain_keys_are_good_for_all_sizes() -> None:
    plain = of_keys([K1.verifier, K3.verifier, K1.verifier])
    assert plain.valid_at(0) == plain.valid_at(10**12) == (K1.verifier, K3.verifier)
    with pytest.raises(KeyHistoryError, match="not one history"):
        plain.to_text()


OTHER = SigningKey.generate("assay.example/other", b"O" * 32)


@pytest.mark.parametrize(
    ("notes", "saying"),
    [
        ([raw(ORIGIN, "key-begins", V1, V2, "9", by=[K1])], "by both"),
        ([raw(ORIGIN, "key-begins", V1, V2, "9", by=[K2])], "by both"),
        ([raw(ORIGIN, "key-begins", V1, V2, "9", by=[K4])], "trusted"),
        ([begins(K1, K2, 9).replace("\n9\n", "\n8\n")], "does not fit"),
        ([begins(K2, K3, 9)], "not in the chain"),
        ([begins(K1, K2, 9), begins(K4, K3, 12)], "not in the chain"),
        ([begins(K1, K2, 9), begins(K1, K2, 12)], "begins once"),
        ([begins(K1, K1, 9)], "begins once"),
        ([begins(K1, K2, 9), begins(K2, K3, 8)], "reaches back"),
        ([begins(K1, K2, 9), ends(K1, K2, 7)], "reaches back"),
        ([ends(K1, K2, 9)], "without a key"),
        ([ends(K1, K1, 9)], "without a key"),
        ([begins(K1, K2, 9), ends(K1, K2, 12), ends(K2, K1, 20)], "without a key"),
        ([begins(K1, K2, 9), ends(K1, K2, 12), begins(K1, K3, 20)], "ended at 12"),
        ([begins(K1, K2, 9), ends(K1, K2, 12), begins(K2, K1, 20)], "begins once"),
        ([sign_statement(BEGINS, old=OTHER, new=OTHER, size=3)], "another log"),
        ([raw(ORIGIN, "key-begins", V1, "9", by=[K1])], "five lines"),
        ([raw(ORIGIN, "key-dies", V1, V2, "9", by=[K1, K2])], "second"),
        (
            [raw("elsewhere", "key-begins", V1, V2, "9", by=[K1, K2])],
            "named",
        ),
        (
            [raw(ORIGIN, "key-begins", V1, V2, "09", by=[K1, K2])],
            "size",
        ),
        ([raw(ORIGIN, "key-begins", V1, "none", "9", by=[K1, K2])], "form name"),
    ],
)
def test_statements_that_do_not_hold_are_refused(notes: list[str], saying: str) -> None:
    with pytest.raises(KeyHistoryError, match=saying):
        read_history(history_of(*notes), None)


def test_a_gap_between_keys_is_refused() -> None:
    """A key whose range ends before the next one begins would leave sizes that nobody may sign."""
    early = read_history(history_of(begins(K1, K2, 9)), None)
    assert extend(early, ends(K1, K2, 8)).valid_at(8) == (K1.verifier,)
    gap = KeyHistory((KeyRange(K1.verifier, 0, None), KeyRange(K2.verifier, 12, None)))
    with pytest.raises(KeyHistoryError, match="leaves the sizes from 10 to 11 without a key"):
        extend(gap, ends(K1, K2, 9))
    with pytest.raises(KeyHistoryError, match="before the key that vouches for it"):
        extend(KeyHistory((KeyRange(K1.verifier, 5, None),)), begins(K1, K2, 4))
    with pytest.raises(KeyHistoryError, match="end before it began"):
        extend(KeyHistory((KeyRange(K1.verifier, 5, None), KeyRange(K2.verifier, 0, None))), ends(K1, K2, 4))


@pytest.mark.parametrize(
    "text",
    ["", "\n", TEXT[:-1], TEXT + "\n", TEXT.replace("\n\n", "\n\n\n"), TEXT + "\nmore\n", FIRST + FIRST, "x" * 300_000],
)
def test_texts_that_are_no_history_are_refused(text: str) -> None:
    with pytest.raises(KeyHistoryError):
        read_history(text, None)


@given(st.integers(0, len(TEXT.encode()) - 1), st.sampled_from([1, 0x20, 0x80]))
def test_no_changed_byte_is_believed(place: int, bit: int) -> None:
    data = bytearray(TEXT.encode())
    data[place] ^= bit
    with pytest.raises(KeyHistoryError):
        read_history(data.decode(errors="replace"), [K1.verifier])


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 50)), max_size=12))
def test_every_history_that_can_be_made_is_read_back_and_has_no_gap(steps: list[tuple[int, bool, int]]) -> None:
    """Extending is closed: whatever statements are accepted, some key is valid at every size."""
    keys = [SigningKey.generate(ORIGIN, bytes([number + 1]) * 32) for number in range(13)]
    history, made = read_history(FIRST, None), 1
    for which, begin, size in steps:
        valid = [key for key in keys[:made] if any(r.key == key.verifier and r.last is None for r in history.ranges)]
        old = valid[which % len(valid)]
        new = keys[made] if begin else valid[(which + 1) % len(valid)]
        try:
            history = extend(history, sign_statement(BEGINS if begin else ENDS, old=old, new=new, size=size))
        except KeyHistoryError:
            continue
        made += begin
    assert read_history(history.to_text(), None) == history
    assert all(history.valid_at(size) for size in range(120))


def test_a_pinned_key_must_be_in_the_chain_and_sign_while_it_is_valid() -> None:
    with pytest.raises(KeyHistoryError, match="None of the trusted keys"):
        read_history(TEXT, [K4.verifier])
    # Who brings the history may leave its end out: K1 then seems to go on. The key one was given is not fooled.
    cut = history_of(begins(K1, K2, 11))
    with pytest.raises(CheckpointError, match="not signed by the key you gave"):
        read_checkpoint_in(checkpoint(500, K1), trust([K2.verifier], cut))
    assert read_checkpoint_in(checkpoint(500, K1, K2), trust([K2.verifier], cut))[1].signers == (K2.verifier,)
    assert read_checkpoint_in(checkpoint(5, K1), trust([K2.verifier], cut))[0].size == 5
    assert read_checkpoint_in(checkpoint(31, K3), trust([K1.verifier], TEXT))[0].size == 31


def test_a_given_history_and_a_brought_one_must_tell_the_same() -> None:
    older = read_history(history_of(begins(K1, K2, 11)), None)
    assert trust(older, TEXT) == HISTORY
    assert trust(HISTORY, older.to_text()) == HISTORY
    assert trust(HISTORY, None) == HISTORY
    for other in (history_of(begins(K1, K4, 11)), f"{K2.verifier.to_text()}\n"):
        with pytest.raises(KeyHistoryError, match="contradicts"):
            trust(HISTORY, other)
    # A key given beside the chain stays trusted, as it was without one.
    assert trust([K1.verifier, K4.verifier], older.to_text()).valid_at(3) == (K1.verifier, K4.verifier)


def test_keys_are_loaded_from_what_a_user_names(tmp_path: Path) -> None:
    def write(name: str, text: str | bytes) -> str:
        return _written(tmp_path / name, text)

    chain, plain = write("keys", TEXT), write("plain", f"# ours\n\n{K4.verifier.to_text()}\n")
    assert load([K1.verifier.to_text()]) == of_keys([K1.verifier])
    assert load([plain, K1.verifier.to_text()]).keys == (K4.verifier, K1.verifier)
    assert load([chain]) == load([chain, K2.verifier.to_text()]) == HISTORY
    assert load([write("older", history_of(begins(K1, K2, 11))), chain]) == HISTORY
    for given_words, saying in (
        ([chain, plain], "in the key history you gave beside"),
        ([chain, write("fork", history_of(begins(K1, K4, 11)))], "contradicts"),
        ([str(tmp_path / "absent")], "neither a key nor a readable file"),
        (["\x00"], "neither a key"),
        ([write("nothing", "# empty\n")], "holds no key"),
        ([write("binary", b"\xff\xfe")], "is not text"),
        ([write("large", "#" * 300_000)], "more than"),
        ([], "No key was given"),
    ):
        with pytest.raises(KeyHistoryError, match=saying):
            load(given_words)


def _written(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_a_statement_that_none_can_hold_is_not_signed() -> None:
    for kind, new, size in (("key-dies", K2, 1), (BEGINS, OTHER, 1), (BEGINS, K2, -1)):
        with pytest.raises(KeyHistoryError):
            sign_statement(kind, old=K1, new=new, size=size)
