"""A tree that grows leaf by leaf while a log is streamed, with the tiles it fills; memory does not grow with it."""

from collections.abc import Sequence

from audit.tlog.encoding import HASH_SIZE
from audit.tlog.tree import EMPTY_EDGE, TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, RightEdge, Tile, extend_tiles


class Growing:
    """The right edge so far, and for each level the hashes that stand in no full tile yet."""

    def __init__(self) -> None:
        self.edge: RightEdge = EMPTY_EDGE
        self._begun: dict[int, bytes] = {}

    @property
    def size(self) -> int:
        """Entries so far."""
        return self.edge.size

    def take(self, hashes: Sequence[bytes]) -> list[Tile]:
        """Append leaves with these hashes; the tiles that became full, lowest level first."""
        self.edge, tiles = extend_tiles(self.edge, self._begun, hashes)
        fresh: dict[int, list[bytes]] = {0: list(hashes)}
        for tile in tiles:
            fresh.setdefault(tile.level + 1, []).append(tile.root)
        for level, new in fresh.items():
            row = self._begun.get(level, b"") + b"".join(new)
            self._begun[level] = row[len(row) - len(row) % TILE_BYTES :]
        return tiles

    def partials(self) -> list[tuple[int, int, bytes]]:
        """Level, number and hashes of each partial tile of this very size, lowest level first."""
        return [
            (level, (self.size >> TILE_HEIGHT * level) // TILE_WIDTH, row)
            for level, row in sorted(self._begun.items())
            if len(row) // HASH_SIZE
        ]
