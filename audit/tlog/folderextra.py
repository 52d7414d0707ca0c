"""What stands beside the tiles of a log folder, for one run of entries: kept checkpoints, disclosed sections,
erasures.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from audit.tlog.bundleerased import ERASURE_SOURCE, ERASURE_TYPE
from audit.tlog.bundleformat import BundleError, strict_json
from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.encoding import EncodingError, decode_base64
from audit.tlog.folderhash import Findings
from audit.tlog.keyhistory import KeyHistory, read_checkpoint_in
from audit.tlog.leaf import Leaf, LeafError, parse_leaf
from audit.tlog.linefile import Line, LineFileError, Span, lines_in
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.section import SectionError, opens
from audit.tlog.source import FolderSource, SourceError

CHECKPOINTS: Final = "checkpoints.jsonl"
SECTIONS: Final = "sections.jsonl"
ERASURES: Final = "erasures.jsonl"

_CHECKPOINT: Final[dict[str, type]] = {"size": int, "note": str}
_SECTION: Final[dict[str, type]] = {"index": int, "name": str, "media": str, "salt": str, "body": str}
_ERASURE: Final[dict[str, type]] = {"index": int, "name": str, "entry": int}

_IndexedLine = tuple[int, Line, str]
"""Index of the entry, the line, and the path of its file."""


class Erasure(NamedTuple):
    """That section `name` of entry `of` was erased, as entry `entry` records."""

    of: int
    name: str
    entry: int


def kept_checkpoints(
    source: FolderSource, span: Span, history: KeyHistory, origin: str, findings: Findings
) -> list[Checkpoint]:
    """The checkpoints of some lines of checkpoints.jsonl whose signatures hold, sizes ascending."""
    found: list[Checkpoint] = []
    latest = -1
    try:
        for data in lines_in(source, CHECKPOINTS, span):
            line = Line(data, CHECKPOINTS, _CHECKPOINT)
            size = line.number("size")
            if size <= latest:
                raise LineFileError(f"{CHECKPOINTS} holds size {size} twice.")
            latest = size
            try:
                checkpoint, _ = read_checkpoint_in(line.text("note"), history)
            except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError) as error:
                findings.fault("checkpoint", f"The kept checkpoint of size {size} does not count. {error}")
                continue
            if checkpoint.size != size or checkpoint.origin != origin:
                findings.fault("checkpoint", f"The line of size {size} in {CHECKPOINTS} holds another checkpoint.")
                continue
            found.append(checkpoint)
    except LineFileError as error:
        findings.fault("checkpoint", str(error))
    except SourceError as error:
        findings.cannot_read(error)
    return found


class Contents:
    """Checks the sections and erasures of the entries of one run, bundle by bundle in ascending order."""

    def __init__(self, source: FolderSource, sections: Span, erasures: Span, findings: Findings) -> None:
        self._findings = findings
        # By ascending index, the sections of an entry before its erasures.
        self._lines = merge(
            _stream(source, SECTIONS, sections, _SECTION),
            _stream(source, ERASURES, erasures, _ERASURE),
            key=itemgetter(0),
        )
        self._waiting: _IndexedLine | None = None
        self._advance()
        self.opened = 0
        """Sections that open their commitments."""
        self.erased: list[Erasure] = []
        """What erasures.jsonl says; that the entries it names record it is for the caller to compare."""
        self.recorded: list[Erasure] = []
        """What disclosed erasures say was erased."""

    def check(self, first: int, width: int, entries: Sequence[bytes]) -> None:
        """Check all lines about the `width` entries from index `first` on, of which these could be read."""
        for index, group in groupby(self._below(first + width), key=itemgetter(0)):
            lines = list(group)
            if not first <= index < first + len(entries):
                continue  # what is wrong with the bundle it belongs to has been told
            try:
                leaf = parse_leaf(entries[index - first])
            except LeafError as error:
                self._findings.fault("section", f"The entry it belongs to is no leaf. {error}", index)
                continue
            sections, erasures = ([line for _, line, path in lines if path == of] for of in (SECTIONS, ERASURES))
            self._check_entry(index, leaf, sections, erasures)

    def _below(self, limit: int) -> Iterator[_IndexedLine]:
        while True:
            waiting = self._waiting
            if waiting is None or waiting[0] >= limit:
                return
            self._advance()
            yield waiting

    def _advance(self) -> None:
        try:
            self._waiting = next(self._lines, None)
        except LineFileError as error:
            self._findings.fault("section", str(error))
            self._waiting = None
        except SourceError as error:
            self._findings.cannot_read(error)
            self._waiting = None

    def _check_entry(self, index: int, leaf: Leaf, sections: Sequence[Line], erased: Sequence[Line]) -> None:
        shown = [line.text("name") for line in sections]
        gone = [line.text("name") for line in erased]
        for names, path in ((shown, SECTIONS), (gone, ERASURES)):
            if sorted(set(names)) != names:
                self._findings.fault("section", f"{path} names its sections twice or out of order.", index)
        for line in sections:
            fault = self._section_fault(index, leaf, line)
            if fault:
                self._findings.fault("section", fault, index)
            else:
                self.opened += 1
        for line in erased:
            name = line.text("name")
            try:
                entry = line.number("entry")
            except LineFileError as error:
                self._findings.fault("erasure", f"The line of section {name[:80]!r} in {ERASURES}: {error}", index)
                continue
            if name not in leaf.sections:
                self._findings.fault("erasure", f"The leaf commits to no section named {name[:80]!r}.", index)
            elif name in shown:
                self._findings.fault("erasure", f"The section {name} is said to be erased and is here.", index)
            else:
                self.erased.append(Erasure(index, name, entry))

    def _section_fault(self, index: int, leaf: Leaf, line: Line) -> str:
        name = line.text("name")
        said = leaf.sections.get(name)
        if said is None:
            return f"The leaf commits to no section named {name[:80]!r}."
        try:
            body = decode_base64(line.text("body"), f"section {name}")
            salt = decode_base64(line.text("salt"), f"salt of section {name}")
            same = len(body) == said.length and opens(said.commitment, salt, leaf.origin, leaf.id, name, body)
        except (EncodingError, SectionError) as error:
            return str(error)
        if not same or line.text("media") != said.media:
            return f"The section {name} is not what was recorded: it was changed after the fact."
        if is_erasure(leaf) and name == "facts":
            self.recorded += _recorded(index, body)
        return ""


def is_erasure(leaf: Leaf) -> bool:
    """Whether an entry tells an erasure."""
    return leaf.type == ERASURE_TYPE and leaf.source == ERASURE_SOURCE


def _recorded(entry: int, facts: bytes) -> Iterator[Erasure]:
    """What the facts of an erasing entry say was erased; nothing when they are of another shape."""
    try:
        found = strict_json(facts, "facts")
    except BundleError:
        return
    if isinstance(found, dict):
        index, name = found.get("entry"), found.get("section")
        if isinstance(index, int) and isinstance(name, str):
            yield Erasure(index, name, entry)


def _stream(source: FolderSource, path: str, span: Span, kinds: Mapping[str, type]) -> Iterator[_IndexedLine]:
    for data in lines_in(source, path, span):
        line = Line(data, path, kinds)
        yield line.number("index"), line, path
