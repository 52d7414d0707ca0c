"""The path of an entry to the signed root, as a picture (RFC 6962, section 2.1.1)."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.tlog.proof import root_path
from config.charts import dot, drawing, line, text

Step = tuple[str, int, int]
"""One sibling on the way to the root: its side, and the half-open range of entries below it."""

ROW = 26
"""Pixels from one level of the tree to the next."""


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


def proof_tree(index: int, size: int, *, leaf_hash: bytes, proof: Sequence[bytes]) -> SafeString:
    """The path of an entry to the root: squares are given in the proof, circles are computed."""
    steps = path_ranges(index, size)
    height = ROW * (len(steps) + 1) + 66
    heights = [height - 46 - ROW * level for level in range(len(steps) + 1)]
    shapes = []
    tiles = [(high - low - 1).bit_length() // 8 for _side, low, high in steps]
    for level, tile in enumerate(tiles):
        if level == 0 or tile != tiles[level - 1]:
            words = _("Tile level %(level)s") % {"level": tile}
            at = heights[level]
            shapes += [line("ln", 0, at + ROW / 2, 100, at + ROW / 2), text(0, at + 4, words, "q far")]
    for level, (step, sibling) in enumerate(zip(steps, proof, strict=True)):
        shapes += _sibling(step, sibling.hex()[:8], heights[level], heights[level + 1])
    shapes += [dot("fp la", 50, heights[level], 3.5) for level in range(1, len(steps))]
    shapes += [dot("f1", 50, heights[level], 6.5) for level in sorted({0, len(steps)})]
    names = {
        "index": f"{index:,}",
        "size": f"{size:,}",
        "leaf": leaf_hash.hex()[:16],
        "root": root_path(leaf_hash, index, size, proof)[-1].hex()[:16],
        "n": len(steps),
    }
    shapes.append(text(50, heights[0] + 26, _("Entry %(index)s: leaf hash %(leaf)s") % names, "b mid"))
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


def _sibling(step: Step, name: str, y: float, above: float) -> list[SafeString]:
    side, low, high = step
    x, cls, shift = (44, "end", -12) if side == "left" else (56, "", 12)
    square = '<rect class="f3" x="{}%" y="{}" width="10" height="10" transform="translate(-5 0)"/>'
    words = (
        '<text class="{}" x="{}%" dx="{}" y="{}"><tspan class="b m">{}</tspan>'
        '<tspan class="q far" dx="8">{}</tspan></text>'
    )
    return [
        line("lr", x, y, 50, above),
        line("la", 50, y, 50, above),
        format_html(square, x, f"{y - 5:.1f}"),
        format_html(words, cls, x, shift, f"{y + 4:.1f}", name, span(low, high)),
    ]
