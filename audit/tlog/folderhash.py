"""The hashes of a log folder: bundles and hash tiles as a tree of some size needs them, and their comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from audit.tlog.encoding import HASH_SIZE
from audit.tlog.source import NotThere, Source, SourceError, TooLarge
from audit.tlog.tiles import MAX_ENTRY_BYTES, bundle_path, tile_path
from audit.tlog.tree import TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, leaf_hashes, parents, split_hashes
from audit.tlog.verification import Check

MAX_BUNDLE_BYTES: Final = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
FAULTS_KEPT: Final = 20


@dataclass
class Findings:
    """What was found wrong: the first faults, how many there are, and files that could not be read."""

    limit: int = FAULTS_KEPT
    faults: list[Check] = field(default_factory=list)
    count: int = 0
    unreadable: list[str] = field(default_factory=list)

    def fault(self, name: str, detail: str, index: int | None = None) -> None:
        """Note a fault; after the first `limit` they are only counted."""
        self.count += 1
        if len(self.faults) < self.limit:
            self.faults.append(Check(name, ok=False, detail=detail, index=index))

    def cannot_read(self, error: SourceError) -> None:
        """Note a file that could not be read: no evidence against the log, but no answer either."""
        if len(self.unreadable) < self.limit:
            self.unreadable.append(str(error))

    def absorb(self, others: "Findings") -> None:
        """Add what others found."""
        self.count += others.count
        self.faults += others.faults[: self.limit - len(self.faults)]
        self.unreadable += others.unreadable[: self.limit - len(self.unreadable)]


class Bundle(NamedTuple):
    """An entry bundle's content in a tree of some size."""

    entries: list[bytes]
    """The exact bytes; fewer than the tree needs when the file is damaged or absent."""
    hashes: list[bytes] | None
    """Leaf hashes of all entries the tree has here; of a damaged bundle those its hash tile holds, if any."""


def subtree_root(nodes: Sequence[bytes]) -> bytes:
    """Root of a complete subtree over a power of two of hashes."""
    while len(nodes) > 1:
        nodes = parents(nodes)
    return nodes[0]


def split_bundle(data: bytes, width: int) -> tuple[list[bytes], str]:
    """The entries of a bundle as far as they can be read, and what is wrong with it or an empty text."""
    entries = []
    start = 0
    end = len(data)
    last = end - 1
    while start < last:
        stop = start + 2 + (data[start] << 8 | data[start + 1])
        entries.append(data[start + 2 : stop])
        start = stop
    if start != end:
        return entries[: -1 if start > end else None], "ends in the middle of an entry"
    if len(entries) != width:
        return entries, f"holds {len(entries)} entries instead of {width}"
    return entries, ""


class LogFiles:
    """The tiles and bundles that a tree of `size` entries needs; what is wrong with them goes to `findings`.

    Where the log has grown since, a full tile or bundle stands for the partial one (tlog-tiles, "Partial
    Tiles").
    """

    def __init__(self, source: Source, size: int, findings: Findings) -> None:
        self._source = source
        self._size = size
        self._findings = findings

    def width(self, level: int, n: int) -> int:
        """How many hashes tile `n` of `level` has in this tree."""
        return max(0, min(TILE_WIDTH, (self._size >> TILE_HEIGHT * level) - n * TILE_WIDTH))

    def tile(self, level: int, n: int) -> bytes | None:
        """The tile's hashes, concatenated; None when it is absent, damaged or unreadable."""
        width = self.width(level, n)
        data, whole = self._read(tile_path(level, n, width), tile_path(level, n), TILE_BYTES)
        if data is None:
            return None
        if len(data) != (TILE_BYTES if whole else width * HASH_SIZE):
            path = tile_path(level, n, TILE_WIDTH if whole else width)
            self._findings.fault("tile", f"{path} has {len(data)} bytes, which are not its hashes.")
            return None
        return data[: width * HASH_SIZE]

    def bundle(self, n: int, upper: bytes | None = None) -> Bundle:
        """The bundle, compared with its hash tile. `upper` is what the tile above says is its root."""
        width = self.width(0, n)
        data, whole = self._read(bundle_path(n, width), bundle_path(n), MAX_BUNDLE_BYTES, n * TILE_WIDTH)
        tile = self.tile(0, n)
        if data is None:
            return Bundle([], None if tile is None else split_hashes(tile))
        entries, problem = split_bundle(data, TILE_WIDTH if whole else width)
        del entries[width:]
        hashes = leaf_hashes(entries)
        if not problem and tile == b"".join(hashes):
            return Bundle(entries, hashes)
        path = bundle_path(n, TILE_WIDTH if whole else width)
        first = n * TILE_WIDTH
        if tile is None:
            if problem:
                self._findings.fault("bundle", f"{path} {problem}.")
            return Bundle(entries, None if problem else hashes)
        stored = split_hashes(tile)
        place = next((i for i, item in enumerate(hashes) if item != stored[i]), len(hashes))
        if problem:
            # All its entries may be right and something stand behind them.
            self._findings.fault("bundle", f"{path} {problem}.", first + place if place < width else None)
            return Bundle(entries[:place], stored)
        self._findings.fault("entry", _blame(path, tile_path(0, n, width), hashes, stored, upper), first + place)
        return Bundle(entries, hashes)

    def _read(self, path: str, full: str, limit: int, index: int | None = None) -> tuple[bytes | None, bool]:
        """The file and whether it is the full one; None when it is not there or not readable.

        `index` is the first entry that is lost with it.
        """
        try:
            try:
                return self._source.read(path, limit), path == full
            except NotThere:
                if path == full:
                    raise
            try:
                return self._source.read(full, limit), True
            except NotThere:
                raise NotThere(f"There is no file {path}, nor {full}.") from None
        except (NotThere, TooLarge) as error:
            self._findings.fault("missing" if isinstance(error, NotThere) else "tile", str(error), index)
        except SourceError as error:
            self._findings.cannot_read(error)
        return None, False


def _blame(path: str, tile: str, hashes: list[bytes], stored: list[bytes], upper: bytes | None) -> str:
    """Which of two files that disagree was changed, by what the tile above says."""
    text = f"{path} and {tile} disagree"
    if upper is not None and upper == subtree_root(hashes):
        return f"{text}; the tile was changed, the entry leads to the hash above."
    if upper is not None and upper == subtree_root(stored):
        return f"{text}; the entry was changed, its hash tile leads to the hash above."
    return f"{text}; if the root is rebuilt all the same, the tile was changed."
