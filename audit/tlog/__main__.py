"""`python -m audit.tlog`: check audit bundles, receipts, report PDFs and whole logs offline; mirror a log.

Needs Python, the `cryptography` package and this folder: no server, no Django, and no network but for `mirror`.
Exit status: 0 verified or up to date, 1 refused, 2 wrong usage or a file that cannot be read as what it should
be, 3 incomplete.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from audit.tlog import commandinspect, commandverify, show
from audit.tlog.bundleformat import BundleError
from audit.tlog.command import INCOMPLETE, UNUSABLE, UnusableError
from audit.tlog.folderopen import FolderError
from audit.tlog.folderresume import ResumeError
from audit.tlog.keyhistory import KeyHistoryError
from audit.tlog.receipt import ReceiptError

_PROGRAM: Final = "python -m audit.tlog"

_EXAMPLES: Final = """\
examples:
  python -m audit.tlog verify bundle.json --key assay.example/demo+1f2e3d4c+AT...
  python -m audit.tlog verify report.pdf --key log-key.txt
  python -m audit.tlog verify entry-42.tlog-proof --leaf entry-42.json --key log-key.txt
  python -m audit.tlog verify export/ --key log-key.txt --resume export.progress
  python -m audit.tlog verify bundle.json --json
  python -m audit.tlog inspect bundle.json
  python -m audit.tlog mirror https://assay.example/log/ mirror/ --key log-key.txt

Without --key a bundle, report or folder is only shown to agree with the key it brings along. Get the log's
key from the organisation by another way and give it here.

exit status:
  0  verified; mirror: up to date
  1  refused: something was changed, is missing, or contradicts what the log signed
  2  wrong usage, or a file that cannot be read as what it should be
  3  incomplete: interrupted, or a file or server could not be read; run it again
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the result is the exit status."""
    options = _parser(mirroring="mirror" in arguments).parse_args(arguments)
    try:
        status: int = options.run(options)
    except (UnusableError, BundleError, FolderError, KeyHistoryError, ReceiptError, ResumeError) as error:
        sys.stderr.write(f"{show.printable(str(error))}\n")
        return UNUSABLE
    except MemoryError:
        sys.stderr.write("This machine has too little memory for that file.\n")
        return UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INCOMPLETE
    return status


def _parser(*, mirroring: bool) -> argparse.ArgumentParser:
    # In one file (./quickstart verifier) it is called by that file's name.
    own = Path(sys.argv[0]).name
    program = f"python {own}" if own.endswith(".pyz") else _PROGRAM
    parser = argparse.ArgumentParser(
        prog=program,
        description="Check evidence from an Assay ledger offline, or mirror the ledger.",
        epilog=_EXAMPLES.replace(_PROGRAM, program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check a bundle, a receipt, a report PDF or a log folder")
    commandverify.add_arguments(verify)
    verify.set_defaults(run=commandverify.run)
    inspect = commands.add_parser("inspect", help="show what a file or a log folder holds, without checking it")
    commandinspect.add_arguments(inspect)
    inspect.set_defaults(run=commandinspect.run)
    follow = commands.add_parser("mirror", help="follow a published log and say when it contradicts itself")
    if mirroring:
        # Only this command uses the network: the others do not even load what could.
        from audit.tlog import mirror

        mirror.add_arguments(follow)
        follow.set_defaults(run=mirror.run)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
