"""The `.jsonl` files of a log folder: JSON objects, one a line, ascending by a number, read in pieces.

The reader that hands out pieces sees every byte once and in order, so each line is in exactly one piece; what
the lines say is for the reader of the piece to check.
"""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from io import BufferedReader
from typing import Final, NamedTuple, Self

from audit.tlog.bundleformat import BundleError, strict_json
from audit.tlog.encoding import MAX_SIZE
from audit.tlog.source import FolderSource, NotThere, SourceError

MAX_LINE_BYTES: Final = 2 * 1024 * 1024
"""A section's body has at most 1 MiB, in Base64 a third more, beside its salt and names."""

_BUFFER: Final = 1 << 20


class LineFileError(ValueError):
    """A line is not what the file must hold there."""


class Span(NamedTuple):
    """A run of whole lines: byte offsets, and the SHA-256 of what stood there when it was cut."""

    start: int
    end: int
    digest: bytes


class LineFile:
    """Cuts `path` into spans by the whole number `key` that each line starts with; a file that is not there
    is empty.
    """

    def __init__(self, source: FolderSource, path: str, key: str) -> None:
        self.path = path
        self._key = key
        self._start_of_line = re.compile(rb'\{"%b": ?(0|[1-9][0-9]{0,18})[,}]' % key.encode())
        self._offset = 0
        self._number = 0
        self._latest = -1
        self._waiting = b""
        try:
            self._file: BufferedReader | None = BufferedReader(source.open(path), _BUFFER)
        except NotThere:
            self._file = None

    @property
    def there(self) -> bool:
        """Whether the folder has this file."""
        return self._file is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def take(self, below: int) -> Span:
        """The lines from where the last span ended whose number is under `below`.

        Raises LineFileError on a line that is not complete, not readable, or out of order, and SourceError.
        """
        start = self._offset
        digest = sha256()
        while line := self._waiting or self._next():
            number = self._number_of(line)
            if number >= below:
                self._waiting = line
                break
            if number < self._latest:
                raise LineFileError(f"Line {self._number} of {self.path} is out of order.")
            self._latest = number
            self._waiting = b""
            self._offset += len(line)
            digest.update(line)
        return Span(start, self._offset, digest.digest())

    @property
    def ended(self) -> bool:
        """Whether every line has been taken."""
        if not self._waiting:
            self._waiting = self._next()
        return not self._waiting

    def _next(self) -> bytes:
        if self._file is None:
            return b""
        try:
            line = self._file.readline(MAX_LINE_BYTES + 1)
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror}.") from None
        self._number += 1
        if line and not line.endswith(b"\n"):
            what = "is too long" if len(line) > MAX_LINE_BYTES else "ends without a line feed: the file was cut off"
            raise LineFileError(f"Line {self._number} of {self.path} {what}.")
        return line

    def _number_of(self, line: bytes) -> int:
        match = self._start_of_line.match(line)
        if match:
            return int(match[1])
        try:
            found = strict_json(line, f"line {self._number} of {self.path}")
        except BundleError as error:
            raise LineFileError(str(error)) from None
        number = found.get(self._key) if isinstance(found, dict) else None
        if type(number) is not int or not 0 <= number <= MAX_SIZE:
            raise LineFileError(f'Line {self._number} of {self.path} has no whole number "{self._key}".')
        return number


class Line:
    """One line as an object with exactly the names and kinds that its file has."""

    def __init__(self, data: bytes, path: str, kinds: Mapping[str, type]) -> None:
        """Raises LineFileError."""
        try:
            found = strict_json(data, f"line of {path}")
        except BundleError as error:
            raise LineFileError(str(error)) from None
        if not isinstance(found, dict) or found.keys() != kinds.keys():
            raise LineFileError(f"A line of {path} is not an object of {', '.join(kinds)}.")
        for name, kind in kinds.items():
            if type(found[name]) is not kind:
                raise LineFileError(f"A line of {path} has a value of the wrong kind for {name}.")
        self._values = found

    def number(self, name: str) -> int:
        """A whole number from 0 up. Raises LineFileError."""
        value = self._values[name]
        if not isinstance(value, int) or not 0 <= value <= MAX_SIZE:
            raise LineFileError(f"{name} is not a whole number from 0 up.")
        return value

    def text(self, name: str) -> str:
        """A text."""
        return str(self._values[name])


def lines_in(source: FolderSource, path: str, span: Span) -> Iterator[bytes]:
    """The lines of a span; the file is open while they are read. Raises SourceError."""
    if span.start == span.end:
        return
    with BufferedReader(source.open(path), _BUFFER) as file:
        try:
            file.seek(span.start)
            left = span.end - span.start
            while left > 0:
                line = file.readline(left)
                if not line:
                    raise SourceError(f"{path} became shorter while it was read.")
                left -= len(line)
                yield line
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}.") from None
