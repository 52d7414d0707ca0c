"""Proofs against a slow second implementation; every broken proof must be refused."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.batch import InclusionBatch
from audit.tlog.encoding import EncodingError, encode_base64
from audit.tlog.proof import (
    ProofError,
    consistency_nodes,
    consistency_proof,
    inclusion_nodes,
    inclusion_proof,
    path_length,
    root_nodes,
    verify_consistency,
    verify_extension,
    verify_inclusion,
)
from audit.tlog.tree import EMPTY_EDGE, EMPTY_ROOT, leaf_hashes
from tests.unit.tlog_reference import Naive

ENTRIES = [b"leaf %d" % n for n in range(66_000)]
HASHES = leaf_hashes(ENTRIES)
NAIVE = Naive(ENTRIES)


def flipped(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with one bit of one hash turned over, once for each hash."""
    return [[*proof[:n], bytes([item[0] ^ 1]) + item[1:], *proof[n + 1 :]] for n, item in enumerate(proof)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100])
def test_every_leaf_of_small_trees_and_every_flipped_bit(size: int) -> None:
    root = NAIVE.root(size)
    for index in range(size):
        proof = inclusion_proof(index, size, NAIVE.hash_at)
        assert proof == NAIVE.path(index, 0, size)
        assert len(proof) == path_length(index, size)
        verify_inclusion(HASHES[index], index, size, proof, root)
        for broken in flipped(proof):
            with pytest.raises(ProofError):
                verify_inclusion(HASHES[index], index, size, broken, root)


@pytest.mark.parametrize("second", [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100])
def test_every_prefix_of_small_trees_and_every_flipped_bit(second: int) -> None:
    root = NAIVE.root(second)
    for first in range(1, second + 1):
        proof = consistency_proof(first, second, NAIVE.hash_at)
        assert proof == NAIVE.proof(first, 0, second)
        verify_consistency(first, second, NAIVE.root(first), root, proof)
        for broken in flipped(proof):
            with pytest.raises(ProofError):
                verify_consistency(first, second, NAIVE.root(first), root, broken)


def test_all_sizes_to_300_at_their_edges() -> None:
    for size in range(1, 301):
        root = NAIVE.root(size)
        for index in {0, size // 2, size - 1, max(size - 2, 0)}:
            proof = inclusion_proof(index, size, NAIVE.hash_at)
            assert proof == NAIVE.path(index, 0, size)
            verify_inclusion(HASHES[index], index, size, proof, root)
        for first in {1, (size + 1) // 2, max(size - 1, 1), size}:
            verify_consistency(first, size, NAIVE.root(first), root, consistency_proof(first, size, NAIVE.hash_at))


sizes = st.one_of(st.integers(1, 300), st.integers(65_530, 65_600), st.integers(1, len(ENTRIES)))


@settings(deadline=None)
@given(st.data())
def test_any_leaf_and_prefix_of_any_tree(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, NAIVE.hash_at)
    assert proof == NAIVE.path(index, 0, size)
    verify_inclusion(HASHES[index], index, size, proof, NAIVE.root(size))
    for broken in (*flipped(proof), proof[:-1], [*proof, bytes(32)]):
        if broken != proof:
            with pytest.raises(ProofError):
                verify_inclusion(HASHES[index], index, size, broken, NAIVE.root(size))
    prefix = NAIVE.proof(index + 1, 0, size)
    assert consistency_proof(index + 1, size, NAIVE.hash_at) == prefix
    verify_consistency(index + 1, size, NAIVE.root(index + 1), NAIVE.root(size), prefix)
    for broken in (*flipped(prefix), prefix[:-1], [*prefix, bytes(32)]):
        if broken != prefix:
            with pytest.raises(ProofError):
                verify_consistency(index + 1, size, NAIVE.root(index + 1), NAIVE.root(size), broken)


@settings(deadline=None)
@given(sizes)
def test_the_nodes_of_the_root_are_the_right_edge(size: int) -> None:
    assert EMPTY_EDGE.extend(HASHES[:size]).hashes == tuple(NAIVE.hash_at(*node) for node in root_nodes(size))


def test_the_listed_nodes_are_exactly_the_ones_read() -> None:
    def recording(read: list[tuple[int, int]]) -> Callable[[int, int], bytes]:
        def hash_at(level: int, n: int) -> bytes:
            read.append((level, n))
            return NAIVE.hash_at(level, n)

        return hash_at

    for size in (1, 6, 300, 777):
        for index in range(0, size, 7):
            read: list[tuple[int, int]] = []
            inclusion_proof(index, size, recording(read))
            assert sorted(read) == sorted(map(tuple, inclusion_nodes(index, size)))
            read = []
            consistency_proof(index + 1, size, recording(read))
            assert sorted(read) == sorted(map(tuple, consistency_nodes(index + 1, size)))


@settings(deadline=None)
@given(st.integers(1, 700), st.data())
def test_a_batch_gives_the_answers_of_single_proofs(size: int, data: st.DataObject) -> None:
    indexes = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=30))
    root = NAIVE.root(size)
    batch = InclusionBatch(size, root)
    for index in indexes:
        proof = NAIVE.path(index, 0, size)
        fault = data.draw(st.sampled_from(["none", "none", "flip", "leaf", "short", "long", "index"]))
        leaf, place = HASHES[index], index
        if fault == "flip" and proof:
            proof = data.draw(st.sampled_from(flipped(proof)))
        elif fault == "leaf":
            leaf = HASHES[index + 1]
        elif fault == "short":
            proof = proof[:-1]
        elif fault == "long":
            proof = [*proof, bytes(32)]
        elif fault == "index":
            place = data.draw(st.integers(-1, size))
        try:
            verify_inclusion(leaf, place, size, proof, root)
            expected = True
        except ProofError:
            expected = False
        try:
            batch.verify(leaf, place, [encode_base64(item) for item in proof])
            answer = True
        except ProofError:
            answer = False
        assert answer is expected


def test_a_batch_refuses_other_spellings_of_a_known_hash() -> None:
    batch = InclusionBatch(8, NAIVE.root(8))
    proof = [encode_base64(item) for item in NAIVE.path(2, 0, 8)]
    batch.verify(HASHES[2], 2, proof)
    batch.verify(HASHES[2], 2, proof)
    with pytest.raises(EncodingError):
        batch.verify(HASHES[2], 2, [*proof[:2], proof[2].rstrip("=")])
    with pytest.raises(EncodingError):
        batch.verify(HASHES[2], 2, [*proof[:2], encode_base64(b"short")])


def test_size_zero_and_other_impossible_questions() -> None:
    verify_extension(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    verify_extension(0, 5, EMPTY_ROOT, NAIVE.root(5), [])
    verify_extension(3, 5, NAIVE.root(3), NAIVE.root(5), NAIVE.proof(3, 0, 5))
    for first, second, older, newer, proof in (
        (0, 5, NAIVE.root(1), NAIVE.root(5), []),
        (0, 5, EMPTY_ROOT, NAIVE.root(5), [bytes(32)]),
        (0, 0, EMPTY_ROOT, NAIVE.root(5), []),
    ):
        with pytest.raises(ProofError):
            verify_extension(first, second, older, newer, proof)
    with pytest.raises(ProofError):
        verify_consistency(0, 5, EMPTY_ROOT, NAIVE.root(5), [])
    with pytest.raises(ProofError):
        verify_inclusion(HASHES[0], 0, 0, [], EMPTY_ROOT)
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ProofError, match="outside"):
            inclusion_proof(index, size, NAIVE.hash_at)
    for first, second in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(ProofError, match="at least 1"):
            consistency_proof(first, second, NAIVE.hash_at)


def test_one_size_has_one_root() -> None:
    verify_consistency(5, 5, NAIVE.root(5), NAIVE.root(5), [])
    with pytest.raises(ProofError, match="rewritten"):
        verify_consistency(5, 5, NAIVE.root(5), NAIVE.root(4), [])
    with pytest.raises(ProofError, match="must be empty"):
        verify_consistency(5, 5, NAIVE.root(5), NAIVE.root(5), [bytes(32)])


def test_every_hash_must_be_32_bytes() -> None:
    proof = NAIVE.path(2, 0, 5)
    root = NAIVE.root(5)
    for leaf, hashes, top in (
        (HASHES[2][:31], proof, root),
        (HASHES[2], [proof[0] + b"x", *proof[1:]], root),
        (HASHES[2], proof, root + b"x"),
        (b"", proof, b""),
    ):
        with pytest.raises(ProofError, match="exactly 32"):
            verify_inclusion(leaf, 2, 5, hashes, top)
