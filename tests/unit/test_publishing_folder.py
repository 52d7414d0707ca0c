"""Published files in a folder: whole or absent whenever the process dies, flushed before anything relies on them."""

import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from audit.publishing.folder import FolderStore
from audit.publishing.publisher import Outcome, Publisher
from audit.publishing.status import Status, read_status, write_status
from audit.publishing.store import Differs, File, StoreError, cache_control, content_type
from tests.unit.publishing_log import KEY, Killed, MemoryLog, reader_sees, wanted

_CALLS = ("open", "fsync", "rename", "mkdir")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "public"


def on_calls(monkeypatch: pytest.MonkeyPatch, seen: Callable[[str, str], None]) -> None:
    """Have `seen` told of each of these system calls, with the path it is about, before it is made."""
    paths: dict[int, str] = {}

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            target = arguments[-1] if name == "rename" else arguments[0]
            seen(name, paths.get(target, "?") if isinstance(target, int) else str(target))
            result = original(*arguments, **options)
            if name == "open":
                paths[result] = str(arguments[0])
            return result

        return call

    for name in _CALLS:
        monkeypatch.setattr(os, name, wrapped(name, getattr(os, name)))


def test_files_are_there_readable_by_everybody_and_unchangeable(root: Path) -> None:
    before = os.umask(0o077)
    try:
        store = FolderStore(root)
        store.add([File("tile/0/x001/000", b"one"), File("tile/0/000.p/3", b"two")])
        store.replace("checkpoint", b"first", expected=None)
    finally:
        os.umask(before)
    assert store.read("tile/0/x001/000") == b"one"
    assert store.read("tile/0/x001/001") is None
    assert store.read("tile/0/000.p/3/4") is None
    for path in [root / "checkpoint", root / "tile/0/x001/000"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
    for folder in [root, root / "tile", root / "tile/0/x001"]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    store.add([File("tile/0/x001/000", b"one")])
    with pytest.raises(Differs, match=r"The published file tile/0/000\.p/3 in .* was changed"):
        store.add([File("tile/0/000.p/3", b"owt")])
    assert store.read("tile/0/000.p/3") == b"two"


def test_the_checkpoint_is_replaced_only_in_place_of_what_was_read(root: Path) -> None:
    store = FolderStore(root)
    store.replace("checkpoint", b"first", expected=None)
    store.replace("checkpoint", b"first", expected=None)
    store.replace("checkpoint", b"second", expected=b"first")
    for expected in (None, b"first"):
        with pytest.raises(Differs, match="checkpoint"):
            store.replace("checkpoint", b"third", expected=expected)
    assert store.read("checkpoint") == b"second"


def test_a_folder_of_partial_files_is_removed(root: Path) -> None:
    store = FolderStore(root)
    store.add([File("tile/0/000.p/3", b"a"), File("tile/0/000.p/4", b"b"), File("tile/0/000", b"c")])
    store.remove("tile/0/000.p")
    store.remove("tile/0/000.p")
    store.close()
    assert [path.name for path in (root / "tile/0").iterdir()] == ["000"]


def test_a_place_that_takes_no_files_is_no_contradiction(root: Path) -> None:
    root.parent.mkdir()
    root.write_text("a file")
    with pytest.raises(StoreError, match="does not take or give files"):
        FolderStore(root)
    root.unlink()
    store = FolderStore(root)
    (root / "tile").write_text("a file")
    with pytest.raises(StoreError, match="does not take or give files"):
        store.add([File("tile/0/000", b"one")])


def test_a_file_is_flushed_before_it_is_named_and_its_folders_before_the_checkpoint(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []
    on_calls(monkeypatch, lambda name, path: calls.append((name, path.removeprefix(f"{root}/"))))
    assert Publisher(FolderStore(root), KEY.verifier).step(MemoryLog(256)) is Outcome.PUBLISHED
    named = [(at, path) for at, (name, path) in enumerate(calls) if name == "rename"]
    assert [path for _at, path in named] == ["keys", "tile/entries/000", "tile/0/000", "tile/1/000.p/1", "checkpoint"]
    flushed: set[str] = set()
    dirty: set[str] = set()
    for name, path in calls:
        if name == "fsync":
            flushed.add(path)
            dirty.discard(path)
        if name == "mkdir":
            dirty.add(path.rpartition("/")[0] or str(root))
        if name == "rename":
            assert any(draft.startswith(f".drafts/{path.rpartition('/')[2]}.") for draft in flushed), path
            flushed = {draft for draft in flushed if not draft.startswith(".drafts/")}
            if path == "checkpoint":
                assert dirty - {str(root)} == set()
            dirty.add(path.rpartition("/")[0] or str(root))
    assert dirty == set()


@pytest.mark.parametrize("first", [0, 254])
def test_death_at_any_system_call_leaves_a_whole_log_and_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """From nothing, and across a full tile. What the dead process left in memory is lost with it."""
    for lives in count(1):
        root = tmp_path / str(lives)
        if first:
            Publisher(FolderStore(root), KEY.verifier).step(MemoryLog(first))
        left = [lives]

        def die(name: str, path: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        with monkeypatch.context() as patched:
            on_calls(patched, die)
            with suppress(Killed):
                Publisher(FolderStore(root), KEY.verifier).step(MemoryLog(first, 258) if first else MemoryLog(258))
        store = FolderStore(root)
        assert reader_sees(store.read) in {first, 258}
        Publisher(store, KEY.verifier).step(MemoryLog(258))
        assert reader_sees(store.read) == 258
        files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        assert files == {"checkpoint", "keys", *wanted(258), *wanted(first)}
        if left[0] > 0:
            break
    assert lives > 20


def test_what_files_are_served_as() -> None:
    assert (content_type("tile/0/000"), content_type("checkpoint")) == (
        "application/octet-stream", "text/plain; charset=utf-8",
    )  # fmt: skip
    assert (cache_control("tile/entries/000.p/1"), cache_control("keys")) == (
        "public, max-age=31536000, immutable", "no-cache",
    )  # fmt: skip


def test_the_status_is_what_was_written_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "publisher.json"
    assert read_status(path) is None
    status = Status("refused", 12, datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    write_status(path, status)
    assert read_status(path) == status
    good = json.loads(path.read_text())
    for wrong in ({"state": "fine"}, {"size": "12"}, {"at": "now"}, {"at": "2026-11-24T09:00:00"}, {"at": 5}):
        path.write_text(json.dumps(good | wrong))
        assert read_status(path) is None
    for text in ("", "[]", "{}", "\x00"):
        path.write_text(text)
        assert read_status(path) is None
