"""The probes of transparency-dev/merkle, good and bad proofs, and its RFC 6962 constants (data in ../shared)."""

import itertools
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from audit.tlog.proof import ProofError, verify_consistency, verify_inclusion
from audit.tlog.tree import leaf_hash, node_hash, root_of
from tests.absence import SHARED, needs_shared
from tests.unit.tlog_reference import Naive

FOLDER = ("vectors", "merkle", "testdata")
ABSENT = "(none)"

# Its two equal roots are 12 bytes of filler that the original library compares without looking at; a hash of
# any length but 32 is refused here.
FILLER_ROOTS = "additional/sizes-are-equal-one-and-proof-is-empty.json"


def names(kind: str) -> list[str]:
    """Cases of one kind, named so that each is a test of its own; "(none)" alone where ../shared is absent."""
    base = SHARED.joinpath(*FOLDER, kind)
    return sorted(str(path.relative_to(base)) for path in base.rglob("*.json")) or [ABSENT]


def case(kind: str, name: str) -> Any:
    return json.loads(needs_shared(*FOLDER, kind, *Path(name).parts).read_text())


def proof_of(found: Any) -> list[bytes]:
    return [b64decode(item) for item in found["proof"] or []]


@pytest.mark.parametrize("name", names("inclusion"))
def test_inclusion(name: str) -> None:
    found = case("inclusion", name)
    arguments = (
        b64decode(found["leafHash"]),
        found["leafIdx"],
        found["treeSize"],
        proof_of(found),
        b64decode(found["root"]),
    )
    if found["wantErr"]:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)
    else:
        verify_inclusion(*arguments)


@pytest.mark.parametrize("name", names("consistency"))
def test_consistency(name: str) -> None:
    found = case("consistency", name)
    roots = b64decode(found["root1"]), b64decode(found["root2"])
    if found["wantErr"] or name == FILLER_ROOTS:
        with pytest.raises(ProofError):
            verify_consistency(found["size1"], found["size2"], *roots, proof_of(found))
    else:
        verify_consistency(found["size1"], found["size2"], *roots, proof_of(found))


def is_subtree(start: int, end: int) -> bool:
    """Whether D[start:end] is a node of some tree: start is a multiple of the width rounded up to a power of
    two.
    """
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


@pytest.mark.parametrize("name", names("subtreeinclusion"))
def test_subtree_inclusion(name: str) -> None:
    """A subtree is a tree of its own: our function must agree on it with the indexes moved."""
    found = case("subtreeinclusion", name)
    start, end, index = found["start"], found["end"], found["leafIdx"]
    arguments = b64decode(found["leafHash"]), index - start, end - start, proof_of(found), b64decode(found["root"])
    if found["wantErr"]:
        if is_subtree(start, end):
            with pytest.raises(ProofError):
                verify_inclusion(*arguments)
    else:
        assert is_subtree(start, end)
        verify_inclusion(*arguments)


def prefix_names() -> list[str]:
    """Subtree consistency cases whose subtree is a prefix of the tree: those are ordinary consistency proofs.

    The other 20 are about subtrees inside the tree or empty ones, which this log neither makes nor accepts
    proofs of.
    """
    found = names("subtreeconsistency")
    if found == [ABSENT]:
        return found
    cases = {name: case("subtreeconsistency", name) for name in found}
    return [name for name, item in cases.items() if item["start"] == 0 and item["end"] > 0]


@pytest.mark.parametrize("name", prefix_names())
def test_prefix_consistency(name: str) -> None:
    found = case("subtreeconsistency", name)
    arguments = (found["end"], found["size"], b64decode(found["root1"]), b64decode(found["root2"]), proof_of(found))
    if found["wantErr"] or name == FILLER_ROOTS:
        with pytest.raises(ProofError):
            verify_consistency(*arguments)
    else:
        verify_consistency(*arguments)


def test_the_whole_set_was_there() -> None:
    base = needs_shared(*FOLDER)
    counts = {kind: len(list((base / kind).rglob("*.json"))) for kind in ("inclusion", "consistency")}
    assert counts == {"inclusion": 98, "consistency": 98}
    assert len(list((base / "subtreeinclusion").rglob("*.json"))) == 204
    assert len(prefix_names()) > 90


def test_constants() -> None:
    found = json.loads(needs_shared("vectors", "merkle", "rfc6962_constants.json").read_text())
    entries = [bytes.fromhex(text) for text in found["leaf_inputs_hex"]]
    levels = [[bytes.fromhex(text) for text in row] for row in found["node_hashes_by_level_hex"]]
    assert [leaf_hash(entry) for entry in entries] == levels[0]
    for lower, upper in itertools.pairwise(levels):
        assert [node_hash(*lower[n : n + 2]) for n in range(0, len(lower), 2)] == upper
    for size, text in enumerate(found["root_by_size_hex"]):
        assert root_of(levels[0][:size]).hex() == text == Naive(entries).root(size).hex()
