"""Verifying a log folder: what is true verifies, and every kind of damage is named."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.folder import FolderError, FolderReport, verify_folder
from audit.tlog.keys import SigningKey
from audit.tlog.tiles import bundle_path, encode_bundle, tile_path
from audit.tlog.tree import TILE_WIDTH
from tests.unit.folder_example import KEY, put, put_lines, write_checkpoints, write_tree
from tests.unit.tlog_reference import ORIGIN, SampleLog

LOG = SampleLog(600)
KEPT = (1, 100, 255, 256, 257, 400, 512, 600)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    write_tree(folder, LOG.leaves)
    write_checkpoints(folder, LOG.leaves, KEPT)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "log"))


def verify(folder: Path, *, strict: bool = False) -> FolderReport:
    return verify_folder(folder, [KEY.verifier], strict=strict)


def names(report: FolderReport) -> set[str]:
    return {check.name for check in report.failures}


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    path.write_bytes(edit(path.read_bytes()))


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_true_folder(whole: Path) -> None:
    for report in (verify(whole, strict=True), verify(whole)):
        assert report.ok and report.pinned and not report.incomplete
        assert (report.last_good, report.first_bad, report.first_bad_index) == (600, None, None)
        assert (report.read, report.resumed) == (600, 0)
        assert "rebuilt too: 7." in next(check.detail for check in report.checks if check.name == "root")
    found = report.to_dict()
    assert found["verified"] is True and found["entries_read"] == 600 and "entries" not in found


def test_without_a_key_the_folder_is_compared_with_its_own(folder: Path) -> None:
    report = verify_folder(folder, None)
    assert report.ok and not report.pinned
    (folder / "keys").unlink()
    with pytest.raises(FolderError, match="brings no key"):
        verify_folder(folder, None)
    assert verify(folder).ok
    (folder / "checkpoint").unlink()
    with pytest.raises(FolderError, match="no log folder"):
        verify(folder)


@given(st.integers(0, 300), st.sets(st.integers(0, 300), max_size=5))
@settings(max_examples=25, deadline=None)
def test_the_roots_are_those_of_the_definition(size: int, kept: set[int]) -> None:
    # The other tests write tiles with the code under test; here everything is from the recursive definition.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for level in (0, 1):
            for start in range(0, size >> 8 * level, TILE_WIDTH):
                end = min(size >> 8 * level, start + TILE_WIDTH)
                hashes = [LOG.naive.hash_at(8 * level, n) for n in range(start, end)]
                put(folder / tile_path(level, start // TILE_WIDTH, end - start), b"".join(hashes))
                if level == 0:
                    put(folder / bundle_path(start // TILE_WIDTH, end - start), encode_bundle(LOG.leaves[start:end]))
        put(folder / "checkpoint", LOG.checkpoint(size).encode())
        sizes = sorted(n for n in kept if n <= size)
        put_lines(folder / "checkpoints.jsonl", [{"size": n, "note": LOG.checkpoint(n)} for n in sizes])
        report = verify(folder)
        assert report.ok, report.failures
        assert report.last_good == (size or None)


def leaf_at(index: int) -> int:
    """Byte of a value of entry `index` in its bundle."""
    start = index - index % TILE_WIDTH
    return sum(2 + len(leaf) for leaf in LOG.leaves[start:index]) + 2 + LOG.leaves[index].index(b"person:1")


@pytest.mark.parametrize("index", [0, 5, 255, 256, 511, 512, 599])
def test_a_changed_entry_is_named_with_the_checkpoints_around_it(folder: Path, index: int) -> None:
    bundle = folder / bundle_path(index // TILE_WIDTH, min(TILE_WIDTH, 600 - index // TILE_WIDTH * TILE_WIDTH))
    change(bundle, flip(leaf_at(index)))
    report = verify(folder)
    assert report.first_bad_index == index
    assert names(report) == {"entry", "root"}
    if index < 512:
        assert "the entry was changed" in report.failures[0].detail
    assert report.last_good == max((size for size in KEPT if size <= index), default=None)
    assert report.first_bad == min(size for size in KEPT if size > index)


@pytest.mark.parametrize("index", [3, 300, 511])
def test_a_changed_tile_of_level_0_is_told_from_a_changed_entry(folder: Path, index: int) -> None:
    change(folder / tile_path(0, index // TILE_WIDTH), flip(index % TILE_WIDTH * 32))
    report = verify(folder)
    assert names(report) == {"entry"} and report.first_bad_index == index
    assert "the tile was changed" in report.failures[0].detail
    assert report.first_bad is None and report.last_good == 600


def test_changed_partial_tiles(folder: Path) -> None:
    change(folder / tile_path(0, 2, 88), flip(87 * 32))
    report = verify(folder)
    assert names(report) == {"entry"} and report.first_bad_index == 599
    change(folder / tile_path(0, 2, 88), flip(87 * 32))
    change(folder / tile_path(1, 0, 2), flip(32))
    report = verify(folder)
    assert names(report) == {"tile"} and report.first_bad is None
    assert "Entries 256 to 511" in report.failures[0].detail


def rewritten(leaves: list[bytes], index: int) -> list[bytes]:
    return [*leaves[:index], leaves[index].replace(b"person:1", b"person:2"), *leaves[index + 1 :]]


@pytest.mark.parametrize("index", [0, 99, 100, 256, 450, 599])
def test_a_history_rewritten_with_all_its_tiles_lies_between_two_checkpoints(folder: Path, index: int) -> None:
    write_tree(folder, rewritten(LOG.leaves, index))
    report = verify(folder)
    assert names(report) == {"root"} and report.first_bad_index is None
    assert report.last_good == max((size for size in KEPT if size <= index), default=None)
    assert report.first_bad == min(size for size in KEPT if size > index)
    told = f"entries {report.last_good or 0} to {report.first_bad - 1}."
    assert report.failures[0].detail.endswith(told)


def test_an_entry_rewritten_with_its_lowest_tile_only(folder: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "other", rewritten(LOG.leaves, 300))
    for path in (bundle_path(1), tile_path(0, 1)):
        shutil.copy(tmp_path / "other" / path, folder / path)
    report = verify(folder)
    assert names(report) == {"tile", "root"}
    assert "Entries 256 to 511 and their hash tile agree" in report.failures[0].detail
    assert (report.last_good, report.first_bad) == (257, 400)


def test_two_histories_are_called_so(folder: Path) -> None:
    other = sign_checkpoint(Checkpoint(ORIGIN, 300, b"\x07" * 32), KEY)
    lines = [{"size": size, "note": LOG.checkpoint(size)} for size in (100, 400)]
    put_lines(folder / "checkpoints.jsonl", [lines[0], {"size": 300, "note": other}, lines[1]])
    report = verify(folder)
    assert names(report) == {"root"} and (report.last_good, report.first_bad) == (600, 300)
    assert "two histories" in report.failures[0].detail


@pytest.mark.parametrize(
    "path", [bundle_path(0), bundle_path(2, 88), tile_path(0, 1), tile_path(0, 2, 88), tile_path(1, 0, 2)]
)
def test_missing_shortened_and_lengthened_files(folder: Path, path: str) -> None:
    data = (folder / path).read_bytes()
    for broken in (None, b"", data[:-1], data + b"\x00", data + data, data + bytes(17_000_000)):
        (folder / path).unlink()
        if broken is not None:
            put(folder / path, broken)
        report = verify(folder)
        assert not report.ok and not report.incomplete, broken
        # What is left, bundle or tile, still leads to the root: the entries that are there are not accused.
        assert report.first_bad is None and report.last_good == 600
        put(folder / path, data)
    assert verify(folder).ok


@pytest.mark.parametrize("cut, index", [(1, 599), (200, 599), (5000, None)])
def test_a_shortened_bundle_names_the_first_entry_that_is_gone(folder: Path, cut: int, index: int | None) -> None:
    bundle = folder / bundle_path(2, 88)
    change(bundle, lambda data: data[:-cut])
    report = verify(folder)
    assert names(report) == {"bundle"}
    assert report.first_bad_index == index or (index is None and 512 < (report.first_bad_index or 0) < 599)


def test_where_bundle_and_tile_are_gone_it_says_from_where_on(folder: Path) -> None:
    (folder / bundle_path(1)).unlink()
    (folder / tile_path(0, 1)).unlink()
    report = verify(folder)
    assert names(report) == {"missing", "root"} and not report.incomplete
    assert any("from entry 256 on" in check.detail for check in report.failures)
    assert report.last_good == 256


def test_an_enormous_size_ends_at_the_first_gap(folder: Path) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, (1 << 63) - 1, b"\x01" * 32), KEY)
    put(folder / "checkpoint", note.encode())
    report = verify(folder)
    assert "missing" in names(report) and any("from entry 512 on" in check.detail for check in report.failures)


def test_full_files_stand_for_partial_ones(folder: Path) -> None:
    write_tree(folder, SampleLog(800).leaves)
    for path in (bundle_path(2, 88), tile_path(0, 2, 88), tile_path(1, 0, 2)):
        (folder / path).unlink()
    # The log's level 1 has a tile of 3 by now, and none of 2: that one is not full, so it cannot stand for it.
    assert names(verify(folder)) == {"missing"}
    put(folder / tile_path(1, 0, 2), (folder / tile_path(1, 0, 3)).read_bytes()[:64])
    assert verify(folder).ok
    change(folder / bundle_path(2), flip(leaf_at(599)))
    assert verify(folder).first_bad_index == 599


def test_the_signature(folder: Path) -> None:
    stranger = SigningKey.generate(ORIGIN, b"S" * 32)
    report = verify_folder(folder, [stranger.verifier])
    assert names(report) == {"keys", "checkpoint"} and not report.ok
    change(folder / "checkpoint", lambda data: data.replace(b"\n600\n", b"\n599\n"))
    report = verify(folder)
    assert "checkpoint" in names(report)
    put(folder / "checkpoint", b"no note")
    assert names(verify(folder)) == {"checkpoint"}
    put(folder / "keys", b"no key\n")
    assert names(verify(folder)) == {"keys", "checkpoint"}


def test_malformed_leaves(folder: Path) -> None:
    leaves = list(LOG.leaves)
    leaves[10] = b"not a leaf"
    leaves[300] = leaves[300].replace(ORIGIN.encode(), b"assay.example/other")
    leaves[400], leaves[401] = leaves[401], leaves[400]
    write_tree(folder, leaves)
    write_checkpoints(folder, leaves, KEPT)
    report = verify(folder)
    assert [(check.name, check.index) for check in report.failures] == [("leaf", 10), ("leaf", 300)]
    report = verify(folder, strict=True)
    assert [check.index for check in report.failures] == [10, 300, 401]
    assert "before the entry in front" in report.failures[2].detail
