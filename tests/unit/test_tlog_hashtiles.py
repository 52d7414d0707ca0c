"""Hash tiles of a tree against the tree itself: its edge at every size, and the entry where two histories part."""

from functools import cached_property

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.hashtiles import Mismatch, edge_at, require_same_start, width_of
from audit.tlog.tree import EMPTY_EDGE, TILE_WIDTH, leaf_hashes, tile_root
from audit.transfer.growing import Growing

LARGEST = 1500
LEAVES = leaf_hashes(b"%d" % n for n in range(LARGEST))
OTHERS = leaf_hashes(b"other %d" % n for n in range(LARGEST))


class Tiles:
    """All tiles of a tree, cut from its rows."""

    def __init__(self, hashes: list[bytes]) -> None:
        self.size = len(hashes)
        self._leaves = hashes

    @cached_property
    def _rows(self) -> list[list[bytes]]:
        rows = [self._leaves]
        while len(rows[-1]) >= TILE_WIDTH:
            row = rows[-1]
            full = range(0, len(row) - TILE_WIDTH + 1, TILE_WIDTH)
            rows.append([tile_root(b"".join(row[start : start + TILE_WIDTH])) for start in full])
        return rows

    def tile(self, level: int, n: int) -> bytes:
        start = n * TILE_WIDTH
        found = self._rows[level][start : start + TILE_WIDTH]
        assert len(found) == width_of(self.size, level, n)
        return b"".join(found)


WHOLE = Tiles(LEAVES)


@given(size=st.integers(0, LARGEST))
def test_the_edge_at_every_size_is_that_of_the_tree(size: int) -> None:
    expected = EMPTY_EDGE.extend(LEAVES[:size])
    assert edge_at(WHOLE, size) == expected
    assert edge_at(Tiles(LEAVES[:size]), size) == expected


@given(st.data())
def test_histories_part_where_they_first_differ(data: st.DataObject) -> None:
    older = data.draw(st.integers(0, LARGEST))
    newer = data.draw(st.integers(older, LARGEST))
    changed = data.draw(st.integers(0, newer))
    seen = Tiles(LEAVES[:changed] + OTHERS[changed:newer])
    kept = Tiles(LEAVES[:older])
    if changed >= older:
        require_same_start(kept, seen)
        return
    with pytest.raises(Mismatch) as fork:
        require_same_start(kept, seen)
    assert (fork.value.kind, fork.value.index) == ("fork", changed)


@given(cuts=st.lists(st.integers(0, LARGEST), max_size=6).map(sorted))
def test_a_growing_tree_fills_the_same_tiles_however_it_grows(cuts: list[int]) -> None:
    growing = Growing()
    tiles: dict[tuple[int, int], bytes] = {}
    for start, end in zip([0, *cuts], [*cuts, LARGEST], strict=True):
        tiles |= {(tile.level, tile.n): tile.data for tile in growing.take(LEAVES[start:end])}
    assert growing.edge == EMPTY_EDGE.extend(LEAVES)
    assert tiles == {(0, n): WHOLE.tile(0, n) for n in range(LARGEST // TILE_WIDTH)}
    assert growing.partials() == [(level, n, WHOLE.tile(level, n)) for level, n in [(0, LARGEST // TILE_WIDTH), (1, 0)]]
