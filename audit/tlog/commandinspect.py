"""`inspect`: show what a file or a log folder holds, nothing of it checked."""

import argparse
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from audit.tlog import show
from audit.tlog.bundleformat import MAX_BUNDLE_BYTES, read_bundle
from audit.tlog.checkpoint import Checkpoint, CheckpointError, peek_checkpoint
from audit.tlog.command import PDF_MAGIC, VERIFIED, UnusableError, read_file, say
from audit.tlog.encoding import encode_base64
from audit.tlog.folderextra import CHECKPOINTS, ERASURES, SECTIONS
from audit.tlog.folderopen import CHECKPOINT, KEYS, MANIFEST
from audit.tlog.keyhistory import MAX_HISTORY_BYTES, KeyHistoryError, read_history
from audit.tlog.note import MAX_NOTE_BYTES, MalformedNoteError
from audit.tlog.receipt import Receipt, is_receipt
from audit.tlog.source import FolderSource, NotThere, SourceError
from audit.tlog.tiles import bundle_path, tile_path
from audit.tlog.tree import TILE_HEIGHT, TILE_WIDTH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="bundle JSON, .tlog-proof receipt, PDF, or log folder")


def run(options: argparse.Namespace) -> int:
    """Show it. Returns the exit status; raises UnusableError and the errors of the formats."""
    if options.file.is_dir():
        text = "".join(f"{show.printable(line)}\n" for line in _folder_lines(FolderSource(options.file)))
        return say(text, VERIFIED)
    data = read_file(options.file, MAX_BUNDLE_BYTES)
    if data.startswith(PDF_MAGIC):
        text = f"PDF of {len(data)} bytes, SHA-256 {sha256(data).hexdigest()}. Use verify to check it.\n"
    elif is_receipt(data):
        text = show.receipt_contents(Receipt.parse(data))
    else:
        text = show.bundle_contents(read_bundle(data))
    return say(text, VERIFIED)


def _folder_lines(source: FolderSource) -> Iterator[str]:
    try:
        checkpoint = peek_checkpoint(source.read(CHECKPOINT, MAX_NOTE_BYTES))
    except NotThere:
        raise UnusableError(f"{source.root} is no log folder: it has no file {CHECKPOINT}.") from None
    except (SourceError, CheckpointError, MalformedNoteError) as error:
        raise UnusableError(f"The checkpoint of {source.root} is unreadable. {error}") from None
    yield "Log folder. Nothing is checked here; use verify."
    yield f"log      {checkpoint.origin}"
    yield f"size     {checkpoint.size} entries"
    yield f"root     {encode_base64(checkpoint.root)}"
    yield from _key_lines(source)
    yield from _tile_lines(source, checkpoint)
    for path in (CHECKPOINTS, MANIFEST, SECTIONS, ERASURES):
        yield f"{path:<18}{_size(source, path)}"


def _key_lines(source: FolderSource) -> Iterator[str]:
    try:
        history = read_history(source.read(KEYS, MAX_HISTORY_BYTES).decode(), None)
    except NotThere:
        yield "key      none in this folder"
        return
    except (SourceError, KeyHistoryError, UnicodeDecodeError) as error:
        yield f"key      unreadable: {error}"
        return
    for item in history.ranges:
        until = "on" if item.last is None else f"to {item.last}"
        yield f"key      {item.key.to_text()}, for sizes from {item.first} {until}"


def _tile_lines(source: FolderSource, checkpoint: Checkpoint) -> Iterator[str]:
    """What the tree needs on each level, and whether the last of it is there."""
    level = 0
    while count := checkpoint.size >> TILE_HEIGHT * level:
        full, width = divmod(count, TILE_WIDTH)
        what = f"{full} full" + (f", one of {width}" if width else "")
        last = (full, width) if width else (full - 1, TILE_WIDTH)
        if level == 0:
            yield f"bundles  {what}; the last one is {_size(source, bundle_path(*last))}"
        yield f"tiles    level {level}: {what}; the last one is {_size(source, tile_path(level, *last))}"
        level += 1


def _size(source: FolderSource, path: str) -> str:
    try:
        return f"{source.stamp(path).size} bytes"
    except NotThere:
        return "not there"
    except SourceError as error:
        return f"unreadable: {error}"
