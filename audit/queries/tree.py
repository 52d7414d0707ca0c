"""Node hashes of the tree, read from full tiles and from the entries right of them."""

from collections.abc import Sequence
from typing import Final

from audit.models import Entry, Tile
from audit.tlog.proof import HashAt, Node
from audit.tlog.tree import TILE_HEIGHT, TILE_WIDTH, TreeError, tile_root

_HASH: Final = 32


def reader(nodes: Sequence[Node]) -> HashAt:
    """A `hash_at` over the given nodes, fetched in a few queries however many there are.

    Each node is the root of 2**r neighbouring hashes of one tile row, so it is computed from that row.

    Raises:
        TreeError: from the returned function, when the database lacks hashes of the log: run the self-check.
    """
    spans = {node: _span(node) for node in nodes}
    tiles = {(level, start // TILE_WIDTH) for level, start, _count in spans.values()}
    full = {
        (tile.level, tile.n): bytes(tile.data) for tile in (Tile.objects.filter(pk__in=sorted(tiles)) if tiles else ())
    }
    begun = {(level, n): _row_of_begun_tile(level, n) for level, n in sorted(tiles) if (level, n) not in full}
    rows = full | begun
    hashes = {}
    for node, (level, start, count) in spans.items():
        offset = start % TILE_WIDTH * _HASH
        data = rows[level, start // TILE_WIDTH][offset : offset + count * _HASH]
        if len(data) == count * _HASH:
            hashes[node] = tile_root(data)

    def hash_at(level: int, n: int) -> bytes:
        try:
            return hashes[Node(level, n)]
        except KeyError:
            raise TreeError(f"The log holds no complete subtree {n} of level {level}.") from None

    return hash_at


def _span(node: Node) -> tuple[int, int, int]:
    """Tile level, first hash on that level and number of hashes under a node."""
    level, depth = divmod(node.level, TILE_HEIGHT)
    return level, node.n << depth, 1 << depth


def _row_of_begun_tile(level: int, n: int) -> bytes:
    start, end = n * TILE_WIDTH, (n + 1) * TILE_WIDTH
    if level == 0:
        rows = Entry.objects.filter(index__gte=start, index__lt=end).order_by("index")
        return b"".join(bytes(value) for value in rows.values_list("leaf_hash", flat=True))
    below = Tile.objects.filter(level=level - 1, n__gte=start, n__lt=end).order_by("n")
    return b"".join(bytes(value) for value in below.values_list("root", flat=True))
