"""`verify`: check a bundle, a receipt, a report PDF or a whole log folder."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.tlog import show
from audit.tlog.bundle import verify_bundle
from audit.tlog.bundleformat import MAX_BUNDLE_BYTES
from audit.tlog.command import INCOMPLETE, PDF_MAGIC, REFUSED, VERIFIED, UnusableError, read_file, say
from audit.tlog.folder import FolderReport, verify_folder
from audit.tlog.folderpool import WorkerError
from audit.tlog.folderprogress import Progress
from audit.tlog.folderreport import outcome
from audit.tlog.keyhistory import KeyHistory, load
from audit.tlog.pdf import verify_pdf
from audit.tlog.receipt import is_receipt, verify_receipt
from audit.tlog.tiles import MAX_ENTRY_BYTES
from audit.tlog.verification import Verification

_RESUMING = """\
With --resume FILE, what was proved of each full run of 65,536 entries is kept in FILE, also when the check is
interrupted. The next check with the same FILE does not read those entries again while their files have the
same inode, size and times: it only proves that their hashes still lead to the signed root. So FILE must be
where only you can write, and a check without --resume is the one that reads everything.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _RESUMING
    parser.add_argument("file", type=Path, metavar="FILE", help="bundle JSON, .tlog-proof receipt, PDF, or log folder")
    parser.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="the log's key (name+hash+base64), a file with one key a line, or a log's key history; may be repeated",
    )
    parser.add_argument("--leaf", type=Path, metavar="FILE", help="the exact entry bytes a receipt is for")
    parser.add_argument("--json", action="store_true", help="print the result for machines")
    folder = parser.add_argument_group("log folders only")
    folder.add_argument("--jobs", type=_jobs, metavar="N", help="processes; without it one for each core")
    folder.add_argument("--strict", action="store_true", help="parse every leaf, not only look at its form: slower")
    folder.add_argument("--resume", type=Path, metavar="FILE", help="keep in FILE what is proved, and go on from it")
    shown = folder.add_mutually_exclusive_group()
    shown.add_argument("--progress", action="store_true", help="say how far it is, also where there is no terminal")
    shown.add_argument("--quiet", action="store_true", help="do not say how far it is")


def run(options: argparse.Namespace) -> int:
    """Check what was given. Returns the exit status; raises UnusableError and the errors of the formats."""
    keys = None if options.key is None else load(options.key)
    if options.file.is_dir():
        return _folder(options, keys)
    if options.resume or options.strict or options.jobs or options.progress:
        raise UnusableError("--jobs, --strict, --resume and --progress are for log folders only.")
    result = _verify(read_file(options.file, MAX_BUNDLE_BYTES), keys, options.leaf)
    return _answer(result, show.outcome(result), options, VERIFIED if result.ok else REFUSED)


def _verify(data: bytes, keys: KeyHistory | None, leaf: Path | None) -> Verification:
    if data.startswith(PDF_MAGIC):
        return verify_pdf(data, keys)
    if not is_receipt(data):
        return verify_bundle(data, keys)
    if leaf is None or keys is None:
        raise UnusableError("A receipt brings neither the entry nor a key: give both, with --leaf and --key.")
    return verify_receipt(data, read_file(leaf, MAX_ENTRY_BYTES), keys)


def _folder(options: argparse.Namespace, keys: KeyHistory | None) -> int:
    if options.leaf:
        raise UnusableError("--leaf is for receipts; a log folder holds its own entries.")
    progress = Progress(sys.stderr) if options.progress or (sys.stderr.isatty() and not options.quiet) else None
    try:
        with _terminated_as_interrupted():
            report = verify_folder(
                options.file,
                keys,
                jobs=options.jobs or _cores(),
                strict=options.strict,
                resume=options.resume,
                watch=progress or _silent,
            )
    except KeyboardInterrupt:
        kept = f" Run it again with --resume {options.resume} to go on." if options.resume else ""
        return _stopped(f"INCOMPLETE: interrupted.{kept}", progress)
    except WorkerError as error:
        return _stopped(f"INCOMPLETE: {error}", progress)
    if progress:
        progress.close()
    return _answer(report, outcome(report), options, _status(report))


def _status(report: FolderReport) -> int:
    if report.ok:
        return VERIFIED
    return INCOMPLETE if report.incomplete else REFUSED


def _answer(result: Verification, text: str, options: argparse.Namespace, status: int) -> int:
    return say(json.dumps(result.to_dict(), indent=2) + "\n" if options.json else text, status)


def _stopped(text: str, progress: Progress | None) -> int:
    if progress:
        progress.close()
    sys.stderr.write(f"{show.printable(text)}\n")
    return INCOMPLETE


def _silent(_done: int, _read: int, _size: int) -> None:
    """Say nothing of how far it is."""


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the check as an interrupt from the keyboard does, so that what is proved is kept."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= 1024:
        raise argparse.ArgumentTypeError("a number of processes from 1 to 1024")
    return int(text)
