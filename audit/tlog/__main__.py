"""`python -m audit.tlog`: check audit bundles, receipts and report PDFs offline.

Needs Python, the `cryptography` package and this folder: no server, no network, no Django. Exit status: 0
verified, 1 refused, 2 wrong usage or a file that cannot be read as what it should be.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit.tlog import show
from audit.tlog.bundle import verify_bundle
from audit.tlog.bundleformat import MAX_BUNDLE_BYTES, BundleError, read_bundle
from audit.tlog.keys import KeyTextError, VerifierKey
from audit.tlog.pdf import verify_pdf
from audit.tlog.receipt import HEADER, Receipt, ReceiptError, verify_receipt
from audit.tlog.tiles import MAX_ENTRY_BYTES
from audit.tlog.verification import Verification

VERIFIED: Final = 0
REFUSED: Final = 1
UNUSABLE: Final = 2

MAX_KEY_FILE_BYTES: Final = 65536

_PDF_MAGIC: Final = b"%PDF-"

_EXAMPLES: Final = """\
examples:
  python -m audit.tlog verify bundle.json --key assay.example/demo+1f2e3d4c+AT...
  python -m audit.tlog verify report.pdf --key log-key.txt
  python -m audit.tlog verify entry-42.tlog-proof --leaf entry-42.json --key log-key.txt
  python -m audit.tlog verify bundle.json --json
  python -m audit.tlog inspect bundle.json

Without --key a bundle or report is only shown to agree with the key it brings along. Get the log's key
from the organisation by another way and give it here.

exit status: 0 verified, 1 refused, 2 wrong usage or unreadable file
"""


class UnusableError(ValueError):
    """The command was given something it cannot work with."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    try:
        data = _read(options.file, MAX_BUNDLE_BYTES)
        if options.command == "inspect":
            return _say(_inspect(data), VERIFIED)
        result = _verify(data, _keys(options.key), options.leaf)
    except (UnusableError, BundleError, KeyTextError, ReceiptError) as error:
        sys.stderr.write(f"{show.printable(str(error))}\n")
        return UNUSABLE
    except MemoryError:
        sys.stderr.write("This machine has too little memory for that file.\n")
        return UNUSABLE
    text = json.dumps(result.to_dict(), indent=2) + "\n" if options.json else show.outcome(result)
    return _say(text, VERIFIED if result.ok else REFUSED)


def _say(text: str, status: int) -> int:
    """Write to standard output in its own encoding, whatever that can show; then the exit status."""
    encoding = sys.stdout.encoding
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (a pager, head) has seen enough. Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audit.tlog",
        description="Check evidence from an Assay ledger offline.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check a bundle, a receipt or a report PDF")
    verify.add_argument("file", type=Path, metavar="FILE", help="bundle JSON, .tlog-proof receipt, or PDF")
    verify.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="the log's key (name+hash+base64), or a file with one key a line; may be repeated",
    )
    verify.add_argument("--leaf", type=Path, metavar="FILE", help="the exact entry bytes a receipt is for")
    verify.add_argument("--json", action="store_true", help="print the result for machines")
    inspect = commands.add_parser("inspect", help="show what a file holds, without checking it")
    inspect.add_argument("file", type=Path, metavar="FILE")
    return parser


def _verify(data: bytes, keys: list[VerifierKey] | None, leaf: Path | None) -> Verification:
    if data.startswith(_PDF_MAGIC):
        return verify_pdf(data, keys)
    if not _is_receipt(data):
        return verify_bundle(data, keys)
    if leaf is None or keys is None:
        raise UnusableError("A receipt brings neither the entry nor a key: give both, with --leaf and --key.")
    return verify_receipt(data, _read(leaf, MAX_ENTRY_BYTES), keys)


def _inspect(data: bytes) -> str:
    if data.startswith(_PDF_MAGIC):
        return f"PDF of {len(data)} bytes, SHA-256 {sha256(data).hexdigest()}. Use verify to check it.\n"
    if _is_receipt(data):
        return show.receipt_contents(Receipt.parse(data))
    return show.bundle_contents(read_bundle(data))


def _is_receipt(data: bytes) -> bool:
    return data.startswith(HEADER.encode() + b"\n")


def _keys(given: list[str] | None) -> list[VerifierKey] | None:
    if given is None:
        return None
    return [key for text in given for key in _keys_of(text)]


def _keys_of(text: str) -> list[VerifierKey]:
    try:
        return [VerifierKey.parse(text)]
    except KeyTextError as error:
        reason = str(error)
    try:
        lines = _read(Path(text), MAX_KEY_FILE_BYTES).decode().split("\n")
    except UnusableError:
        raise UnusableError(f"--key is neither a key nor a readable file of keys. {reason}") from None
    except UnicodeDecodeError:
        raise UnusableError(f"The key file {text} is not text.") from None
    keys = [VerifierKey.parse(line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise UnusableError(f"The key file {text} holds no key.")
    return keys


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > limit:
        raise UnusableError(f"{path} has more than {limit} bytes, the most that is accepted here.")
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
