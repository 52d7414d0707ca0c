"""The history of a log's keys: which key may sign which tree sizes, shown by statements that both keys signed.

A key that anybody ever held for the log must not vouch for the whole of it: a newer key could sign a past that
never was, an older one a future. So every key has a range of tree sizes, and a checkpoint counts only when a key
of its own size signed it. The file `keys` of a log:

    <vkey of the first key>

    <origin>                    a signed note, signed by both keys it names; one empty line before each note
    key-begins                  or: key-ends
    <vkey>                      the key that was valid already; for key-ends the key that ends
    <vkey>                      the key that begins; for key-ends a key that goes on
    <size>                      the first tree size of the new key; for key-ends the last one of the old

While ranges overlap, checkpoints carry the signatures of all keys that are valid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.encoding import MAX_SIZE, EncodingError, decode_decimal
from audit.tlog.keys import KeyTextError, SigningKey, VerifierKey
from audit.tlog.note import (
    InvalidSignatureError,
    MalformedNoteError,
    OpenedNote,
    UnverifiedNoteError,
    read_note,
    sign_note,
    split_note,
)

BEGINS: Final = "key-begins"
ENDS: Final = "key-ends"
MAX_HISTORY_BYTES: Final = 262_144
MAX_STATEMENTS: Final = 256

_SIGNATURE_MARK: Final = "\N{EM DASH} "


class KeyHistoryError(ValueError):
    """A key history is malformed, not signed as it must be, contradicts itself, or holds no trusted key."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The tree sizes from `first` to `last` (inclusive; None: still valid) that `key` may sign."""

    key: VerifierKey
    first: int
    last: int | None

    def holds(self, size: int) -> bool:
        """Whether the key may sign this tree size."""
        return self.first <= size and (self.last is None or size <= self.last)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a key statement says, and its signed note."""

    kind: str
    """BEGINS or ENDS."""
    old: VerifierKey
    new: VerifierKey
    size: int
    note: str

    @property
    def text(self) -> str:
        """The note's text, without its signatures."""
        return split_note(self.note)[0]

    @property
    def since(self) -> int:
        """The first tree size for which the statement changes something."""
        return self.size if self.kind == BEGINS else self.size + 1


@dataclass(frozen=True)
class KeyHistory:
    """The keys one trusts and their ranges, oldest key first.

    Attributes:
        ranges: each key once.
        statements: what the ranges were read from; empty for plain keys.
        pinned: keys that were given without ranges. Where one of them is valid it must itself have signed: the
            others are known only from a history somebody brought, who may have left its newest statements out.
    """

    ranges: tuple[KeyRange, ...]
    statements: tuple[Statement, ...] = ()
    pinned: frozenset[VerifierKey] = field(default=frozenset())

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """All keys, whatever their range."""
        return tuple(item.key for item in self.ranges)

    def valid_at(self, size: int) -> tuple[VerifierKey, ...]:
        """The keys that may sign a tree of `size` entries."""
        return tuple(item.key for item in self.ranges if item.holds(size))

    def trusted_at(self, size: int) -> tuple[VerifierKey, ...]:
        """The keys of which one must have signed a tree of `size` entries: the pinned ones where any is valid."""
        valid = self.valid_at(size)
        return tuple(key for key in valid if key in self.pinned) or valid

    def to_text(self) -> str:
        """The file `keys`. Raises KeyHistoryError for plain keys that no statement joins."""
        if len(self.ranges) != 1 + sum(item.kind == BEGINS for item in self.statements):
            raise KeyHistoryError("Keys that no statement joins are not one history.")
        return f"{self.ranges[0].key.to_text()}\n" + "".join(f"\n{item.note}" for item in self.statements)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready form, as `--json` prints it."""
        return {
            "keys": [
                {
                    "key": item.key.to_text(),
                    "fingerprint": item.key.fingerprint,
                    "first": item.first,
                    "last": item.last,
                }
                for item in self.ranges
            ]
        }


Trusted = KeyHistory | Sequence[VerifierKey]
"""The keys a verification starts from: plain ones, good for all sizes, or a history."""


def of_keys(keys: Iterable[VerifierKey]) -> KeyHistory:
    """Plain pinned keys: each may sign all sizes."""
    found = tuple(dict.fromkeys(keys))
    return KeyHistory(tuple(KeyRange(key, 0, None) for key in found), pinned=frozenset(found))


def as_history(trusted: Trusted) -> KeyHistory:
    """The same keys as a history."""
    return trusted if isinstance(trusted, KeyHistory) else of_keys(trusted)


def read_history(text: str, pinned: Sequence[VerifierKey] | None) -> KeyHistory:
    """Read the file `keys` and check every statement in it.

    With `pinned`, at least one of those keys must be in the chain; with None the text itself is what one trusts.
    Raises KeyHistoryError.
    """
    if len(text.encode("utf-8", "replace")) > MAX_HISTORY_BYTES:
        raise KeyHistoryError(f"A key history may have at most {MAX_HISTORY_BYTES} bytes.")
    first, *rest = text.split("\n\n")
    if len(rest) % 2 or not text.endswith("\n") or len(rest) > 2 * MAX_STATEMENTS:
        raise KeyHistoryError(
            "A key history is a key in the first line, then signed statements with empty lines between."
        )
    history = KeyHistory((KeyRange(_key(first.removesuffix("\n")), 0, None),))
    for number, (body, signatures) in enumerate(zip(rest[::2], rest[1::2], strict=True), 1):
        # All but the last have lost the newline that the split took.
        note = f"{body}\n\n{signatures.removesuffix(chr(10))}\n"
        try:
            history = extend(history, note)
        except KeyHistoryError as error:
            raise KeyHistoryError(f"Key statement {number}: {error}") from None
    if pinned is None:
        return history
    if not set(pinned) & set(history.keys):
        raise KeyHistoryError("None of the trusted keys is in this key history: it is of another log, or made up.")
    return replace(history, pinned=frozenset(pinned))


def extend(history: KeyHistory, note: str) -> KeyHistory:
    """The history with one more statement, which must be signed by both its keys and fit what stands already.

    Raises KeyHistoryError.
    """
    said = _statement(note)
    ranges = {item.key: item for item in history.ranges}
    old, new = ranges.get(said.old), ranges.get(said.new)
    if any(key.name != history.ranges[0].key.name for key in (said.old, said.new)):
        raise KeyHistoryError(f"It is of another log than {history.ranges[0].key.name}.")
    if old is None:
        raise KeyHistoryError("Its first key is not in the chain of keys before it.")
    if history.statements and said.since < history.statements[-1].since:
        raise KeyHistoryError("It reaches back before the statement that precedes it.")
    if old.last is not None:
        raise KeyHistoryError(f"Its first key ended at {old.last} entries and may say nothing any more.")
    if said.kind == BEGINS:
        if new is not None:
            raise KeyHistoryError("Its new key is in the chain already; a key begins once.")
        if said.size < old.first:
            raise KeyHistoryError("Its new key would begin before the key that vouches for it.")
        ranges[said.new] = KeyRange(said.new, said.size, None)
    else:
        if new is None or new.last is not None or said.new == said.old:
            raise KeyHistoryError("It names no other key that goes on: the log would be without a key.")
        if new.first > said.size + 1:
            raise KeyHistoryError(f"It leaves the sizes from {said.size + 1} to {new.first - 1} without a key.")
        if said.size < old.first:
            raise KeyHistoryError("Its key would end before it began.")
        ranges[said.old] = replace(old, last=said.size)
    return replace(history, ranges=tuple(ranges.values()), statements=(*history.statements, said))


def sign_statement(kind: str, *, old: SigningKey, new: SigningKey, size: int) -> str:
    """The signed note of a key statement; `kind` is BEGINS or ENDS. Raises KeyHistoryError on values none can hold."""
    if kind not in {BEGINS, ENDS} or old.name != new.name or not 0 <= size <= MAX_SIZE:
        raise KeyHistoryError("A key statement needs its kind, two keys of one log and a tree size.")
    lines = (old.name, kind, old.verifier.to_text(), new.verifier.to_text(), str(size))
    return sign_note("".join(f"{line}\n" for line in lines), [old, new])


def read_checkpoint_in(note: str | bytes, history: KeyHistory) -> tuple[Checkpoint, OpenedNote]:
    """Check a signed checkpoint: a key that is named like its origin and valid at its very size must have signed.

    The signers returned are those keys alone. Raises the errors of note.read_note and CheckpointError.
    """
    opened = read_note(note, history.keys)
    checkpoint = Checkpoint.parse(opened.text)
    own = [key for key in opened.signers if key.name == checkpoint.origin]
    if not own:
        raise CheckpointError(f"The checkpoint of {checkpoint.origin} is not signed by a key of that log.")
    trusted = history.trusted_at(checkpoint.size)
    signers = tuple(key for key in opened.signers if key in trusted)
    if not any(key in signers for key in own):
        raise CheckpointError(_out_of_range(checkpoint, own, history))
    return checkpoint, _with_signers(opened, signers)


def _with_signers(opened: OpenedNote, signers: tuple[VerifierKey, ...]) -> OpenedNote:
    """The same note with only these of its signers."""
    return opened._replace(signers=signers)


def trust(given: Trusted, brought: str | None) -> KeyHistory:
    """The history to judge a file by: the keys one was given, and the history that came with the file.

    Plain keys take the ranges of the chain they are in. A history one was given may be older or newer than the one
    brought, but both must tell the same. Raises KeyHistoryError.
    """
    own = as_history(given)
    if brought is None:
        return own
    if not own.statements:
        found = read_history(brought, own.keys)
        others = tuple(item for item in own.ranges if item.key not in found.keys)
        return replace(found, ranges=(*found.ranges, *others))
    found = read_history(brought, None)
    told = [[item.ranges[0].key.to_text(), *(said.text for said in item.statements)] for item in (own, found)]
    if any(mine != theirs for mine, theirs in zip(*told, strict=False)):
        raise KeyHistoryError("The key history that came with the file contradicts the one you gave.")
    return found if len(found.statements) > len(own.statements) else own


def load(given: Sequence[str]) -> KeyHistory:
    """The keys a user named: each a verifier key, a file of keys one a line, or a log's file `keys`.

    Keys beside one history file pin it: one of them must be in it. Raises KeyHistoryError.
    """
    plain: list[VerifierKey] = []
    histories: list[str] = []
    for word in given:
        try:
            plain.append(VerifierKey.parse(word))
        except KeyTextError as error:
            text = _file_text(word, str(error))
            if any(line.startswith(_SIGNATURE_MARK) for line in text.split("\n")):
                histories.append(text)
            else:
                plain += _plain_keys(word, text)
    if not plain and not histories:
        raise KeyHistoryError("No key was given.")
    result = read_history(histories[0], None) if histories else of_keys(plain)
    for text in histories[1:]:
        result = trust(result, text)
    if histories and plain and not set(plain) & set(result.keys):
        raise KeyHistoryError("None of the keys you gave is in the key history you gave beside them.")
    return result


def _statement(note: str) -> Statement:
    """What a note says as a key statement, its signatures by both keys checked."""
    try:
        lines = split_note(note)[0].split("\n")
        if len(lines) != 6 or lines[5] or lines[1] not in {BEGINS, ENDS}:
            raise KeyHistoryError("It is no key statement: it has five lines, the second key-begins or key-ends.")
        old, new = _key(lines[2]), _key(lines[3])
        size = decode_decimal(lines[4], "tree size")
        if lines[0] != old.name or lines[0] != new.name:
            raise KeyHistoryError("Its keys are not named like the log it is about.")
        signers = read_note(note, [old, new]).signers
    except (MalformedNoteError, EncodingError, InvalidSignatureError, UnverifiedNoteError) as error:
        raise KeyHistoryError(str(error)) from None
    if {old, new} - set(signers):
        raise KeyHistoryError("It is not signed by both of its keys.")
    return Statement(lines[1], old, new, size, note)


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except KeyTextError as error:
        raise KeyHistoryError(str(error)) from None


def _out_of_range(checkpoint: Checkpoint, signers: Sequence[VerifierKey], history: KeyHistory) -> str:
    spans = {item.key: item for item in history.ranges}
    key = spans[signers[0]]
    if key.holds(checkpoint.size):
        return (
            f"The checkpoint of {checkpoint.size} entries is not signed by the key you gave, though that key was valid"
            " then."
        )
    until = "on" if key.last is None else f"to {key.last}"
    return (
        f"The checkpoint of {checkpoint.size} entries is signed only by a key that may sign sizes from {key.first}"
        f" {until}."
    )


def _plain_keys(name: str, text: str) -> list[VerifierKey]:
    lines = [line.strip() for line in text.split("\n")]
    keys = [_key(line) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise KeyHistoryError(f"The key file {name} holds no key.")
    return keys


def _file_text(name: str, reason: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_HISTORY_BYTES + 1)
    except (OSError, ValueError):
        raise KeyHistoryError(f"{name} is neither a key nor a readable file of keys. {reason}") from None
    if len(data) > MAX_HISTORY_BYTES:
        raise KeyHistoryError(f"The key file {name} has more than {MAX_HISTORY_BYTES} bytes.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise KeyHistoryError(f"The key file {name} is not text.") from None
