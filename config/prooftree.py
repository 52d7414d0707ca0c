"""The path of an entry to the signed root, as a picture (RFC 6962, section 2.1.1)."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.tlog.proof import root_path
from audit.tlog.tree import TILE_HEIGHT
from config.charts import dot, drawing, line, text

Step = tuple[str, int, int]
"""One sibling on the way to the root: its side, and the half-open range of entries below it."""

ROW = 30
"""Pixels from one level of the tree to the next."""


class Row(NamedTuple):
    """One level of the path: the sibling that the proof gives, the node it is hashed with, and what that gives.

    `first` to `past` - 1 are the entries below the sibling, `low` to `high` - 1 those below the node.
    """

    side: str
    sibling: bytes
    first: int
    past: int
    node: bytes
    low: int
    high: int
    above: bytes

    @property
    def level(self) -> int:
        """How often what is covered doubled up to here. At the right edge of the tree a subtree may cover less."""
        covered = max(self.high, self.past) - min(self.low, self.first)
        return (covered - 1).bit_length() - 1


def path_ranges(index: int, size: int) -> list[Step]:
    """The siblings on the way from leaf `index` up to the root of a tree of `size` leaves, lowest first."""
    steps: list[Step] = []
    low, high = 0, size
    while high - low > 1:
        split = low + (1 << (high - low - 1).bit_length() - 1)
        if index < split:
            steps.append(("right", split, high))
            high = split
        else:
            steps.append(("left", low, split))
            low = split
    return steps[::-1]


def span(low: int, high: int) -> str:
    """The entries low to high - 1, as people write a range."""
    return f"{low:,}" if high - low == 1 else f"{low:,} – {high - 1:,}"


def path_rows(index: int, size: int, *, leaf_hash: bytes, proof: Sequence[bytes]) -> list[Row]:
    """The path as rows, lowest first. Raises audit.tlog.proof.ProofError when the proof has not the path's length."""
    computed = root_path(leaf_hash, index, size, proof)
    low, high = index, index + 1
    rows = []
    for (side, first, past), sibling, node, above in zip(
        path_ranges(index, size), proof, computed, computed[1:], strict=False
    ):
        rows.append(Row(side, sibling, first, past, node, low, high, above))
        low, high = min(low, first), max(high, past)
    return rows


def proof_tree(
    index: int, size: int, *, leaf_hash: bytes, proof: Sequence[bytes], root: bytes | None = None
) -> SafeString:
    """The path of an entry to the root: squares are given in the proof, circles are computed from the two below them.

    With the signed `root`, the top of the path says whether it is that.
    """
    rows = path_rows(index, size, leaf_hash=leaf_hash, proof=proof)
    height = ROW * len(rows) + 92
    heights = [height - 46 - ROW * level for level in range(len(rows) + 1)]
    top = root_path(leaf_hash, index, size, proof)[-1]
    shapes = _tile_lines(rows, heights)
    for row, y, above in zip(rows, heights, heights[1:], strict=False):
        shapes += _sibling(row, y, above)
    for row, y in zip(rows[1:], heights[1:], strict=False):
        shapes += [dot("fp la", 50, y, 4), _beside(row, row.node, row.low, row.high, y, "m")]
    leads_elsewhere = root is not None and root != top
    names = {
        "index": f"{index:,}",
        "size": f"{size:,}",
        "leaf": leaf_hash.hex()[:16],
        "root": top.hex()[:16],
        "signed": (root or top).hex()[:16],
        "n": len(rows),
    }
    shapes.append(dot("f1", 50, heights[0], 6.5))
    shapes.append(dot("fbad" if leads_elsewhere else "f1", 50, heights[-1], 6.5))
    shapes.append(text(50, heights[0] + 26, _("Entry %(index)s: leaf hash %(leaf)s") % names, "b mid"))
    if leads_elsewhere:
        shapes.append(text(50, heights[-1] - 32, _("Signed root of checkpoint %(size)s: %(signed)s") % names, "b mid"))
        shapes.append(text(50, heights[-1] - 16, _("But the path leads to %(root)s") % names, "b bad mid"))
    else:
        shapes.append(text(50, heights[-1] - 16, _("Root %(root)s of checkpoint %(size)s") % names, "b mid"))
    title = _("Path of %(n)s hashes from entry %(index)s to the root of a tree with %(size)s entries") % names
    return drawing(height, title, shapes)


def pathway() -> SafeString:
    """From an event to what an auditor keeps, in five stations; drawn down the page, so it fits a phone."""
    stations = (
        ("f2", _("Event"), _("the exact bytes you sent")),
        ("f4", _("Section"), _("those bytes and a salt, erasable alone")),
        ("f1", _("Leaf"), _("ids, type, times, commitments; for ever")),
        ("f3", _("Path"), _("one hash for each doubling of the log")),
        ("fok", _("Checkpoint"), _("size and root, signed; keep it anywhere")),
    )
    step, first = 46, 20
    shapes = [line("la", 2, first, 2, first + step * (len(stations) - 1))]
    for position, (cls, name, says) in enumerate(stations):
        y = first + step * position
        shapes += [dot(cls, 2, y, 8), text(2, y - 2, name, "b", 24), text(2, y + 15, says, "q", 24)]
    title = _("Event, section, leaf, path, checkpoint: each is made from the one before")
    return drawing(first + step * len(stations) - 16, title, shapes)


def _tile_lines(rows: Sequence[Row], heights: Sequence[float]) -> list[SafeString]:
    """The level of each row at the left edge, and a line below each level on which a new row of tiles begins."""
    shapes: list[SafeString] = []
    for number, (row, y) in enumerate(zip(rows, heights, strict=False)):
        shapes.append(text(0, y + 4, _("Level %(level)s") % {"level": row.level}, "q far"))
        tile = row.level // TILE_HEIGHT
        if number == 0 or tile != rows[number - 1].level // TILE_HEIGHT:
            words = _("Tile level %(level)s") % {"level": tile}
            shapes += [line("ln", 0, y + ROW / 2, 100, y + ROW / 2), text(100, y + 4, words, "q far end")]
    return shapes


def _sibling(row: Row, y: float, above: float) -> list[SafeString]:
    x = 44 if row.side == "left" else 56
    square = '<rect class="f3" x="{}%" y="{}" width="10" height="10" transform="translate(-5 0)"/>'
    return [
        line("lr", x, y, 50, above),
        line("la", 50, y, 50, above),
        format_html(square, x, f"{y - 5:.1f}"),
        _words(x, y, row.sibling, row.first, row.past, left=row.side == "left", cls="b m"),
    ]


def _beside(row: Row, node: bytes, low: int, high: int, y: float, cls: str) -> SafeString:
    """What was computed stands on the other side of the path than the sibling it is hashed with."""
    return _words(50, y, node, low, high, left=row.side == "right", cls=cls)


def _words(x: float, y: float, item: bytes, low: int, high: int, *, left: bool, cls: str) -> SafeString:
    side, shift = ("end", -12) if left else ("", 12)
    words = (
        '<text class="{}" x="{}%" dx="{}" y="{}"><tspan class="{}">{}</tspan>'
        '<tspan class="q far" dx="8">{}</tspan></text>'
    )
    return format_html(words, side, x, shift, f"{y + 4:.1f}", cls, item.hex()[:8], span(low, high))
