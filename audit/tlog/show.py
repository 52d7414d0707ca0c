"""Plain text for people: the outcome of a verification and the contents of the files it takes."""

from collections.abc import Iterable, Iterator

from audit.tlog.bundleformat import BundleFile
from audit.tlog.checkpoint import Checkpoint, CheckpointError, peek_checkpoint
from audit.tlog.encoding import EncodingError, decode_base64, encode_base64
from audit.tlog.leaf import LeafError, format_time, parse_leaf
from audit.tlog.note import MalformedNoteError
from audit.tlog.receipt import Receipt
from audit.tlog.verification import Check, Verification, erased

MAX_LINES = 200
"""Entries or failures listed before the rest is only counted; `--json` has them all."""


def printable(text: str) -> str:
    """Text for a terminal: control, formatting and unpaired characters written as harmless escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def outcome(result: Verification) -> str:
    """The whole answer of `verify`, verdict first."""
    return "".join(f"{printable(line)}\n" for line in _outcome_lines(result))


def _outcome_lines(result: Verification) -> Iterator[str]:
    if result.ok and result.pinned:
        yield f"VERIFIED: this {result.kind} is what the log recorded."
    elif result.ok:
        yield f"CONSISTENT, KEY NOT PINNED: this {result.kind} agrees with the key that came with it."
    else:
        yield f"REFUSED: this {result.kind} does not verify."
        if result.first_bad_index is not None:
            yield f"First bad entry: {result.first_bad_index}."
    yield ""
    if result.checkpoint:
        yield from _checkpoint_lines(result.checkpoint)
    for key in result.keys:
        yield f"key      {key.to_text()}"
        yield f"         fingerprint SHA-256 {key.fingerprint}"
    yield ""
    checks = (*result.failures, *(check for check in result.checks if check.ok))
    yield from _shortened(_check_line(check, result) for check in checks)
    if result.entries:
        yield ""
        yield from _shortened(
            f"entry {entry.index}: {entry.leaf.type} of {entry.leaf.subject}, "
            f"recorded {format_time(entry.leaf.received_at)}, by {entry.leaf.actor}"
            + "".join(f"; {name} {status}" for name, status in sorted(entry.sections.items()))
            for entry in result.entries
        )


def _check_line(check: Check, result: Verification) -> str:
    where = "" if check.index is None else f" {check.index}"
    mark = "ok  " if check.ok else "FAIL"
    if check.name == "key" and check.ok and not result.pinned:
        mark = "NOTE"
    return f"{mark} {check.name}{where}: {check.detail}"


def _checkpoint_lines(checkpoint: Checkpoint) -> Iterator[str]:
    yield f"log      {checkpoint.origin}"
    yield f"size     {checkpoint.size} entries"
    yield f"root     {encode_base64(checkpoint.root)}"


def bundle_contents(bundle: BundleFile) -> str:
    """What a bundle holds, nothing of it checked."""
    return "".join(f"{printable(line)}\n" for line in _bundle_lines(bundle))


def _bundle_lines(bundle: BundleFile) -> Iterator[str]:
    yield "Audit bundle. Nothing is checked here; use verify."
    yield from _claimed(bundle.checkpoint)
    yield from (f"key      {text}" for text in bundle.keys)
    yield f"entries  {len(bundle.entries)}"
    yield f"proofs that older checkpoints are continued: {len(bundle.consistency)}"
    yield from (f"state    {subject}: {text}" for subject, text in sorted(bundle.state.items()))
    yield from _shortened(_entry_lines(bundle))


def _entry_lines(bundle: BundleFile) -> Iterator[str]:
    for raw in bundle.entries:
        try:
            leaf = parse_leaf(decode_base64(raw.leaf, "leaf"))
        except (EncodingError, LeafError) as error:
            yield f"entry {raw.index}: {error}"
            continue
        yield f"entry {raw.index}: {leaf.type} of {leaf.subject}, recorded {format_time(leaf.received_at)}"
        for name, said in sorted(leaf.sections.items()):
            otherwise = f", {erased(raw.erased[name])}" if name in raw.erased else ", not disclosed"
            shown = "" if name in raw.sections else otherwise
            yield f"         section {name}: {said.length} bytes of {said.media}{shown}"
            if name in raw.sections and said.media == "application/json":
                yield f"         {_text_of(raw.sections[name][1])}"


def _text_of(body: str) -> str:
    try:
        return decode_base64(body, "section").decode()
    except (EncodingError, UnicodeDecodeError):
        return "(not readable)"


def receipt_contents(receipt: Receipt) -> str:
    """What a receipt says, nothing of it checked."""
    lines = [
        "Receipt. Nothing is checked here; use verify with --leaf and --key.",
        f"index    {receipt.index}",
        f"proof    {len(receipt.hashes)} hashes",
        *_claimed(receipt.checkpoint_note),
    ]
    if receipt.extra is not None:
        lines.append(f"extra    {len(receipt.extra)} bytes that no signature covers")
    return "".join(f"{printable(line)}\n" for line in lines)


def _claimed(note: str) -> Iterator[str]:
    try:
        yield from _checkpoint_lines(peek_checkpoint(note))
    except (CheckpointError, MalformedNoteError) as error:
        yield f"checkpoint unreadable: {error}"


def _shortened(lines: Iterable[str]) -> Iterator[str]:
    left_out = 0
    for number, line in enumerate(lines):
        if number < MAX_LINES:
            yield line
        else:
            left_out += 1
    if left_out:
        yield f"... and {left_out} more; --json lists them all."
