"""The folder of a mirror: a log folder anybody can check, and beside it what only the mirror needs.

    checkpoint, keys, checkpoints.jsonl, tile/…    the log as far as it was checked and accepted
    alarm-<n>/                                     evidence; while one is there nothing more is accepted
    .mirror/pin.json                               the keys that were given on first use
    .mirror/pending                                the checkpoint whose files are being fetched
    .mirror/lock

Tiles beyond the accepted checkpoint may stand here, too: they are not believed, but checked like fetched ones.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.durable import append_line, sync_folders, whole_lines, write_file
from audit.tlog.hashtiles import edge_levels
from audit.tlog.keyhistory import MAX_HISTORY_BYTES
from audit.tlog.keys import KeyTextError, VerifierKey
from audit.tlog.note import MAX_NOTE_BYTES
from audit.tlog.source import FolderSource
from audit.tlog.tiles import bundle_path, tile_path
from audit.tlog.tree import TILE_HEIGHT, TILE_WIDTH

CHECKPOINT: Final = "checkpoint"
CHECKPOINTS: Final = "checkpoints.jsonl"
KEYS: Final = "keys"

_OWN: Final = ".mirror"
_PIN: Final = f"{_OWN}/pin.json"
_PENDING: Final = f"{_OWN}/pending"
_PIN_FORMAT: Final = "assay-mirror@v1"
_MAX_PIN_BYTES: Final = 65536


class MirrorError(Exception):
    """The mirror cannot work with what it was given, or its own folder is damaged: a sentence to act on."""


class MirrorFolder:
    """What a mirror keeps. Made by `locked`; everything raises MirrorError when the folder cannot be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = FolderSource(root)

    # --- the pin ----------------------------------------------------------------------------------
    def pin(self) -> tuple[list[VerifierKey], bool] | None:
        """The keys that were pinned, and whether they were only trusted on first use; None on first use."""
        text = self._text(_PIN, _MAX_PIN_BYTES)
        if text is None:
            return None
        try:
            content = json.loads(text)
            if content["format"] != _PIN_FORMAT:
                raise ValueError(_PIN_FORMAT)
            keys = [VerifierKey.parse(str(key)) for key in content["keys"]]
            trusted = bool(content["trusted_on_first_use"])
        except (ValueError, TypeError, KeyError, KeyTextError):
            raise MirrorError(f"{self.root / _PIN} is damaged: mirror into a new folder.") from None
        return keys, trusted

    def set_pin(self, keys: Sequence[VerifierKey], *, trusted_on_first_use: bool) -> None:
        """Remember the keys for good."""
        content = {
            "format": _PIN_FORMAT,
            "keys": [key.to_text() for key in keys],
            "trusted_on_first_use": trusted_on_first_use,
        }
        self.write(_PIN, json.dumps(content, indent=1).encode() + b"\n")
        sync_folders(self.root, [_PIN])

    # --- what was accepted, and what is on its way ------------------------------------------------
    def checkpoint(self) -> str | None:
        """The signed note accepted last."""
        return self._text(CHECKPOINT, MAX_NOTE_BYTES)

    def keys(self) -> str | None:
        """The log's key history as accepted last."""
        return self._text(KEYS, MAX_HISTORY_BYTES)

    def pending(self) -> str | None:
        """The note whose files a former run was fetching."""
        return self._text(_PENDING, MAX_NOTE_BYTES)

    def begin(self, note: str) -> None:
        """Remember the note that is being fetched: it was seen, so it must be gone through."""
        self.write(_PENDING, note.encode())
        sync_folders(self.root, [_PENDING])

    def forget_pending(self) -> None:
        """Its files are all accepted, or it is evidence now."""
        (self.root / _PENDING).unlink(missing_ok=True)

    def accept(self, checkpoint: Checkpoint, note: str, *, older: int) -> None:
        """Make a checkpoint, all of whose files are here, the accepted one; `older` is the size before.

        It comes after its files and before its line in checkpoints.jsonl: a line beyond the checkpoint would say that
        the log was cut back. The note stays pending until the line is there, so a killed run's successor adds it.
        Partial tiles that became full ones are removed last.
        """
        self.write(CHECKPOINT, note.encode())
        sync_folders(self.root, [CHECKPOINT])
        whole_lines(self.root, CHECKPOINTS)
        line = json.dumps({"size": checkpoint.size, "note": note}).encode()
        if self._last_line() != line:
            append_line(self.root, CHECKPOINTS, line)
        sync_folders(self.root, [CHECKPOINTS])
        self.forget_pending()
        self._drop_partials(older, checkpoint.size)

    def _last_line(self) -> bytes:
        try:
            with (self.root / CHECKPOINTS).open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - 2 * MAX_NOTE_BYTES))
                return file.read().rstrip(b"\n").rpartition(b"\n")[2]
        except FileNotFoundError:
            return b""

    def _drop_partials(self, older: int, newer: int) -> None:
        """tlog-tiles allows partial tiles to go once the full one is there."""
        for level in edge_levels(older):
            n = (older >> TILE_HEIGHT * level) // TILE_WIDTH
            if (newer >> TILE_HEIGHT * level) // TILE_WIDTH > n:
                full = [tile_path(level, n)] + ([] if level else [bundle_path(n)])
                for path in full:
                    shutil.rmtree(self.root / f"{path}.p", ignore_errors=True)

    # --- files ------------------------------------------------------------------------------------
    def write(self, path: str, data: bytes) -> None:
        """Replace one file; see durable.write_file. Raises MirrorError."""
        try:
            write_file(self.root, path, data)
        except OSError as error:
            raise MirrorError(f"{path} cannot be written in {self.root}: {error.strerror}.") from None

    def _text(self, path: str, limit: int) -> str | None:
        try:
            with (self.root / path).open("rb") as file:
                data = file.read(limit + 1)
            if len(data) > limit:
                raise MirrorError(f"{self.root / path} is too large to be what it should be.")
            return data.decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise MirrorError(f"{self.root / path} is damaged: it is not text.") from None
        except OSError as error:
            raise MirrorError(f"{self.root / path} cannot be read: {error.strerror}.") from None

    # --- alarms -----------------------------------------------------------------------------------
    def alarms(self) -> list[Path]:
        """Folders of evidence that nobody has removed, oldest first."""
        found = [path for path in self.root.glob("alarm-*") if path.name.removeprefix("alarm-").isdigit()]
        return sorted(found, key=lambda path: int(path.name.removeprefix("alarm-")))

    def raise_alarm(self, report: Mapping[str, object], files: Mapping[str, bytes]) -> Path:
        """Keep the evidence in a new alarm folder, whole or not at all. A pending note that is part of it is pending no
        more; another one still has to be gone through once a person has cleared the alarm.
        """
        numbers = [int(path.name.removeprefix("alarm-")) for path in self.alarms()]
        name = f"alarm-{max(numbers, default=0) + 1}"
        draft = f"{_OWN}/{name}"
        shutil.rmtree(self.root / draft, ignore_errors=True)
        for file, data in files.items():
            self.write(f"{draft}/{file}", data)
        self.write(f"{draft}/alarm.json", json.dumps(report, indent=1).encode() + b"\n")
        sync_folders(self.root, [f"{draft}/alarm.json"])
        (self.root / draft).rename(self.root / name)
        sync_folders(self.root, [name])
        if self._pending_bytes() in files.values():
            self.forget_pending()
        return self.root / name

    def _pending_bytes(self) -> bytes | None:
        """As `pending`, for a moment at which a damaged file of one's own must not hide an alarm."""
        try:
            note = self.pending()
        except MirrorError:
            return None
        return None if note is None else note.encode()


@contextmanager
def locked(root: Path) -> Iterator[MirrorFolder]:
    """The mirror's folder, held against a second mirror until the block or the process ends.

    Raises MirrorError when another mirror works in it, or when it holds something else than a mirror.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        raise MirrorError("A mirror needs a POSIX system, to lock its folder.") from None
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / _OWN).is_dir() and any(root.iterdir()):
            raise MirrorError(f"{root} holds something else than a mirror: give a new or an empty folder.")
        (root / _OWN).mkdir(exist_ok=True)
        descriptor = os.open(root / _OWN / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise MirrorError(f"{root} cannot be used: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MirrorError(f"Another mirror works in {root}: one folder has one mirror.") from None
        yield MirrorFolder(root)
    finally:
        os.close(descriptor)
