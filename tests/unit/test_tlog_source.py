"""Reading a log's files from a folder: limits, and no way out."""

import os
from pathlib import Path

import pytest

from audit.tlog.source import FolderSource, NotThere, SourceError, TooLarge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    (folder / "tile" / "0").mkdir(parents=True)
    (folder / "tile" / "0" / "000").write_bytes(b"12345")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "000").write_bytes(b"secret")
    return folder


def test_a_file_is_read_up_to_its_limit(folder: Path) -> None:
    source = FolderSource(folder)
    assert source.read("tile/0/000", 5) == b"12345"
    with pytest.raises(TooLarge, match="more than 4 bytes"):
        source.read("tile/0/000", 4)
    with source.open("tile/0/000") as file:
        assert file.read() == b"12345"
    assert source.stamp("tile/0/000").size == 5


def test_what_is_not_there(folder: Path) -> None:
    source = FolderSource(folder)
    for path in ("checkpoint", "tile/1/000", "tile/0/000/001"):
        with pytest.raises(NotThere, match="has no file"):
            source.read(path, 10)
        with pytest.raises(NotThere):
            source.stamp(path)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../outside/000", "tile/../checkpoint", "./checkpoint", ".hidden", "a//b", "a\\b", "a\n", "é"],
)
def test_paths_that_are_none(folder: Path, path: str) -> None:
    with pytest.raises(SourceError, match="not a path inside a log") as raised:
        FolderSource(folder).read(path, 10)
    assert not isinstance(raised.value, NotThere)


def test_links_may_lead_around_inside_but_not_out(folder: Path) -> None:
    (folder / "inside").symlink_to("tile/0/000")
    (folder / "level").symlink_to("tile/0")
    (folder / "file").symlink_to("../outside/000")
    (folder / "folder").symlink_to("../outside")
    (folder / "loop").symlink_to("loop")
    source = FolderSource(folder)
    assert source.read("inside", 5) == source.read("level/000", 5) == b"12345"
    assert source.stamp("inside") == source.stamp("tile/0/000")
    for path in ("file", "folder/000"):
        for look in (lambda path: source.read(path, 10), source.stamp):
            with pytest.raises(SourceError, match="leads out of the folder"):
                look(path)
    with pytest.raises(SourceError, match="cannot be opened"):
        source.read("loop", 10)


def test_a_log_that_is_itself_behind_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert FolderSource(tmp_path / "link").read("tile/0/000", 5) == b"12345"


def test_only_plain_files_are_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for path in ("pipe", "tile"):
        with pytest.raises(SourceError, match="not a plain file"):
            FolderSource(folder).read(path, 10)
