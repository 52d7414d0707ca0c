"""Signed notes and tiles as golang.org/x/mod/sumdb and C2SP have them (data in ../shared), and Ed25519 edge
cases.
"""

import json
from typing import Any

import pytest

from audit.tlog.encoding import EncodingError, decode_decimal, decode_hash
from audit.tlog.keys import KeyTextError, SigningKey, VerifierKey
from audit.tlog.note import (
    InvalidSignatureError,
    MalformedNoteError,
    UnverifiedNoteError,
    open_note,
    read_note,
    sign_note,
)
from audit.tlog.tiles import TILE_WIDTH, TileError, TileName, new_tiles, parse_tile_path, tile_path
from audit.tlog.tree import EMPTY_ROOT, leaf_hash, root_of
from tests.absence import needs_shared

REFUSALS: dict[str, type[ValueError]] = {
    "no verifiable signatures": UnverifiedNoteError,
    "malformed note": MalformedNoteError,
    "invalid signature": InvalidSignatureError,
}


def load(*parts: str) -> Any:
    return json.loads(needs_shared("vectors", *parts).read_text())


@pytest.fixture
def golang() -> Any:
    return load("golang-mod", "note_vectors.json")


def test_the_original_signs_and_opens_the_same(golang: Any) -> None:
    key = SigningKey.from_text(golang["test_signer_seed_key"])
    assert key.to_text() == golang["test_signer_seed_key"]
    assert key.verifier.to_text() == golang["vkeys"]["peter"]
    assert sign_note(golang["text"], [key]) == golang["sign_output"]
    assert open_note(golang["sign_output"], [key.verifier]) == golang["text"]


def test_opening_accepts_and_refuses_as_the_original_does(golang: Any) -> None:
    keys = {name: VerifierKey.parse(text) for name, text in golang["vkeys"].items()}
    assert len(golang["open"]) == 12
    for case in golang["open"]:
        message = bytes.fromhex(case["msg_hex"]) if "msg_hex" in case else case["msg"]
        known = [keys[name] for name in case["known"]]
        if case["error"] is None:
            opened = read_note(message, known)
            assert opened.text == golang["text"]
            assert [key.name for key in opened.signers] == case["verified"]
            assert list(opened.unknown) == case["unverified"]
        else:
            (refusal,) = (error for words, error in REFUSALS.items() if case["error"].startswith(words))
            with pytest.raises(refusal):
                read_note(message, known)


def test_every_damaged_key_text_is_refused(golang: Any) -> None:
    text = golang["vkeys"]["peter"]
    damaged = set(golang["bad_vkeys"])
    damaged |= {text[low:high] for low in range(len(text)) for high in range(low, len(text) + 1)} - {text}
    damaged |= {text[:n] + chr(ord(text[n]) + 1) + text[n + 1 :] for n in range(len(text))}
    for item in damaged:
        with pytest.raises(KeyTextError):
            VerifierKey.parse(item)


def test_what_cannot_be_signed(golang: Any) -> None:
    key = SigningKey.from_text(golang["test_signer_seed_key"])
    for case in golang["sign_errors"]:
        if "text" in case:
            with pytest.raises(MalformedNoteError):
                sign_note(case["text"], [key])
        else:
            with pytest.raises(KeyTextError):
                SigningKey.generate(case["sig_name"], bytes(32))


def test_the_example_of_the_specification() -> None:
    example = load("c2sp-spec-examples", "signed_note_and_tiles.json")
    assert open_note(example["note"], [VerifierKey.parse(example["vkey"])]) == "This is an example message.\n"
    rule = example["tile_rule_example"]
    names = new_tiles(0, rule["size"])
    assert sum(name.level == 0 and name.width == TILE_WIDTH for name in names) == rule["full_l0"]
    assert [(name.level, name.width) for name in names if name.width < TILE_WIDTH] == [
        (0, rule["partial_l0"]),
        (1, rule["partial_l1"]),
        (2, rule["partial_l2"]),
    ]
    assert sum(name.level == 1 and name.width == TILE_WIDTH for name in names) == rule["full_l1"]
    path = example["tile_path_example"]
    assert tile_path(0, path["n"]) == f"tile/0/{path['path']}"


def test_tile_paths() -> None:
    """The Go form has the tile height in front and calls entries "data"; widths there follow from that
    height.
    """
    for path, parts in load("golang-mod", "tlog_vectors.json")["tile_paths_go_form"]:
        _, _, rest = path.split("/", 2)
        ours = "tile/" + rest.replace("data/", "entries/")
        if parts is None:
            with pytest.raises(TileError):
                parse_tile_path(ours)
        else:
            height, level, n, width = parts
            expected = TileName(None if level < 0 else level, n, TILE_WIDTH if width == 1 << height else width)
            assert parse_tile_path(ours) == expected


def test_tile_counts_of_a_growing_log() -> None:
    for old, new, count in load("golang-mod", "tlog_vectors.json")["new_tiles_height10_counts"]:
        assert len(new_tiles(old, new, height=10)) == count


def test_tree_texts() -> None:
    found = load("golang-mod", "tlog_vectors.json")
    assert found["empty_tree_root_hex"] == EMPTY_ROOT.hex() == root_of([]).hex()
    _, size, root, _ = found["format_tree"]["text"].split("\n")
    assert decode_decimal(size, "size") == found["format_tree"]["n"]
    assert decode_hash(root, "root") == leaf_hash(found["format_tree"]["record"].encode())
    for text in found["parse_tree_reject"][1:]:
        _, size, root, _ = text.split("\n")
        with pytest.raises(EncodingError):
            decode_decimal(size, "size")
            decode_hash(root, "root")


def test_ed25519_edge_cases() -> None:
    """Keys of small order are refused outright; the rest is judged as most verifiers judge (the set's
    README).
    """
    cases = load("cctv-ed25519", "ed25519vectors.json")
    assert len(cases) == 914
    refused = 0
    for case in cases:
        flags = set(case["flags"] or ())
        try:
            key = VerifierKey("example.com/log", bytes.fromhex(case["key"]))
        except KeyTextError:
            refused += 1
            assert "low_order_A" in flags
            continue
        assert "low_order_A" not in flags
        signed = key.is_signed(case["msg"].encode(), bytes.fromhex(case["sig"]))
        assert signed is not bool(flags & {"non_canonical_R", "low_order_residue"})
    assert 0 < refused < len(cases)
