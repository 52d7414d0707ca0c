"""The hash tiles above the runs of a log folder: levels 2 and up, rebuilt and compared as the runs' roots come."""

from typing import Final

from audit.tlog.folderhash import Findings, LogFiles, subtree_root
from audit.tlog.tiles import tile_path
from audit.tlog.tree import TILE_WIDTH, split_hashes

LOWEST: Final = 2
"""A run is what is under one tile of level 1, so its root stands in a tile of this level."""


class UpperTiles:
    """Takes the roots of full runs in order; what is wrong with the tiles goes to `findings`."""

    def __init__(self, files: LogFiles, findings: Findings) -> None:
        self._files = files
        self._findings = findings
        self._rows: list[list[bytes]] = []
        """The tile that has been begun on each level."""
        self._full: list[int] = []
        """How many tiles of each level are behind it."""
        self._faulty: list[set[int]] = []
        """Places in the begun tile that cannot be right, because something under them is wrong."""

    def add(self, root: bytes, *, faulty: bool, level: int = LOWEST) -> None:
        """Add the next hash of a level; `faulty` when something under it was found wrong and told already."""
        at = level - LOWEST
        if at == len(self._rows):
            self._rows.append([])
            self._full.append(0)
            self._faulty.append(set())
        row = self._rows[at]
        if faulty:
            self._faulty[at].add(len(row))
        row.append(root)
        if len(row) == TILE_WIDTH:
            faulty = self._differs(level) or bool(self._faulty[at])
            self._rows[at] = []
            self._full[at] += 1
            self._faulty[at] = set()
            self.add(subtree_root(row), faulty=faulty, level=level + 1)

    def finish(self) -> None:
        """Compare the tiles that are begun when the log ends."""
        for at, row in enumerate(self._rows):
            if row:
                self._differs(LOWEST + at)

    def _differs(self, level: int) -> bool:
        """Compare the begun tile with the stored one; whether they differ in a place that was not known to."""
        at = level - LOWEST
        row, n = self._rows[at], self._full[at]
        data = self._files.tile(level, n)
        if data is None or data == b"".join(row):
            return False
        for place, stored in enumerate(split_hashes(data)):
            if stored != row[place] and place not in self._faulty[at]:
                width = TILE_WIDTH**level
                first = (n * TILE_WIDTH + place) * width
                self._findings.fault(
                    "tile",
                    f"Hash {place} of {tile_path(level, n, len(row))} is not that of entries {first} to "
                    f"{first + width - 1}: either they were rewritten with all tiles under it, or it was.",
                )
                return True
        return False
