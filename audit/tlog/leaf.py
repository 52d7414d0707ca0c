r"""The leaf: the small public JSON object that stands in the tree for one event.

    {"actor":S,"id":S,"occurred_at":T,"origin":S,"received_at":T,"sections":{N:{"alg":"hmac-sha256","c":H,"len
    ":I, "media":S},...},"source":S,"subject":S,"type":S,"v":1}

in one line without white space, keys and section names in ASCII order, at most 8192 bytes. S is 1 to 256
printable ASCII characters without `"` and `\`, so that no string ever needs an escape and a leaf has exactly
one spelling; T is `YYYY-MM-DDTHH:MM:SS.ffffffZ`; N is 1 to 64 of `a-z 0-9 _ . -`; H is 64 lower-case
hexadecimal digits; I is a whole number below 2**53. Leaves are for ever, so a client's own words belong in a
section, never here.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, Never

MAX_LEAF_BYTES: Final = 8192
VERSION: Final = 1
COMMITMENT_ALGORITHM: Final = "hmac-sha256"
MAX_SECTION_LENGTH: Final = (1 << 53) - 1

_KEYS: Final = frozenset(
    ("actor", "id", "occurred_at", "origin", "received_at", "sections", "source", "subject", "type", "v")
)

# The grammar of the docstring as patterns: a match is the one canonical spelling, so nothing is parsed twice.
_S = r"[ !#-\[\]-~]{1,256}"
_T = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_N = r"[a-z0-9_.-]{1,64}"
_H = r"[0-9a-f]{64}"
_I = r"(?:0|[1-9][0-9]{0,15})"
_ONE_SECTION = rf'"{_N}":\{{"alg":"hmac-sha256","c":"{_H}","len":{_I},"media":"{_S}"\}}'
_SECTION = re.compile(rf'"({_N})":\{{"alg":"hmac-sha256","c":"({_H})","len":({_I}),"media":"({_S})"\}}')
_LEAF = re.compile(
    rf'\{{"actor":"({_S})","id":"({_S})","occurred_at":"({_T})","origin":"({_S})","received_at":"({_T})",'
    rf'"sections":\{{((?:{_ONE_SECTION}(?:,{_ONE_SECTION})*)?)\}},'
    rf'"source":"({_S})","subject":"({_S})","type":"({_S})","v":1\}}'
)

# Quotation marks of the fixed text: with this count right, no value can have brought its own.
_QUOTES: Final = 36
_QUOTES_IN_SECTION: Final = 16


class LeafError(ValueError):
    """Bytes are not a leaf, or values cannot stand in one."""


class SectionCommitment(NamedTuple):
    """What a leaf says about one section; see section.commit."""

    commitment: bytes
    length: int
    """Bytes of the section's body."""
    media: str
    """Media type of the body."""


class Leaf(NamedTuple):
    """The values of a leaf; times are aware, to the microsecond."""

    origin: str
    id: str
    type: str
    source: str
    subject: str
    actor: str
    occurred_at: datetime
    received_at: datetime
    sections: Mapping[str, SectionCommitment]


def format_time(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ` of an aware datetime. Raises LeafError on a naive one."""
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise LeafError("A leaf's times need a time zone.")
        moment = moment.astimezone(UTC)
    return _utc_text(moment)


@lru_cache(maxsize=1024)
def _utc_text(moment: datetime) -> str:
    # Only of times in UTC: in other zones two that are equal can differ in their `fold`, and so in UTC.
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def encode_leaf(leaf: Leaf) -> bytes:
    """The exact bytes that are hashed and stored. Raises LeafError on a value the format does not allow."""
    sections = ",".join(
        [
            f'"{name}":{{"alg":"{COMMITMENT_ALGORITHM}","c":"{item.commitment.hex()}",'
            f'"len":{item.length},"media":"{item.media}"}}'
            for name, item in sorted(leaf.sections.items())
        ]
    )
    text = (
        f'{{"actor":"{leaf.actor}","id":"{leaf.id}","occurred_at":"{format_time(leaf.occurred_at)}",'
        f'"origin":"{leaf.origin}","received_at":"{format_time(leaf.received_at)}","sections":{{{sections}}},'
        f'"source":"{leaf.source}","subject":"{leaf.subject}","type":"{leaf.type}","v":{VERSION}}}'
    )
    if text.count('"') != _QUOTES + _QUOTES_IN_SECTION * len(leaf.sections) or not _LEAF.fullmatch(text):
        _refuse_values(leaf)
    if len(text) > MAX_LEAF_BYTES:
        raise LeafError(f"The leaf would have {len(text)} bytes; at most {MAX_LEAF_BYTES} are allowed.")
    return text.encode("ascii")


def parse_leaf(data: bytes) -> Leaf:
    """The values of leaf bytes; encode_leaf gives exactly these bytes again.

    Raises LeafError, naming the fault: wrong JSON, repeated or unknown names, numbers with a fraction, white
    space, order.
    """
    if len(data) > MAX_LEAF_BYTES:
        raise LeafError(f"The leaf has {len(data)} bytes; at most {MAX_LEAF_BYTES} are allowed.")
    try:
        match = _LEAF.fullmatch(data.decode("ascii"))
    except UnicodeDecodeError:
        raise LeafError("The leaf holds characters outside ASCII.") from None
    if match is None:
        _refuse_bytes(data)
    actor, entry_id, occurred_at, origin, received_at, listed, source, subject, entry_type = match.groups()
    items = _SECTION.findall(listed)
    if any(left[0] >= right[0] for left, right in pairwise(items)):
        raise LeafError("The leaf's sections are not in order, or one is named twice.")
    try:
        return Leaf(
            origin=origin,
            id=entry_id,
            type=entry_type,
            source=source,
            subject=subject,
            actor=actor,
            occurred_at=datetime.fromisoformat(occurred_at),
            received_at=datetime.fromisoformat(received_at),
            sections={
                name: SectionCommitment(bytes.fromhex(commitment), int(length), media)
                for name, commitment, length, media in items
            },
        )
    except ValueError:
        raise LeafError("The leaf holds a date that does not exist.") from None


def _refuse_values(leaf: Leaf) -> Never:
    """Name the value that keeps a leaf from being written."""
    for field in ("origin", "id", "type", "source", "subject", "actor"):
        require_text(field, getattr(leaf, field))
    for name, item in leaf.sections.items():
        require_section_name(name)
        if len(item.commitment) != 32 or not 0 <= item.length <= MAX_SECTION_LENGTH:
            raise LeafError(f"The section {name} needs a commitment of 32 bytes and a length from 0 up.")
        require_text(f"media type of section {name}", item.media)
    raise LeafError("The leaf's values do not fit the leaf format.")


def require_section_name(name: str) -> None:
    """Raises LeafError for a name that no section may have."""
    if not re.fullmatch(_N, name):
        raise LeafError(f"A section cannot be named {name[:80]!r}: use 1 to 64 of a-z, 0-9, '_', '.', '-'.")


def require_text(what: str, value: str) -> None:
    """Raises LeafError, which calls the value `what`, for a value that may not stand in a leaf."""
    if not re.fullmatch(_S, value):
        raise LeafError(
            f"The {what} must be 1 to 256 printable ASCII characters without quotation mark and backslash, "
            f"not {value[:80]!r}."
        )


def _refuse_bytes(data: bytes) -> Never:
    """Say what is wrong with bytes that are not in the leaf's one form."""
    try:
        found = json.loads(data, object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float)
    except LeafError:
        raise
    except (ValueError, RecursionError):
        raise LeafError("The leaf is not JSON.") from None
    if not isinstance(found, dict):
        raise LeafError("The leaf is not a JSON object.")
    if found.get("v") != VERSION:
        raise LeafError(f"The leaf is not of format version {VERSION}, the only one known here.")
    if missing := _KEYS - found.keys():
        raise LeafError(f"The leaf lacks {', '.join(sorted(missing))}.")
    if unknown := found.keys() - _KEYS:
        raise LeafError(f"The leaf holds the unknown name {min(unknown)[:80]!r}.")
    raise LeafError("The leaf is not in its one canonical form: sorted names, no white space, allowed characters only.")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise LeafError("The leaf names a value twice.")
    return result


def _no_float(text: str) -> Never:
    raise LeafError(f"The leaf holds the number {text[:40]}; only whole numbers are allowed.")
