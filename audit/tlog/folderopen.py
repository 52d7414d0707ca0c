"""The first look into a log folder: its keys and its newest checkpoint."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from audit.tlog.bundle import key_check
from audit.tlog.bundleformat import BundleError, strict_json
from audit.tlog.checkpoint import Checkpoint, CheckpointError, peek_checkpoint
from audit.tlog.encoding import encode_base64
from audit.tlog.keyhistory import (
    MAX_HISTORY_BYTES,
    KeyHistory,
    KeyHistoryError,
    Trusted,
    as_history,
    read_checkpoint_in,
    read_history,
    trust,
)
from audit.tlog.keys import VerifierKey
from audit.tlog.note import MAX_NOTE_BYTES, InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.source import FolderSource, NotThere, Source, SourceError
from audit.tlog.verification import Check

CHECKPOINT: Final = "checkpoint"
KEYS: Final = "keys"
MANIFEST: Final = "manifest.json"
MANIFEST_FORMAT: Final = "assay-export@v1"

_MAX_MANIFEST_BYTES: Final = 65536
_MANIFEST: Final = frozenset(("format", "origin", "size", "root", "sections", "erased"))


class FolderError(ValueError):
    """A folder is no log folder, cannot be read, or brings no key and none was given."""


@dataclass
class OpenedLog:
    """A log folder's keys and newest checkpoint, with the checks made on them."""

    source: FolderSource
    history: KeyHistory
    pinned: bool
    checks: list[Check] = field(default_factory=list)
    signers: tuple[VerifierKey, ...] = ()
    checkpoint: Checkpoint | None = None
    """What the newest checkpoint says, also when the checks say that nobody trusted signed it; None when it says
    nothing."""
    note: str = ""
    """The signed note that says so; empty when nobody trusted signed it."""


def open_log(source: FolderSource, given: Trusted | None) -> OpenedLog:
    """Read keys and checkpoint; without `given` keys the folder is only compared with its own.

    Raises FolderError.
    """
    try:
        note = source.read(CHECKPOINT, MAX_NOTE_BYTES)
    except NotThere:
        raise FolderError(f"{source.root} is no log folder: it has no file {CHECKPOINT}.") from None
    except SourceError as error:
        raise FolderError(str(error)) from None
    log = _with_keys(source, given)
    try:
        log.checkpoint, opened = read_checkpoint_in(note, log.history)
    except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError) as error:
        log.checks.append(Check("checkpoint", ok=False, detail=str(error)))
        with suppress(CheckpointError, MalformedNoteError):
            log.checkpoint = peek_checkpoint(note)
        return log
    log.note, log.signers = note.decode(), opened.signers
    log.checks += (
        Check(
            "checkpoint",
            ok=True,
            detail=f"The log {log.checkpoint.origin} signed its state of {log.checkpoint.size} entries.",
        ),
        key_check(opened.signers, given),
    )
    return log


def _with_keys(source: FolderSource, given: Trusted | None) -> OpenedLog:
    try:
        # What is not text is no key history either, and refused as such below.
        brought = source.read(KEYS, MAX_HISTORY_BYTES).decode(errors="replace")
    except NotThere:
        if given is None:
            raise FolderError(f"{source.root} brings no key: get the log's key and give it with --key.") from None
        return OpenedLog(source, as_history(given), pinned=True)
    except SourceError as error:
        raise FolderError(f"The key history of {source.root} cannot be read. {error}") from None
    try:
        history = read_history(brought, None) if given is None else trust(given, brought)
    except KeyHistoryError as error:
        fault = Check("keys", ok=False, detail=f"The folder's key history does not count. {error}")
        return OpenedLog(source, as_history(given or ()), given is not None, [fault])
    return OpenedLog(source, history, given is not None)


def newest_size(log: OpenedLog) -> int:
    """The size of the newest checkpoint as it is by now, for a log that may grow while it is checked; 0 when it
    does not count.

    Raises SourceError.
    """
    try:
        return read_checkpoint_in(log.source.read(CHECKPOINT, MAX_NOTE_BYTES), log.history)[0].size
    except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError):
        return 0


def manifest_checks(source: Source, checkpoint: Checkpoint, counts: Mapping[str, int]) -> Iterator[Check]:
    """Whether an export's manifest agrees with what was found in it; nothing when there is none.

    `counts` are those that are known: `sections` and `erased`. Raises SourceError when it cannot be read.
    """
    try:
        data = source.read(MANIFEST, _MAX_MANIFEST_BYTES)
    except NotThere:
        return
    try:
        said = strict_json(data, "manifest")
    except BundleError as error:
        yield Check("manifest", ok=False, detail=str(error))
        return
    if not isinstance(said, dict) or said.keys() != _MANIFEST or said["format"] != MANIFEST_FORMAT:
        yield Check("manifest", ok=False, detail=f"{MANIFEST} is not an object of the format {MANIFEST_FORMAT}.")
        return
    found = {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": encode_base64(checkpoint.root),
        **counts,
    }
    wrong = sorted(name for name, value in found.items() if type(said[name]) is not type(value) or said[name] != value)
    for name in wrong:
        detail = f"{MANIFEST} says {name} {said[name]!r:.80}; found was {found[name]!r:.80}."
        yield Check("manifest", ok=False, detail=detail)
    if not wrong:
        yield Check("manifest", ok=True, detail="The manifest agrees with what was found.")
