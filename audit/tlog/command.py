"""What the commands of `python -m audit.tlog` share: exit statuses, reading files, writing answers."""

import os
import sys
from pathlib import Path
from typing import Final

VERIFIED: Final = 0
REFUSED: Final = 1
UNUSABLE: Final = 2
INCOMPLETE: Final = 3

PDF_MAGIC: Final = b"%PDF-"


class UnusableError(ValueError):
    """The command was given something it cannot work with."""


def read_file(path: Path, limit: int) -> bytes:
    """The whole file, of at most `limit` bytes. Raises UnusableError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > limit:
        raise UnusableError(f"{path} has more than {limit} bytes, the most that is accepted here.")
    return data


def say(text: str, status: int) -> int:
    """Write to standard output in its own encoding, whatever that can show; then the exit status."""
    encoding = sys.stdout.encoding
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (a pager, head) has seen enough. Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status
