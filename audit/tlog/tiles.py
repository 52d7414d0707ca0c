"""Tiles and entry bundles (c2sp.org/tlog-tiles): their names, and the encoding of bundles."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from audit.tlog.tree import TILE_HEIGHT, TILE_WIDTH

__all__ = [
    "MAX_ENTRY_BYTES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "TileError",
    "TileName",
    "bundle_path",
    "decode_bundle",
    "encode_bundle",
    "new_tiles",
    "parse_tile_path",
    "tile_path",
]

MAX_ENTRY_BYTES: Final = 65535
"""A bundle's length prefix is a uint16."""

MAX_LEVEL: Final = 63

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


class TileError(ValueError):
    """A tile name or an entry bundle is malformed."""


class TileName(NamedTuple):
    """What a path names: tile `n` of `level`, or bundle `n` of entries (level None), and its width."""

    level: int | None
    n: int
    width: int


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`, relative to the log's prefix. Raises TileError on values out of range."""
    if not 0 <= level <= MAX_LEVEL:
        raise TileError(f"A tile's level is 0 to {MAX_LEVEL}, not {level}.")
    return f"tile/{level}/{_numbered(n, width)}"


def bundle_path(n: int, width: int = TILE_WIDTH) -> str:
    """`tile/entries/<N>[.p/<W>]`, relative to the log's prefix. Raises TileError on values out of range."""
    return f"tile/entries/{_numbered(n, width)}"


def parse_tile_path(path: str) -> TileName:
    """Inverse of tile_path and bundle_path. Raises TileError on anything they would not write."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise TileError(f"{path[:80]!r} is not a tile path.")
    level, number, width = match.groups()
    name = TileName(
        None if level == "entries" else int(level),
        int(number.replace("/", "").replace("x", "")),
        TILE_WIDTH if width is None else int(width),
    )
    written = bundle_path(name.n, name.width) if name.level is None else tile_path(name.level, name.n, name.width)
    if written != path:
        raise TileError(f"{path[:80]!r} is not the one spelling of a tile path.")
    return name


def _numbered(n: int, width: int) -> str:
    if n < 0 or not 1 <= width <= TILE_WIDTH:
        raise TileError(f"There is no tile {n} with {width} hashes.")
    text = f"{n % 1000:03d}"
    while n := n // 1000:
        text = f"x{n % 1000:03d}/{text}"
    return text if width == TILE_WIDTH else f"{text}.p/{width}"


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries, each behind its length as big-endian uint16. Raises TileError on more than 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TileError(f"An entry of {len(entry)} bytes does not fit a bundle; the limit is {MAX_ENTRY_BYTES}.")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes) -> list[bytes]:
    """Inverse of encode_bundle. Raises TileError when the bytes end inside an entry or hold more than 256."""
    entries = []
    start = 0
    while start < len(data):
        # A lone last byte reads as a short length, but the entry then ends past the data all the same.
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if end > len(data):
            raise TileError("The entry bundle ends in the middle of an entry.")
        entries.append(data[start + 2 : end])
        start = end
    if len(entries) > TILE_WIDTH:
        raise TileError(f"An entry bundle holds at most {TILE_WIDTH} entries, not {len(entries)}.")
    return entries


def new_tiles(old_size: int, new_size: int, height: int = TILE_HEIGHT) -> list[TileName]:
    """Tiles to publish when a log grows: those that became full, then each level's new partial one, level by
    level.

    Publishing these at every checkpoint keeps all tiles a client may ask for. `height` is 8 in this log;
    other logs' test data use another.
    """
    names = []
    level = 0
    while new_size >> height * level:
        old, new = old_size >> height * level, new_size >> height * level
        if old != new:
            names += [TileName(level, n, 1 << height) for n in range(old >> height, new >> height)]
            if width := new % (1 << height):
                names.append(TileName(level, new >> height, width))
        level += 1
    return names
