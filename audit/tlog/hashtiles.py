"""The hash tiles of one tree: its right edge at any size, where two trees part, and checking them up to a root.

A tile is believed only when it leads to the signed root: a full tile by the hash that the tile above holds for it,
the partial ones because they are the right edge itself.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.encoding import HASH_SIZE
from audit.tlog.folderhash import MAX_BUNDLE_BYTES, split_bundle, subtree_root
from audit.tlog.source import NotThere, Source, SourceError, TooLarge
from audit.tlog.tiles import bundle_path, encode_bundle, tile_path
from audit.tlog.tree import TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, RightEdge, leaf_hashes, split_hashes, tile_root

_UPPER_TILES_KEPT: Final = 64

_Read = TypeVar("_Read")


class Mismatch(Exception):
    """The log's own files contradict its signed root, or what was kept of it.

    Attributes:
        kind: `tile`, `entry` or `fork`.
        index: the first entry at fault, None when it cannot be told.
        files: what to keep as evidence, by file name.
    """

    def __init__(
        self, kind: str, text: str, index: int | None = None, files: Mapping[str, bytes] | None = None
    ) -> None:
        self.kind = kind
        self.index = index
        self.files = dict(files or {})
        super().__init__(text)


class HashTiles(Protocol):
    """Something that holds the hash tiles of a tree of `size` entries."""

    size: int

    def tile(self, level: int, n: int) -> bytes:
        """The hashes that the tile has in this tree. Raises SourceError or Mismatch."""
        ...


def width_of(size: int, level: int, n: int) -> int:
    """How many hashes tile `n` of `level` has in a tree of `size` entries."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - n * TILE_WIDTH))


def edge_levels(size: int) -> list[int]:
    """The tile levels that hold hashes of the right edge of a tree of `size` entries, highest first."""
    top = (size.bit_length() + TILE_HEIGHT - 1) // TILE_HEIGHT
    return [level for level in range(top, -1, -1) if (size >> TILE_HEIGHT * level) % TILE_WIDTH]


def edge_at(tiles: HashTiles, size: int) -> RightEdge:
    """The right edge of the first `size` entries of a tree that has as many or more. Raises what `tile` raises."""
    hashes: list[bytes] = []
    for level in edge_levels(size):
        row = split_hashes(_row(tiles, level, size))
        while row:
            count = 1 << len(row).bit_length() - 1
            hashes.append(subtree_root(row[:count]))
            row = row[count:]
    return RightEdge(size, tuple(hashes))


def _row(tiles: HashTiles, level: int, size: int) -> bytes:
    """The hashes of the last begun tile of a level, as a tree of `size` entries has them."""
    begun = size >> TILE_HEIGHT * level
    return tiles.tile(level, begun // TILE_WIDTH)[: begun % TILE_WIDTH * HASH_SIZE]


def require_same_start(kept: HashTiles, seen: HashTiles) -> None:
    """Check that the tree `seen` begins with all entries of `kept`. Raises Mismatch (`fork`), which names the first
    entry that differs if the tiles tell, or SourceError.
    """
    for level in edge_levels(kept.size):
        n = (kept.size >> TILE_HEIGHT * level) // TILE_WIDTH
        mine, theirs = _row(kept, level, kept.size), _row(seen, level, kept.size)
        if mine != theirs:
            raise _fork(kept, seen, level, n, mine, theirs)


def _fork(kept: HashTiles, seen: HashTiles, level: int, n: int, mine: bytes, theirs: bytes) -> Mismatch:
    """Descend along the first hash that differs, from tile `n` of `level` down to a leaf."""
    files = {"kept-tile": mine, "seen-tile": theirs}
    n = n * TILE_WIDTH + _first_difference(mine, theirs)
    try:
        while level:
            above, mine, theirs = _hash_in(mine, n), kept.tile(level - 1, n), seen.tile(level - 1, n)
            if tile_root(mine) != above:
                raise SourceError("The tile kept here is damaged.")
            files = {"kept-tile": mine, "seen-tile": theirs}
            level, n = level - 1, n * TILE_WIDTH + _first_difference(mine, theirs)
    except (SourceError, Mismatch):
        # The signed roots differ all the same; only where, the missing tile would tell.
        first, last = n << TILE_HEIGHT * level, min((n + 1) << TILE_HEIGHT * level, kept.size) - 1
        text = f"One of the entries {first} to {last} is no longer what it was: the log signed two histories."
        return Mismatch("fork", text, None, files)
    text = f"Entry {n} is no longer what it was: the log signed two histories that part there."
    return Mismatch("fork", text, n, files)


def _hash_in(row: bytes, n: int) -> bytes:
    """The hash that a tile's row holds for tile `n` below it."""
    place = n % TILE_WIDTH * HASH_SIZE
    return row[place : place + HASH_SIZE]


def _first_difference(mine: bytes, theirs: bytes) -> int:
    pairs = zip(split_hashes(mine), split_hashes(theirs), strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), 0)


class StoredTiles:
    """Tiles of a tree of `size` entries in a folder of one's own, not checked."""

    def __init__(self, source: Source, size: int) -> None:
        self.size = size
        self._source = source

    def tile(self, level: int, n: int) -> bytes:
        """See HashTiles."""
        width = width_of(self.size, level, n)
        return read_tile(self._source, level, n, width)


def read_tile(source: Source, level: int, n: int, width: int) -> bytes:
    """The first `width` hashes of a tile; the full tile stands in for a partial one that is gone. Raises SourceError,
    and Mismatch (`tile`) on a length that no such tile has.
    """
    path, whole = tile_path(level, n, width), width == TILE_WIDTH
    try:
        data = _read_tile(source, path)
    except NotThere:
        if whole:
            raise
        path, whole = tile_path(level, n), True
        data = _read_tile(source, path)
    if len(data) != (TILE_BYTES if whole else width * HASH_SIZE):
        raise Mismatch("tile", f"{path} has {len(data)} bytes, which are not its hashes.", files={"seen-tile": data})
    return data[: width * HASH_SIZE]


def _read_tile(source: Source, path: str) -> bytes:
    try:
        return source.read(path, TILE_BYTES)
    except TooLarge as error:
        # It is published and is not what was signed: that no file is read whole must not hide it.
        raise Mismatch("tile", str(error)) from None


def read_bundle(source: Source, n: int, width: int) -> tuple[list[bytes], str]:
    """The first `width` entries of a bundle as far as they can be read, and what is wrong with it or an empty text;
    as read_tile, the full bundle stands in. Raises SourceError.
    """
    try:
        return _read_bundle(source, n, width)
    except NotThere:
        if width == TILE_WIDTH:
            raise
        entries, problem = _read_bundle(source, n, TILE_WIDTH)
        return entries[:width], problem


def _read_bundle(source: Source, n: int, width: int) -> tuple[list[bytes], str]:
    path = bundle_path(n, width)
    try:
        return split_bundle(source.read(path, MAX_BUNDLE_BYTES), width)
    except TooLarge:
        return [], f"{path} has more than {MAX_BUNDLE_BYTES} bytes, the most that it can have"


class SignedTiles:
    """Tiles and bundles of a signed tree, each checked up to the root before it is given out.

    What does not fit is read a second time before Mismatch is raised: a transfer may break without saying so.
    `tile` may be called by one thread only, `leaves` by many.
    """

    def __init__(self, source: Source, checkpoint: Checkpoint) -> None:
        self.size = checkpoint.size
        self._source = source
        self._root = checkpoint.root
        self._edge: dict[int, bytes] = {}
        self._upper: dict[tuple[int, int], bytes] = {}
        _twice(self._read_edge)

    def _read_edge(self) -> None:
        raw = StoredTiles(self._source, self.size)
        rows = {level: _row(raw, level, self.size) for level in edge_levels(self.size)}
        self._edge = rows
        if edge_at(self, self.size).root() == self._root:
            return
        paths = ", ".join(
            tile_path(level, n, width_of(self.size, level, n))
            for level in rows
            for n in [(self.size >> TILE_HEIGHT * level) // TILE_WIDTH]
        )
        text = f"The hash tiles at the end of the log ({paths}) do not lead to the signed root of {self.size} entries."
        index = self._blame_edge()
        if index is not None:
            text = f"{text} Its level 0 was rewritten: entry {index} has another hash."
        raise Mismatch("tile", text, index, {f"seen-tile-{level}": row for level, row in rows.items()})

    def _blame_edge(self) -> int | None:
        """The first entry whose hash was changed in the partial level 0 tile, if the entries do lead to the root."""
        n, width = divmod(self.size, TILE_WIDTH)
        if not width:
            return None
        hashes = leaf_hashes(read_bundle(self._source, n, width)[0])
        stored, self._edge = self._edge, {**self._edge, 0: b"".join(hashes)}
        if len(hashes) != width or edge_at(self, self.size).root() != self._root:
            return None
        return n * TILE_WIDTH + _first_difference(self._edge[0], stored[0])

    def tile(self, level: int, n: int) -> bytes:
        """See HashTiles."""
        if width_of(self.size, level, n) < TILE_WIDTH:
            return self._edge[level]
        known = self._upper.get((level, n))
        if known is None:
            wanted = self.root_of(level, n)
            known = _twice(lambda: self._full(level, n, wanted, self._source))
            if level:
                self._upper[level, n] = known
                while len(self._upper) > _UPPER_TILES_KEPT:
                    del self._upper[next(iter(self._upper))]
        return known

    def root_of(self, level: int, n: int) -> bytes:
        """What a full tile must hash to: its hash in the tile above."""
        return _hash_in(self.tile(level + 1, n // TILE_WIDTH), n)

    def _full(self, level: int, n: int, wanted: bytes, source: Source) -> bytes:
        data = read_tile(source, level, n, TILE_WIDTH)
        if tile_root(data) == wanted:
            return data
        index = None if level else _blame(source, n, wanted, data)
        text = f"{tile_path(level, n)} was rewritten: it does not lead to the signed root"
        where = "" if index is None else f"; entry {index} has another hash in it"
        raise Mismatch("tile", f"{text}{where}.", index, {"seen-tile": data})

    def leaves(self, n: int, wanted: bytes | None, source: Source | None = None) -> tuple[bytes, bytes]:
        """Level 0 tile `n` and its entry bundle, both as wide as the tree has them.

        `wanted` is root_of(0, n), None for the partial one at the end; `source` reads them from elsewhere. Raises
        SourceError or Mismatch.
        """
        where = source or self._source
        tile = self._edge[0] if wanted is None else _twice(lambda: self._full(0, n, wanted, where))
        return tile, _twice(lambda: _bundle(where, n, tile))


def require_leaves(source: Source, n: int, tile: bytes) -> None:
    """Check that what is published as full level 0 tile and bundle `n` still is what was kept as that tile. Raises
    SourceError or Mismatch.
    """
    _twice(lambda: _require_tile(source, n, tile))
    _twice(lambda: _bundle(source, n, tile))


def _require_tile(source: Source, n: int, tile: bytes) -> None:
    seen = read_tile(source, 0, n, TILE_WIDTH)
    if seen != tile:
        index = n * TILE_WIDTH + _first_difference(tile, seen)
        text = f"{tile_path(0, n)} was rewritten after it had been signed: entry {index} has another hash in it."
        raise Mismatch("tile", text, index, {"kept-tile": tile, "seen-tile": seen})


def _blame(source: Source, n: int, wanted: bytes, data: bytes) -> int | None:
    """The first entry whose hash was changed in a level 0 tile, if the entries do lead to what it must hash to."""
    hashes = leaf_hashes(read_bundle(source, n, TILE_WIDTH)[0])
    if len(hashes) != TILE_WIDTH or subtree_root(hashes) != wanted:
        return None
    return n * TILE_WIDTH + _first_difference(b"".join(hashes), data)


def _bundle(source: Source, n: int, tile: bytes) -> bytes:
    stored = split_hashes(tile)
    entries, problem = read_bundle(source, n, len(stored))
    hashes = leaf_hashes(entries)
    if hashes == stored and not problem:
        return encode_bundle(entries)
    place = next((i for i, item in enumerate(hashes[: len(stored)]) if item != stored[i]), len(hashes))
    index = n * TILE_WIDTH + min(place, len(stored) - 1)
    what = f"its bundle {problem}" if problem else "its bytes do not hash to what was signed"
    seen = entries[place] if place < len(entries) else b""
    raise Mismatch("entry", f"Entry {index} was changed: {what}.", index, {"seen-entry": seen})


def _twice(read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except Mismatch:
        return read()
