"""A log out of the database into a folder that an outsider can check and an empty database can take in."""

import os
import shutil
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connections
from psycopg import Connection, Cursor, IsolationLevel, ServerCursor

from audit.queries import keys
from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.durable import draft_name, sync_folders, write_file
from audit.tlog.encoding import HASH_SIZE
from audit.tlog.keyhistory import KeyHistory, KeyHistoryError, read_checkpoint_in
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.tiles import bundle_path, encode_bundle, tile_path
from audit.tlog.tree import TILE_WIDTH, leaf_hashes
from audit.transfer import layout
from audit.transfer.growing import Growing

Row = tuple[object, ...]
Tell = Callable[[str, int, int], object]
"""Called now and then with what is being written, how much of it is done, and how much there is."""

LEAVES_AT_ONCE: Final = 8 * TILE_WIDTH
SECTIONS_AT_ONCE: Final = 64
"""A section may have 1 MiB."""
KEYS_AT_ONCE: Final = 10_000
_STATEMENT_TIMEOUT: Final = "2h"
_DRAFTS: Final = (draft_name(layout.UNFINISHED), draft_name(layout.SUMS))
"""What a kill inside `write_file` leaves behind: the first of them alone, before the export began."""


class ExportRefused(RuntimeError):
    """The export was not made; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds.

    Attributes:
        size: entries, as far as they are signed. `unsigned`: entries after them that wait for a signature.
        sections, erased, event_keys, checkpoints: lines of those files.
    """

    size: int
    unsigned: int
    sections: int
    erased: int
    event_keys: int
    checkpoints: int


def export_log(
    *, folder: Path, sections: Set[int] | bool, event_keys: bool, tell: Tell = lambda what, done, size: None
) -> Exported:
    """Write the log up to its newest checkpoint into `folder`, from one snapshot.

    The leaves are hashed again on the way, and the export is only finished when they lead to the signed root. An
    export that was interrupted is begun anew by the next call.

    Args:
        folder: new, empty, or left behind by an interrupted export.
        sections: all of them, none, or those of the entries with these indexes.
        event_keys: whether repeats stay known where the export is imported.
        tell: progress.

    Raises:
        ExportRefused: nothing is signed, the log contradicts its checkpoint, or the folder holds something else.
        OSError: the folder cannot be written. psycopg.Error: the database does not answer.
    """
    _prepare(folder)
    with _snapshot() as connection:
        history = _history()
        size, note, unsigned = _newest(connection)
        checkpoint = _opened(note, history)
        if checkpoint.size != size:
            raise ExportRefused(
                "The newest checkpoint's row does not repeat its signed note. Run: manage.py verify_log"
            )
        files = _Files(folder)
        _write_leaves(connection, folder, checkpoint, tell)
        files.put(layout.KEYS, [keys.key_history_text().encode()])
        kept = files.put(layout.CHECKPOINTS, _checkpoints(connection, size))
        shown = files.put(layout.SECTIONS, _sections(connection, size, sections, tell))
        erased = files.put(layout.ERASURES, _erasures(connection, size))
        told = files.put(layout.EVENT_KEYS, _event_keys(connection, size, tell)) if event_keys else 0
        files.put(layout.CHECKPOINT, [note.encode()])
        root = checkpoint.root
        files.finish(layout.manifest(origin=checkpoint.origin, size=size, root=root, sections=shown, erased=erased))
    return Exported(size, unsigned, shown, erased, told, kept)


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / layout.UNFINISHED).exists():
        for path in folder.iterdir():
            if path.name == "tile":
                shutil.rmtree(path)
            elif path.name in {*layout.SUMMED, layout.SUMS, *_DRAFTS}:
                path.unlink()
            elif path.name != layout.UNFINISHED:
                raise ExportRefused(f"{folder} holds {path.name}, which is no part of an export: give a new folder.")
    elif any(path.name != _DRAFTS[0] for path in folder.iterdir()):
        raise ExportRefused(f"{folder} is not empty: give a new folder.")
    write_file(folder, layout.UNFINISHED, b"This export was interrupted: it is not whole.\n")
    sync_folders(folder, [layout.UNFINISHED])


@contextmanager
def _snapshot() -> Iterator[Connection[Row]]:
    """A connection of the app role, outside Django's bookkeeping, whose reads all see one commit."""
    wrapper = connections["default"]
    raw: Connection[Row] = wrapper.get_new_connection(wrapper.get_connection_params())
    with raw:
        raw.autocommit = False
        raw.isolation_level = IsolationLevel.REPEATABLE_READ
        raw.read_only = True
        with Cursor(raw) as cursor:
            # Sorting the keys of a large log is one statement.
            cursor.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'".encode())
        yield raw


def _history() -> KeyHistory:
    try:
        return keys.history()
    except KeyHistoryError as error:
        raise ExportRefused(f"The stored key statements are not those of this log. {error}") from error


def _newest(connection: Connection[Row]) -> tuple[int, str, int]:
    with Cursor(connection) as cursor:
        cursor.execute(
            b"SELECT c.size, c.note, h.size - c.size FROM checkpoint c, head h WHERE h.id = 1"
            b" ORDER BY c.size DESC LIMIT 1",
            binary=True,
        )
        row = cursor.fetchone()
    if row is None:
        raise ExportRefused("Nothing is signed yet: start the signer first.")
    size, note, unsigned = row
    assert isinstance(size, int)
    assert isinstance(unsigned, int)
    return size, str(note), max(unsigned, 0)


def _opened(note: str, history: KeyHistory) -> Checkpoint:
    try:
        checkpoint = read_checkpoint_in(note, history)[0]
    except (CheckpointError, InvalidSignatureError, MalformedNoteError, UnverifiedNoteError) as error:
        raise ExportRefused(f"The newest checkpoint is not what the log's key signed. {error}") from error
    if checkpoint.origin != settings.LEDGER_ORIGIN:
        raise ExportRefused(f"The newest checkpoint is of the log {checkpoint.origin}, not {settings.LEDGER_ORIGIN}.")
    return checkpoint


def _write_leaves(connection: Connection[Row], folder: Path, checkpoint: Checkpoint, tell: Tell) -> None:
    """All bundles and tiles. LEAVES_AT_ONCE is whole bundles, so each batch but the last ends where one ends."""
    growing = Growing()
    with ServerCursor(connection, "export_leaves") as cursor:
        cursor.execute(b"SELECT index, leaf FROM entry WHERE index < %s ORDER BY index", [checkpoint.size], binary=True)
        while rows := cursor.fetchmany(LEAVES_AT_ONCE):
            leaves: list[bytes] = []
            for expected, (index, leaf) in enumerate(rows, growing.size):
                if index != expected:
                    raise ExportRefused(f"Entry {expected} is missing. Run: manage.py verify_log")
                assert isinstance(leaf, bytes)
                leaves.append(leaf)
            for start in range(0, len(leaves), TILE_WIDTH):
                part = leaves[start : start + TILE_WIDTH]
                _put(folder, bundle_path((growing.size + start) // TILE_WIDTH, len(part)), encode_bundle(part))
            for tile in growing.take(leaf_hashes(leaves)):
                _put(folder, tile_path(tile.level, tile.n), tile.data)
            tell("entries", growing.size, checkpoint.size)
    if growing.size != checkpoint.size or growing.edge.root() != checkpoint.root:
        raise ExportRefused(
            f"The stored entries do not lead to the signed root of {checkpoint.size} entries, so nothing was exported."
            " Run: manage.py verify_log"
        )
    for level, n, row in growing.partials():
        _put(folder, tile_path(level, n, len(row) // HASH_SIZE), row)


def _put(folder: Path, path: str, data: bytes) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def _checkpoints(connection: Connection[Row], size: int) -> Iterator[bytes]:
    statement = b"SELECT size, note FROM checkpoint WHERE size <= %s ORDER BY size"
    for number, note in _stream(connection, "export_checkpoints", statement, [size], KEYS_AT_ONCE):
        assert isinstance(number, int)
        yield layout.checkpoint_line(number, str(note))


def _sections(connection: Connection[Row], size: int, chosen: Set[int] | bool, tell: Tell) -> Iterator[bytes]:
    if not chosen:
        return
    which = b"" if chosen is True else b" AND entry_index = ANY(%s)"
    values: list[object] = [size] if chosen is True else [size, sorted(chosen)]
    statement = (
        b"SELECT entry_index, name, media, salt, body FROM section WHERE entry_index < %s"
        + which
        # Names in the order of their bytes, whatever the database sorts by.
        + b' ORDER BY entry_index, name COLLATE "C"'
    )
    told = 0
    for index, name, media, salt, body in _stream(connection, "export_sections", statement, values, SECTIONS_AT_ONCE):
        assert isinstance(index, int)
        assert isinstance(salt, bytes)
        assert isinstance(body, bytes)
        yield layout.section_line(index, str(name), str(media), salt, body)
        if index - told >= KEYS_AT_ONCE:
            told = index
            tell("sections of entry", index, size)


def _erasures(connection: Connection[Row], size: int) -> Iterator[bytes]:
    statement = (
        b'SELECT entry_index, name, erased_by FROM erasure WHERE erased_by < %s ORDER BY entry_index, name COLLATE "C"'
    )
    for index, name, entry in _stream(connection, "export_erasures", statement, [size], KEYS_AT_ONCE):
        assert isinstance(index, int)
        assert isinstance(entry, int)
        yield layout.erasure_line(index, str(name), entry)


def _event_keys(connection: Connection[Row], size: int, tell: Tell) -> Iterator[bytes]:
    statement = b"SELECT entry_index, key, content FROM event_key WHERE entry_index < %s ORDER BY entry_index, key"
    tell("event keys", 0, size)
    for index, key, content in _stream(connection, "export_keys", statement, [size], KEYS_AT_ONCE):
        assert isinstance(index, int)
        assert isinstance(key, bytes)
        assert isinstance(content, bytes)
        yield layout.event_key_line(index, key, content)


def _stream(
    connection: Connection[Row], name: str, statement: bytes, values: list[object], at_once: int
) -> Iterator[Row]:
    with ServerCursor(connection, name) as cursor:
        cursor.execute(statement, values, binary=True)
        while rows := cursor.fetchmany(at_once):
            yield from rows


class _Files:
    """The files beside the tiles, and what SHA256SUMS says of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[str, bytes] = {}

    def put(self, name: str, lines: Iterator[bytes] | list[bytes]) -> int:
        """Write a file line by line; how many there were."""
        digest, count = sha256(), 0
        with (self._folder / name).open("wb") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
                count += 1
        self._digests[name] = digest.digest()
        return count

    def finish(self, manifest: bytes) -> None:
        """The files that say that all others are there, once these are safe."""
        self.put(layout.MANIFEST, [manifest])
        os.sync()
        write_file(self._folder, layout.SUMS, layout.sums(self._digests))
        (self._folder / layout.UNFINISHED).unlink()
        sync_folders(self._folder, [layout.SUMS])
