"""Fetching the files of a signed tree into a mirror's folder, many at once, checked one by one, in an order that lets
a killed run be continued.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from audit.tlog.durable import sync_folders
from audit.tlog.hashtiles import Mismatch, SignedTiles, StoredTiles, edge_levels, width_of
from audit.tlog.mirrorfolder import MirrorFolder
from audit.tlog.source import SourceError
from audit.tlog.tiles import bundle_path, tile_path
from audit.tlog.tree import TILE_HEIGHT, TILE_WIDTH

FETCHES_AT_ONCE: Final = 8
"""Files are small and servers far away: what a mirror waits for is latency."""

Progress = Callable[[int, int], object]
"""Called with the entries that are here and those the checkpoint has."""

_CHUNK_BITS: Final = 2 * TILE_HEIGHT


class Fetch:
    """Brings what the tree has beyond the first `size` entries, which are here and accepted."""

    def __init__(self, folder: MirrorFolder, tree: SignedTiles, size: int, progress: Progress) -> None:
        self._folder = folder
        self._tree = tree
        self._size = size
        self._progress = progress

    def run(self) -> None:
        """Fetch everything. Raises SourceError, Mismatch and MirrorError."""
        tree = self._tree
        with ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="mirror") as pool:
            try:
                for chunk in range(self._size >> _CHUNK_BITS, ((tree.size - 1) >> _CHUNK_BITS) + 1):
                    self._chunk(pool, chunk)
                    self._progress(min((chunk + 1) << _CHUNK_BITS, tree.size), tree.size)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        paths = []
        for level in edge_levels(tree.size):
            n = (tree.size >> TILE_HEIGHT * level) // TILE_WIDTH
            paths.append(tile_path(level, n, width_of(tree.size, level, n)))
            self._folder.write(paths[-1], tree.tile(level, n))
        sync_folders(self._folder.root, paths)

    def _chunk(self, pool: ThreadPoolExecutor, chunk: int) -> None:
        """The 65,536 entries under one tile of level 1, that tile, and the tiles above that end with it."""
        tree = self._tree
        whole = width_of(tree.size, 1, chunk) == TILE_WIDTH
        if whole and self._stands(chunk):
            return
        # Gone before anything below it changes: it says that all of it is here.
        (self._folder.root / tile_path(1, chunk)).unlink(missing_ok=True)
        first = max(self._size, chunk << _CHUNK_BITS) >> TILE_HEIGHT
        end = min(tree.size, (chunk + 1) << _CHUNK_BITS)
        names = range(first, (end + TILE_WIDTH - 1) >> TILE_HEIGHT)
        wanted = [tree.root_of(0, n) if width_of(tree.size, 0, n) == TILE_WIDTH else None for n in names]
        done = pool.map(lambda job: self._leaves(*job), zip(names, wanted, strict=True))
        sync_folders(self._folder.root, [path for paths in done for path in paths])
        level, n = 1, chunk
        while width_of(tree.size, level, n) == TILE_WIDTH:
            self._folder.write(tile_path(level, n), tree.tile(level, n))
            sync_folders(self._folder.root, [tile_path(level, n)])
            if (n + 1) % TILE_WIDTH:
                break
            level, n = level + 1, n // TILE_WIDTH

    def _stands(self, chunk: int) -> bool:
        try:
            stored = StoredTiles(self._folder.source, self._tree.size).tile(1, chunk)
        except (SourceError, Mismatch):
            return False
        return stored == self._tree.tile(1, chunk)

    def _leaves(self, n: int, wanted: bytes | None) -> tuple[str, str]:
        """Level 0 tile and bundle `n`, from here if they are good, else from the source."""
        tree = self._tree
        width = width_of(tree.size, 0, n)
        paths = tile_path(0, n, width), bundle_path(n, width)
        try:
            tree.leaves(n, wanted, source=self._folder.source)
        except (SourceError, Mismatch):
            for path, data in zip(paths, tree.leaves(n, wanted), strict=True):
                self._folder.write(path, data)
        return paths
