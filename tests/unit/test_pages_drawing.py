"""Charts and the proof picture: what is drawn is right, escaped, and passes the content security policy."""

import re
from functools import partial
from hashlib import sha256
from itertools import pairwise

import pytest

from audit.tlog.proof import inclusion_proof
from audit.tlog.tree import leaf_hash, node_hash, root_of
from config import charts, prooftree

SIZES = [1, 2, 3, 7, 8, 9, 255, 256, 257, 600]


def _hash_at(leaves: list[bytes], level: int, n: int) -> bytes:
    if level == 0:
        return leaves[n]
    return node_hash(_hash_at(leaves, level - 1, 2 * n), _hash_at(leaves, level - 1, 2 * n + 1))


def root_of_ranges(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """The root along the sides that the picture draws: a second way to it, beside the verifier's."""
    node = leaf
    for (side, _low, _high), sibling in zip(prooftree.path_ranges(index, size), proof, strict=True):
        node = node_hash(sibling, node) if side == "left" else node_hash(node, sibling)
    return node


@pytest.mark.parametrize("size", SIZES)
def test_the_drawn_path_leads_to_the_root(size: int) -> None:
    leaves = [leaf_hash(str(i).encode()) for i in range(size)]
    for index in {0, size // 2, size - 1}:
        proof = inclusion_proof(index, size, lambda level, n: _hash_at(leaves, level, n))
        assert root_of_ranges(index, size, leaves[index], proof) == root_of(leaves)
        drawn = prooftree.proof_tree(index, size, leaf_hash=leaves[index], proof=proof)
        assert root_of(leaves).hex()[:16] in drawn
        assert all(sibling.hex()[:8] in drawn for sibling in proof)


def test_siblings_cover_everything_but_the_entry_once() -> None:
    for size in SIZES:
        for index in {0, size // 3, size - 1}:
            covered = [n for _side, low, high in prooftree.path_ranges(index, size) for n in range(low, high)]
            assert sorted([*covered, index]) == list(range(size))


def test_another_leaf_leads_elsewhere() -> None:
    leaves = [leaf_hash(bytes([i])) for i in range(5)]
    proof = inclusion_proof(2, 5, lambda level, n: _hash_at(leaves, level, n))
    forged = sha256(b"forged").digest()
    assert root_of_ranges(2, 5, forged, proof) != root_of(leaves)
    drawn = prooftree.proof_tree(2, 5, leaf_hash=forged, proof=proof, root=root_of(leaves))
    assert "But the path leads to" in drawn
    assert root_of(leaves).hex()[:16] in drawn
    assert "But the path" not in prooftree.proof_tree(2, 5, leaf_hash=leaves[2], proof=proof, root=root_of(leaves))


def test_each_row_says_what_its_two_hashes_give() -> None:
    for size in SIZES:
        leaves = [leaf_hash(str(i).encode()) for i in range(size)]
        for index in {0, size // 2, size - 1}:
            proof = inclusion_proof(index, size, partial(_hash_at, leaves))
            rows = prooftree.path_rows(index, size, leaf_hash=leaves[index], proof=proof)
            for row, above in pairwise(rows):
                assert row.above == above.node
                assert row.level < above.level
                assert (min(row.low, row.first), max(row.high, row.past)) == (above.low, above.high)
            assert [row.level for row in rows][:1] == [0][: len(rows)] or index == size - 1
            for row in rows:
                assert row.node == root_of(leaves[row.low : row.high])
                assert row.sibling == root_of(leaves[row.first : row.past])


def test_pictures_hold_no_style_and_escape_words() -> None:
    title = 'Needs <b>"more"</b>'
    drawn = [
        charts.meter(3, 4, title=title, promised=2),
        charts.fit_bar([("f1", 20), ("f2", 10)], total=80, limit=72, band=(28, 33), title=title, unit="GiB"),
        charts.columns([("Jan", {"f1": 3}), ("Feb", None)], classes=["f1"], title=title, unit="M", cap=(2, "cap <i>")),
    ]
    for picture in drawn:
        assert "style=" not in picture
        assert "&lt;b&gt;" in picture
        assert "<b>" not in picture
        assert "<i>" not in picture


def test_absent_is_drawn_differently_from_zero() -> None:
    absent = charts.columns([("a", {"f1": 5}), ("b", None)], classes=["f1"], title="t", unit="u")
    zero = charts.columns([("a", {"f1": 5}), ("b", {"f1": 0})], classes=["f1"], title="t", unit="u")
    assert absent.count("fgap") == 1
    assert zero.count("fgap") == 0


@pytest.mark.parametrize("need", [0.5, 30, 79, 200])
def test_a_fit_bar_stays_inside_its_picture(need: float) -> None:
    picture = charts.fit_bar([("f1", need)], total=80, limit=72, band=(need * 0.9, need * 1.1), title="t", unit="GiB")
    for x, width in re.findall(r'<rect class="[^"]*" x="([\d.]+)%" width="([\d.]+)%"', picture):
        assert float(x) + float(width) <= 100.01


def test_charts_of_nothing_are_still_charts() -> None:
    assert "<svg" in charts.columns([], classes=["f1"], title="t", unit="u")
    assert "<svg" in charts.meter(0, 0, title="t")
