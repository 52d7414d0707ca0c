"""Tile names and entry bundles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.tiles import (
    TileError,
    TileName,
    bundle_path,
    decode_bundle,
    encode_bundle,
    new_tiles,
    parse_tile_path,
    tile_path,
)


@given(st.integers(0, 63), st.integers(0, 2**55), st.integers(1, 256))
def test_paths_are_read_back(level: int, n: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, n, width)) == TileName(level, n, width)
    assert parse_tile_path(bundle_path(n, width)) == TileName(None, n, width)


def test_paths_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(2, 0, 5) == "tile/2/000.p/5"
    assert bundle_path(273, 112) == "tile/entries/273.p/112"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x000/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001\n",
        "tile/data/001",
        "tile/0/٠٠١",
        "/tile/0/001",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(TileError):
        parse_tile_path(path)


@pytest.mark.parametrize("level, n, width", [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_tiles_that_cannot_be_named(level: int, n: int, width: int) -> None:
    with pytest.raises(TileError):
        tile_path(level, n, width)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundles_are_read_back(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


def test_bundle_limits() -> None:
    longest = b"x" * 65_535
    assert decode_bundle(encode_bundle([longest])) == [longest]
    with pytest.raises(TileError, match="65535"):
        encode_bundle([longest + b"x"])
    with pytest.raises(TileError, match="at most 256"):
        decode_bundle(encode_bundle([b""] * 257))
    for broken in (b"\x00", b"\x00\x02x", b"\x00\x00\x00", b"\x00\x01x\x05"):
        with pytest.raises(TileError, match="middle"):
            decode_bundle(broken)


def test_tiles_to_publish() -> None:
    assert new_tiles(0, 0) == []
    assert new_tiles(5, 5) == []
    assert new_tiles(0, 256) == [TileName(0, 0, 256), TileName(1, 0, 1)]
    assert new_tiles(250, 260) == [TileName(0, 0, 256), TileName(0, 1, 4), TileName(1, 0, 1)]
    assert new_tiles(256, 300) == [TileName(0, 1, 44)]


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_full_tiles_are_published_once(middle: int, end: int) -> None:
    middle, end = sorted((middle, end))
    whole = [name for name in new_tiles(0, end) if name.width == 256]
    parts = [name for name in new_tiles(0, middle) + new_tiles(middle, end) if name.width == 256]
    assert sorted(whole) == sorted(parts)
