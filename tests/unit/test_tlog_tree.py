"""The tree against a slow second implementation."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.tree import (
    EMPTY_EDGE,
    EMPTY_ROOT,
    TILE_BYTES,
    RightEdge,
    Tile,
    TreeError,
    extend_tiles,
    leaf_hash,
    leaf_hashes,
    node_hash,
    partials_needed,
    root_of,
    split_hashes,
    tile_root,
)
from tests.unit.tlog_reference import Naive, mth, perfect_root

# RFC 6962 reference inputs and roots, as in the test data of every Certificate Transparency implementation.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
ENTRIES = [b"leaf %d" % n for n in range(70_000)]
HASHES = leaf_hashes(ENTRIES)


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert root_of([leaf_hash(data) for data in INPUTS[:size]]).hex() == ROOTS[size]


def test_hashes_are_domain_separated() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert left == sha256(b"\x00a").digest()
    assert node_hash(left, right) == sha256(b"\x01" + left + right).digest()
    assert leaf_hash(left + right) != node_hash(left, right)
    assert sha256(b"").digest() == EMPTY_ROOT


def test_roots_of_all_sizes_to_300_agree_with_the_naive_tree() -> None:
    edge = EMPTY_EDGE
    for size in range(300):
        assert edge.size == size
        assert edge.root() == mth(ENTRIES[:size])
        assert edge == RightEdge.from_bytes(size, edge.to_bytes())
        edge = edge.extend([HASHES[size]])


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_roots_around_tile_boundaries(size: int) -> None:
    assert root_of(HASHES[:size]) == Naive(ENTRIES[:size]).root(size)


@given(st.lists(st.integers(0, 700), max_size=6))
def test_the_root_does_not_depend_on_how_a_log_was_batched(cuts: list[int]) -> None:
    edge = EMPTY_EDGE
    for cut in cuts:
        edge = edge.extend(HASHES[edge.size : edge.size + cut])
    assert edge == EMPTY_EDGE.extend(HASHES[: sum(cuts)])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=4))
def test_tiles_do_not_depend_on_how_a_log_was_batched(cuts: list[int]) -> None:
    edge = EMPTY_EDGE
    stored: dict[tuple[int, int], bytes] = {}
    for cut in cuts:
        added = HASHES[edge.size : edge.size + cut]
        partial = {
            item.level: b"".join(HASHES[item.start : item.start + item.width])
            if item.level == 0
            else b"".join(perfect_root(stored[item.level - 1, n]) for n in range(item.start, item.start + item.width))
            for item in partials_needed(edge.size, len(added))
        }
        edge, tiles = extend_tiles(edge, partial, added)
        for tile in tiles:
            assert (tile.level, tile.n) not in stored
            assert len(tile.data) == TILE_BYTES
            stored[tile.level, tile.n] = tile.data
    assert edge == EMPTY_EDGE.extend(HASHES[: edge.size])
    assert {place for place in stored if place[0] == 0} == {(0, n) for n in range(edge.size // 256)}
    assert {place for place in stored if place[0] > 0} == {(1, n) for n in range(edge.size // 65_536)}
    for (level, n), data in stored.items():
        below = [stored[0, n * 256 + i] for i in range(256)] if level else []
        assert split_hashes(data) == (
            [perfect_root(tile) for tile in below] if level else HASHES[n * 256 : (n + 1) * 256]
        )


def test_a_begun_tile_that_is_not_of_this_tree_is_refused() -> None:
    edge = EMPTY_EDGE.extend(HASHES[:200])
    begun = b"".join(HASHES[:200])
    _, tiles = extend_tiles(edge, {0: begun}, HASHES[200:300])
    assert tiles == [Tile(0, 0, b"".join(HASHES[:256]))]
    assert tiles[0].root == tile_root(b"".join(HASHES[:256])) == mth(ENTRIES[:256])
    with pytest.raises(TreeError, match="not this tree's"):
        extend_tiles(edge, {0: bytes([begun[0] ^ 1]) + begun[1:]}, HASHES[200:300])
    with pytest.raises(TreeError, match="200 hashes"):
        extend_tiles(edge, {}, HASHES[200:300])


def test_no_begun_tile_is_needed_while_none_fills_up() -> None:
    edge = EMPTY_EDGE.extend(HASHES[:10])
    assert partials_needed(10, 200) == []
    assert extend_tiles(EMPTY_EDGE, {}, []) == (EMPTY_EDGE, [])
    assert extend_tiles(edge, {}, HASHES[10:210]) == (EMPTY_EDGE.extend(HASHES[:210]), [])
    assert [tuple(item) for item in partials_needed(65_500, 100)] == [(0, 65_280, 220), (1, 0, 255)]


@pytest.mark.parametrize("size, data", [(3, b""), (1, b"x" * 31), (1, b"x" * 64), (-1, b""), (2**63, b"x" * 32)])
def test_impossible_edges_are_refused(size: int, data: bytes) -> None:
    with pytest.raises(TreeError):
        RightEdge.from_bytes(size, data)


def test_hashes_of_other_lengths_are_refused() -> None:
    with pytest.raises(TreeError, match="exactly 32 bytes"):
        EMPTY_EDGE.extend([b"x" * 32, b"y" * 31])
    with pytest.raises(TreeError, match="power of two"):
        tile_root(b"x" * 96)
    with pytest.raises(TreeError, match="power of two"):
        tile_root(b"")
