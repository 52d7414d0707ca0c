"""A growing tree as a reader of its files sees it: which files a size needs, and their bytes.

Held is the right edge only: of each level the hashes that stand in no full tile yet, and the entries that stand in no
full bundle. So memory does not grow with the log.
"""

from collections.abc import Mapping, Sequence

from audit.publishing.store import File
from audit.tlog.encoding import HASH_SIZE
from audit.tlog.tiles import TileName, bundle_path, encode_bundle, tile_path
from audit.tlog.tree import TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, RightEdge, TreeError, leaf_hashes, tile_root


def partial_tiles(size: int) -> list[TileName]:
    """The partial hash tiles of a tree of `size` entries, lowest level first."""
    names = []
    level = 0
    while subtrees := size >> TILE_HEIGHT * level:
        if width := subtrees % TILE_WIDTH:
            names.append(TileName(level, subtrees // TILE_WIDTH, width))
        level += 1
    return names


class Growth:
    """A tree that gives out the files which its growth fills.

    Attributes:
        size: entries so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._rows: list[bytearray] = []
        self._entries: list[bytes] = []

    @classmethod
    def resumed(cls, size: int, tiles: Mapping[int, bytes], entries: Sequence[bytes]) -> "Growth":
        """A tree of `size` entries from its partial tiles by level, and the entries right of its last full bundle.

        Raises TreeError when a tile is missing or has another width, or an entry has not the hash its tile holds.
        """
        growth = cls()
        growth.size = size
        growth._rows = [bytearray() for _ in range(0, size.bit_length(), TILE_HEIGHT)]
        for name in partial_tiles(size):
            assert name.level is not None
            row = tiles.get(name.level, b"")
            if len(row) != name.width * HASH_SIZE:
                raise TreeError(f"The partial tile on level {name.level} has {len(row)} bytes.")
            growth._rows[name.level] += row
        if b"".join(leaf_hashes(entries)) != (growth._rows[0] if growth._rows else b""):
            raise TreeError("The entries of the begun bundle are not those of its tile.")
        growth._entries = list(entries)
        return growth

    def edge(self) -> RightEdge:
        """The same tree as its complete subtrees."""
        hashes = []
        for row in reversed(self._rows):
            start, width = 0, len(row) // HASH_SIZE
            # The binary digits of a row's width are its complete subtrees, largest first.
            for bit in reversed(range(width.bit_length())):
                if width >> bit & 1:
                    end = start + (HASH_SIZE << bit)
                    hashes.append(tile_root(bytes(row[start:end])))
                    start = end
        return RightEdge(self.size, tuple(hashes))

    def add(self, entries: Sequence[bytes]) -> list[File]:
        """Append entries; the bundles and tiles that became full, each after those it is made from."""
        files: list[File] = []
        hashes = leaf_hashes(entries)
        start = 0
        while start < len(entries):
            end = min(start + TILE_WIDTH - len(self._entries), len(entries))
            self._entries += entries[start:end]
            self.size += end - start
            if len(self._entries) == TILE_WIDTH:
                files.append(File(bundle_path(self.size // TILE_WIDTH - 1), encode_bundle(self._entries)))
                self._entries = []
            self._extend(0, b"".join(hashes[start:end]), files)
            start = end
        return files

    def _extend(self, level: int, hashes: bytes, files: list[File]) -> None:
        if level == len(self._rows):
            self._rows.append(bytearray())
        row = self._rows[level]
        row += hashes
        if len(row) == TILE_BYTES:
            tile = bytes(row)
            row.clear()
            files.append(File(tile_path(level, (self.size >> TILE_HEIGHT * (level + 1)) - 1), tile))
            self._extend(level + 1, tile_root(tile), files)

    def partials(self) -> list[File]:
        """The partial bundle and the partial tiles of this very size."""
        files = []
        if self._entries:
            bundle = bundle_path(self.size // TILE_WIDTH, len(self._entries))
            files.append(File(bundle, encode_bundle(self._entries)))
        for name in partial_tiles(self.size):
            assert name.level is not None
            files.append(File(tile_path(name.level, name.n, name.width), bytes(self._rows[name.level])))
        return files


def superseded(old_size: int, new_size: int) -> list[str]:
    """The folders of partial files that a reader of `new_size` entries or more no longer needs: full ones replace them.

    Only a file that was partial at a published size has such a folder, so these are at most one a level.
    """
    folders = []
    for name in partial_tiles(old_size):
        assert name.level is not None
        if new_size >> TILE_HEIGHT * (name.level + 1) > name.n:
            folders.append(f"{tile_path(name.level, name.n)}.p")
            if name.level == 0:
                folders.append(f"{bundle_path(name.n)}.p")
    return folders


def recent_partials(size: int, tiles: int) -> list[str]:
    """The folders of partial files that may be left beside the newest full tiles, `tiles` of them on level 0."""
    full = size // TILE_WIDTH
    return [folder for n in range(max(full - tiles, 0), full) for folder in superseded((n + 1) * TILE_WIDTH - 1, size)]
