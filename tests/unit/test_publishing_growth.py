"""The files that a growing tree gives out are those of the plain definition, at every size."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.publishing.growth import Growth, partial_tiles, recent_partials, superseded
from audit.publishing.store import File
from audit.tlog.tiles import parse_tile_path, tile_path
from audit.tlog.tree import TreeError
from tests.unit.publishing_log import MOST, naive, root, wanted


def grown(sizes: Sequence[int]) -> tuple[Growth, list[File]]:
    growth, files = Growth(), []
    for size in sizes:
        files += growth.add(naive().entries[growth.size : size])
        assert (growth.size, growth.edge().root()) == (size, root(size))
    return growth, files


def test_every_small_size_has_exactly_its_files() -> None:
    growth, full = Growth(), dict[str, bytes]()
    for size in range(1, 600):
        added = growth.add(naive().entries[size - 1 : size])
        assert not {file.path for file in added} & set(full)
        full |= dict(added)
        assert full | dict(growth.partials()) == wanted(size)
        assert growth.edge().root() == root(size)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_792, MOST])
def test_sizes_around_the_third_level_have_exactly_their_files(size: int) -> None:
    growth, files = grown([256 * 200 + 77, size])
    assert dict(files) | dict(growth.partials()) == wanted(size)
    assert len(files) == len(dict(files))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=6, unique=True).map(sorted))
def test_a_resumed_tree_grows_as_if_it_had_never_stopped(sizes: list[int]) -> None:
    first, last = sizes[0], sizes[-1]
    whole, _files = grown([first])
    files = whole.partials()
    tiles = {level: content for path, content in files if (level := parse_tile_path(path).level) is not None}
    resumed = Growth.resumed(first, tiles, naive().entries[first - first % 256 : first])
    assert resumed.edge() == whole.edge()
    for size in sizes[1:]:
        more = naive().entries[resumed.size : size]
        assert resumed.add(more) == whole.add(more)
    assert (resumed.size, resumed.partials()) == (last, whole.partials())


def test_a_tree_does_not_resume_from_wrong_files() -> None:
    entries = naive().entries
    tiles = {0: b"".join(naive().hash_at(0, index) for index in range(256, 260)), 1: naive().hash_at(8, 0)}
    assert Growth.resumed(260, tiles, entries[256:260]).edge().root() == root(260)
    for wrong in ({0: tiles[0]}, tiles | {0: tiles[0][:-1]}, tiles | {0: tiles[0] + bytes(32)}):
        with pytest.raises(TreeError):
            Growth.resumed(260, wrong, entries[256:260])
    for others in (entries[256:259], entries[255:259], [*entries[256:260], b"more"]):
        with pytest.raises(TreeError):
            Growth.resumed(260, tiles, others)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 40), st.integers(0, 1 << 20))
def test_superseded_files_are_those_whose_full_tile_is_there(old: int, more: int) -> None:
    new = old + more
    folders = superseded(old, new)
    for name in partial_tiles(old):
        assert name.level is not None
        full = (name.n + 1) << 8 * (name.level + 1) <= new
        assert (f"{tile_path(name.level, name.n)}.p" in folders) is full
    hashes = [folder for folder in folders if "/entries/" not in folder]
    assert len(folders) - len(hashes) == sum(folder.startswith("tile/0/") for folder in hashes) <= 1


def test_a_new_publisher_looks_beside_the_newest_full_tiles() -> None:
    assert recent_partials(255, 3) == []
    assert recent_partials(1030, 2) == [
        "tile/0/002.p", "tile/entries/002.p", "tile/0/003.p", "tile/entries/003.p",
    ]  # fmt: skip
    assert recent_partials(65_536, 1) == ["tile/0/255.p", "tile/entries/255.p", "tile/1/000.p"]
