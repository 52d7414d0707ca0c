"""What a verification of a log folder has proved so far, kept in a file so that the next one need not read it
again.

    {"format":"assay-resume@v1","log":H,"runs":[{"number":I,"root":B,"inputs":B,"points":[[I,B,B],...],
     "opened":I,"erased":[[I,S,I],...],"recorded":[[I,S,I],...]},...]}

H binds the file to the log's origin, keys and the strictness of the check. A run counts only while its files
have the very inode, size and times they had, and only when its root leads to the signed root: what the file
cannot vouch for is that nobody changed a file and set all of that back, or changed this file. Only the auditor
may be able to write it.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit.tlog.bundleformat import BundleError, strict_json
from audit.tlog.durable import write_file
from audit.tlog.encoding import EncodingError, decode_hash, encode_base64
from audit.tlog.folderextra import Erasure
from audit.tlog.folderwork import Point, RunResult, Setup

FORMAT: Final = "assay-resume@v1"
MAX_BYTES: Final = 256 * 1024 * 1024
MAX_ITEMS: Final = 4096
"""A run with more checkpoints or erasures is read again instead of being kept."""


class ResumeError(ValueError):
    """The file named for resuming is not one, is of another log, or cannot be read or written."""


class ResumeFile:
    """The runs proved so far, in memory and in the file."""

    def __init__(self, path: Path, setup: Setup) -> None:
        """Read the file if it is there. Raises ResumeError; nothing but a resume file is ever replaced."""
        self._path = path
        self._log = _binding(setup)
        self._kept: dict[int, bytes] = {}
        self.left_out = 0
        """Runs that the file had no room for when it was last written: the next verification reads them again."""
        self.runs: dict[int, RunResult] = {}
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ResumeError(f"{path} cannot be read: {error.strerror}.") from None
        if len(data) > MAX_BYTES:
            raise ResumeError(f"{path} has more than {MAX_BYTES} bytes: it is no file to resume from.")
        self._read(data)

    def _read(self, data: bytes) -> None:
        try:
            found = strict_json(data, "resume file")
            if not isinstance(found, dict) or found.get("format") != FORMAT:
                raise ResumeError(f"{self._path} is not a file to resume from; it is left as it is.")
            if found.get("log") != self._log:
                raise ResumeError(
                    f"{self._path} is of another log, or of a check with other keys or strictness. Name another file."
                )
            for item in found["runs"]:
                run = _run(item)
                self.runs[run.number] = run
                self._kept[run.number] = _text(item)
        except (BundleError, EncodingError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, ResumeError):
                raise
            raise ResumeError(f"{self._path} is damaged; delete it to start again.") from None

    def keep(self, run: RunResult) -> None:
        """Remember a proven run, in place of what was known of it."""
        if max(len(run.points), len(run.erased), len(run.recorded)) <= MAX_ITEMS and run.root:
            item: dict[str, object] = {
                "number": run.number,
                "root": encode_base64(run.root),
                "inputs": encode_base64(run.inputs),
                "points": [[p.size, encode_base64(p.signed), encode_base64(p.below)] for p in run.points],
                "opened": run.opened,
                "erased": [list(item) for item in run.erased],
                "recorded": [list(item) for item in run.recorded],
            }
            self._kept[run.number] = _text(item)

    def save(self) -> None:
        """Write the file anew and put it in place at once: the first runs, as far as MAX_BYTES allows.

        Raises ResumeError.
        """
        start, end = b'{"format":"%b","log":"%b","runs":[' % (FORMAT.encode(), self._log.encode()), b"]}"
        room = MAX_BYTES - len(start) - len(end)
        runs: list[bytes] = []
        for _, text in sorted(self._kept.items()):
            room -= len(text) + 1
            if room < 0:
                break
            runs.append(text)
        self.left_out = len(self._kept) - len(runs)
        try:
            write_file(self._path.parent, self._path.name, start + b",".join(runs) + end)
        except OSError as error:
            raise ResumeError(f"{self._path} cannot be written: {error.strerror}.") from None


def _text(item: dict[str, object]) -> bytes:
    return json.dumps(item, separators=(",", ":")).encode()


def _binding(setup: Setup) -> str:
    """What a kept run depends on beside its files."""
    parts = [FORMAT, setup.origin, str(setup.strict), *map(str, setup.ranges), *setup.pinned]
    return sha256("\n".join(parts).encode()).hexdigest()


def _run(item: dict[str, list[list[object]]]) -> RunResult:
    """Raises KeyError, TypeError, ValueError or EncodingError on anything but what keep wrote."""
    return RunResult(
        number=_number(item["number"]),
        root=_hash(item["root"]),
        inputs=_hash(item["inputs"]),
        points=tuple(Point(_number(size), _hash(signed), _hash(below)) for size, signed, below in item["points"]),
        opened=_number(item["opened"]),
        erased=_erasures(item["erased"]),
        recorded=_erasures(item["recorded"]),
    )


def _erasures(items: list[list[object]]) -> tuple[Erasure, ...]:
    return tuple(Erasure(_number(of), str(name), _number(entry)) for of, name, entry in items)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a whole number")
    return value


def _hash(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return decode_hash(value, "hash")
