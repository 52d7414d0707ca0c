"""The tree over the recomputed leaf hashes, held against stored tiles and signed checkpoints."""

from collections.abc import Sequence

from psycopg import Connection, Cursor

from audit.ledger.tiles import grow
from audit.models import Checkpoint, Tile
from audit.selfcheck.entries import Row
from audit.selfcheck.findings import Finding
from audit.tlog.checkpoint import CheckpointError
from audit.tlog.encoding import HASH_SIZE
from audit.tlog.keyhistory import KeyHistory, read_checkpoint_in
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.tree import TILE_WIDTH, RightEdge, TreeError
from audit.tlog.tree import Tile as ComputedTile


class TreeWalk:
    """Grows a right edge from leaf hashes, checkpoint by checkpoint.

    Attributes:
        edge: the tree so far, computed from leaves alone.
        good: largest checkpointed size whose root was met.
        findings: contradictions so far.
    """

    def __init__(self, connection: Connection[Row], edge: RightEdge, *, keys: KeyHistory) -> None:
        self.edge = edge
        self.good = edge.size
        self.findings: list[Finding] = []
        self._connection = connection
        self._keys = keys
        self._left = False

    def take(self, hashes: Sequence[bytes]) -> None:
        """The next leaves: compare every checkpoint among them, and the tiles they complete."""
        start, end = self.edge.size, self.edge.size + len(hashes)
        self.findings += self._tiles(hashes)
        for signed in Checkpoint.objects.filter(size__gt=start, size__lte=end).order_by("size"):
            self.edge = self.edge.extend(hashes[self.edge.size - start : signed.size - start])
            self._compare(signed)
        self.edge = self.edge.extend(hashes[self.edge.size - start :])

    def finish(self, size: int, root: bytes) -> None:
        """The head that the writers keep, once all entries are walked; silent where the tree is wrong already."""
        if not self.findings and self.edge.size == size and self.edge.root() != root:
            self.findings.append(Finding("head", None, "log", f"The head of {size} entries has another root."))

    def _compare(self, row: Checkpoint) -> None:
        """The note is what was signed; the row only repeats it."""
        root = self.edge.root()
        try:
            signed, _opened = read_checkpoint_in(row.note, self._keys)
        except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError) as error:
            self._say(f"The checkpoint of {row.size} entries is not what the log's key signed: {error}", row)
            return
        if (signed.size, signed.root) != (row.size, bytes(row.root)):
            self._say(f"The row of the checkpoint of {row.size} entries does not repeat its signed note.", row)
        elif signed.root == root:
            self.good = signed.size
        elif not self._left:
            self._left = True
            self.findings.append(
                Finding(
                    "checkpoint",
                    self.good,
                    "log",
                    f"The entries from {self.good} to {row.size - 1} are not those that were signed: the checkpoint of"
                    f" {row.size} entries has another root. The last good checkpoint has {self.good} entries.",
                )
            )

    def _say(self, detail: str, row: Checkpoint) -> None:
        self.findings.append(Finding("checkpoint", None, f"checkpoint:{row.size}", detail))

    def _tiles(self, hashes: Sequence[bytes]) -> list[Finding]:
        """Compare the full tiles that these leaves complete, and the roots kept beside them, with the stored ones."""
        if self._left:
            return []  # every tile to the right would differ, and none of them would say anything new
        try:
            with Cursor(self._connection) as cursor:
                _edge, computed = grow(cursor, self.edge, hashes)
        except TreeError as error:
            size = self.edge.size
            return [Finding("tile", None, "log", f"The stored tiles below entry {size} are not of this tree: {error}")]
        stored = {
            (tile.level, tile.n): (bytes(tile.data), bytes(tile.root))
            for tile in Tile.objects.filter(pk__in=[(tile.level, tile.n) for tile in computed])
        }
        return [
            _differs(tile, stored.get((tile.level, tile.n)))
            for tile in computed
            if stored.get((tile.level, tile.n)) != (tile.data, tile.root)
        ]


def _differs(tile: ComputedTile, stored: tuple[bytes, bytes] | None) -> Finding:
    subject = f"tile:{tile.level}/{tile.n}"
    if stored is None:
        return Finding("tile", None, subject, f"Tile {tile.n} of level {tile.level} is missing.")
    if tile.level == 0 and len(stored[0]) == len(tile.data):
        for offset in range(TILE_WIDTH):
            place = slice(offset * HASH_SIZE, (offset + 1) * HASH_SIZE)
            if stored[0][place] != tile.data[place]:
                index = tile.n * TILE_WIDTH + offset
                return Finding("tile", index, subject, f"Entry {index} does not have the hash that its tile holds.")
    return Finding("tile", None, subject, f"Tile {tile.n} of level {tile.level} is not what its entries give.")
