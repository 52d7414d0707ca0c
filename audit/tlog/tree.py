"""RFC 6962 Merkle tree over SHA-256: hashes, the right edge of a growing tree, and the full tiles growth
completes.

A hash is `bytes` of length 32. A tree of size n is held as its *right edge*: the roots of the complete
subtrees that n decomposes into, largest first, one for each set bit of n. That is all one needs to append and
to know the root.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import repeat
from typing import Final, NamedTuple, Self

from audit.tlog.encoding import HASH_SIZE, MAX_SIZE

TILE_HEIGHT: Final = 8
"""Levels of the binary tree that one tile spans (c2sp.org/tlog-tiles)."""

TILE_WIDTH: Final = 256
"""Hashes in a full tile: 2**TILE_HEIGHT."""

TILE_BYTES: Final = TILE_WIDTH * HASH_SIZE

_LEAF_PREFIX: Final = b"\x00"
_NODE_PREFIX: Final = b"\x01"

# RFC 6962 section 2.1: MTH({}) = SHA-256().
EMPTY_ROOT: Final = sha256(b"").digest()


class TreeError(ValueError):
    """A tree was given hashes or sizes that cannot belong to it."""


class Tile(NamedTuple):
    """A full tile: the 256 hashes of the complete subtrees of 2**(8*level) leaves from index n*256 on."""

    level: int
    n: int
    data: bytes

    @property
    def root(self) -> bytes:
        """Root of the subtree under the tile: the tile's hash in the level above."""
        return tile_root(self.data)


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry."""
    # RFC 6962 section 2.1: MTH({d(0)}) = SHA-256(0x00 || d(0)).
    return sha256(_LEAF_PREFIX + data).digest()


def leaf_hashes(datas: Iterable[bytes]) -> list[bytes]:
    """Hashes of many entries, in order; the same as calling leaf_hash for each."""
    # RFC 6962 section 2.1: MTH({d(0)}) = SHA-256(0x00 || d(0)).
    return [sha256(_LEAF_PREFIX + data).digest() for data in datas]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node over its two children."""
    # RFC 6962 section 2.1: MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])).
    return sha256(_NODE_PREFIX + left + right).digest()


def parents(nodes: Sequence[bytes]) -> list[bytes]:
    """Hashes of the nodes above neighbours (0, 1), (2, 3), ...; an odd last node has no parent yet."""
    # RFC 6962 section 2.1: MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])).
    return [sha256(_NODE_PREFIX + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=False)]


def split_hashes(data: bytes) -> list[bytes]:
    """The 32-byte hashes of a concatenation. Raises TreeError when the length is not a multiple of 32."""
    if len(data) % HASH_SIZE:
        raise TreeError(f"{len(data)} bytes are not a whole number of {HASH_SIZE}-byte hashes.")
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree whose leaf hashes are given; the empty tree's root when there are none."""
    return EMPTY_EDGE.extend(hashes).root()


def tile_root(data: bytes) -> bytes:
    """Root of the complete subtree whose bottom row is `data` (a power of two of concatenated hashes)."""
    nodes = split_hashes(data)
    if not nodes or len(nodes) & (len(nodes) - 1):
        raise TreeError(f"A complete subtree has a power of two of hashes, not {len(nodes)}.")
    while len(nodes) > 1:
        nodes = parents(nodes)
    return nodes[0]


@dataclass(frozen=True, slots=True)
class RightEdge:
    """A tree of `size` leaves as the roots of its complete subtrees, largest (leftmost) first.

    Raises TreeError when there is not one 32-byte hash for each set bit of `size`.
    """

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise TreeError(f"A tree cannot have {self.size} leaves.")
        if len(self.hashes) != self.size.bit_count():
            raise TreeError(
                f"The edge of {self.size} leaves has {self.size.bit_count()} hashes, not {len(self.hashes)}."
            )
        _require_hashes(self.hashes)

    def root(self) -> bytes:
        """Merkle tree hash of the whole tree."""
        if not self.hashes:
            return EMPTY_ROOT
        # RFC 6962 section 2.1: k is the largest power of two below n, so the left child is always the larger
        # complete subtree and the right child the root of what remains: a fold from the right.
        result = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            result = node_hash(left, result)
        return result

    def extend(self, new_leaf_hashes: Sequence[bytes]) -> "RightEdge":
        """The tree after appending leaves with these hashes, each 32 bytes. Raises TreeError."""
        return _grow(self, new_leaf_hashes)[0]

    def to_bytes(self) -> bytes:
        """The edge hashes, largest subtree first, concatenated; the size is stored beside it."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Self:
        """Inverse of to_bytes. Raises TreeError when `data` does not fit `size`."""
        return cls(size, tuple(split_hashes(data)))


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(map(int.__ne__, map(len, hashes), repeat(HASH_SIZE))):
        raise TreeError(f"Every hash must be exactly {HASH_SIZE} bytes.")


def _grow(edge: RightEdge, leaves: Sequence[bytes]) -> tuple[RightEdge, list[Sequence[bytes]]]:
    """Append leaves row by row; also the nodes that became complete, one list for each level of the binary
    tree.
    """
    _require_hashes(leaves)
    size = edge.size + len(leaves)
    waiting = list(edge.hashes)
    kept: list[bytes] = []
    rows: list[Sequence[bytes]] = []
    fresh = leaves
    level = 0
    while size >> level:
        rows.append(fresh)
        # A set bit in the old size is a left sibling that waits on this level for its right one.
        row = [waiting.pop(), *fresh] if edge.size >> level & 1 else fresh
        if len(row) & 1:
            kept.append(row[-1])
        fresh = parents(row) if len(row) > 1 else []
        level += 1
    kept.reverse()
    return RightEdge(size, tuple(kept)), rows


EMPTY_EDGE: Final = RightEdge(0, ())


class Partial(NamedTuple):
    """The row right of the last full tile: `width` subtrees of 2**(8*level) leaves from number `start`."""

    level: int
    start: int
    width: int


def partials_needed(size: int, added: int) -> list[Partial]:
    """The partial tiles that extend_tiles must be given to grow a tree from `size` by `added` leaves.

    Only levels on which a tile fills up are listed; level 0 is leaf hashes, level L the roots of full tiles
    at L - 1.
    """
    needed: list[Partial] = []
    level = 0
    while True:
        before, after = size >> TILE_HEIGHT * level, (size + added) >> TILE_HEIGHT * level
        if before // TILE_WIDTH == after // TILE_WIDTH:
            return needed
        if before % TILE_WIDTH:
            needed.append(Partial(level, before - before % TILE_WIDTH, before % TILE_WIDTH))
        level += 1


def extend_tiles(
    edge: RightEdge, partial: Mapping[int, bytes], new_leaf_hashes: Sequence[bytes]
) -> tuple[RightEdge, list[Tile]]:
    """Append leaves and cut the tiles this fills, lowest level first (c2sp.org/tlog-tiles, "Merkle Tree").

    `partial` maps a tile level to the concatenated hashes right of the last full tile on it; partials_needed
    says which levels are read. Raises TreeError when one is missing or does not belong to this tree.
    """
    grown, rows = _grow(edge, new_leaf_hashes)
    begun = {item.level: item for item in partials_needed(edge.size, len(new_leaf_hashes))}
    tiles: list[Tile] = []
    for level in range(0, len(rows), TILE_HEIGHT):
        tile_level = level // TILE_HEIGHT
        first = (edge.size >> level) // TILE_WIDTH
        full = (grown.size >> level) // TILE_WIDTH - first
        if not full:
            break
        data = b"".join(rows[level])
        if tile_level in begun:
            data = _begun_tile(partial.get(tile_level, b""), begun[tile_level]) + data
            # The edge vouches for the old hashes: a tile that contradicts it must never be written.
            if tile_root(data[:TILE_BYTES]) != rows[level + TILE_HEIGHT][0]:
                raise TreeError(f"The stored hashes of the begun tile on level {tile_level} are not this tree's.")
        tiles.extend(Tile(tile_level, first + n, data[n * TILE_BYTES : (n + 1) * TILE_BYTES]) for n in range(full))
    return grown, tiles


def _begun_tile(data: bytes, wanted: Partial) -> bytes:
    if len(data) != wanted.width * HASH_SIZE:
        raise TreeError(
            f"The begun tile on level {wanted.level} has {wanted.width} hashes; {len(data)} bytes were given."
        )
    return data
