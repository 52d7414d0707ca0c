"""Whether the entries of a bundle are leaves of this log (the grammar of leaf.py), many at once."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from audit.tlog.leaf import MAX_LEAF_BYTES, LeafError, format_time, parse_leaf

# A string is anything up to the next quotation mark here: that is twice as fast as naming its characters, and
# names, order and nesting still are exactly those of a leaf.
_SECTION: Final = r'"[^"]++":\{"alg":"hmac-sha256","c":"[^"]{64}","len":[0-9]++,"media":"[^"]++"\}'
_LEAF: Final = (
    r'\{"actor":"[^"]++","id":"[^"]++","occurred_at":"[^"]{27}","origin":"%s","received_at":"[^"]{27}",'
    rf'"sections":\{{(?:{_SECTION}(?:,{_SECTION})*+)?+\}},"source":"[^"]++","subject":"[^"]++","type":"[^"]++","v":1\}}'
)
_END: Final = b"\xff"
"""Stands behind each entry while many are matched at once. No ASCII text holds it, so as many matches as entries
means that each entry is one leaf."""


class LeafForm:
    """Finds entries that are not leaves of the log `origin`.

    The quick form takes what has the names and nesting of a leaf, in ASCII, with this origin. The strict form,
    several times slower, parses every leaf and also wants that `received_at` never falls.
    """

    def __init__(self, origin: str, *, strict: bool) -> None:
        self._origin = origin
        self._strict = strict
        # A log may have a name that no leaf can hold; then none of its entries is a leaf.
        name = re.escape(origin) if origin.isascii() and '"' not in origin else "(?!)"
        self._leaf = _LEAF.replace("%s", name).encode()
        self._many: dict[int, re.Pattern[bytes]] = {}
        self._latest: datetime | None = None

    def follow(self, entry: bytes) -> None:
        """Take the entry before the first that is checked: the strict form compares its time."""
        try:
            self._latest = parse_leaf(entry).received_at
        except LeafError:
            self._latest = None

    def faults(self, entries: Sequence[bytes]) -> Iterator[tuple[int, str]]:
        """Place in `entries` and fault of each that is no leaf of this log."""
        if not self._strict and entries and self._are_leaves(entries):
            return
        for place, entry in enumerate(entries):
            fault = self._fault(entry)
            if fault:
                yield place, fault

    def _are_leaves(self, entries: Sequence[bytes]) -> bool:
        count = len(entries)
        if count not in self._many:
            self._many[count] = re.compile(b"(?:%b%b){%d}+" % (self._leaf, _END, count))
        return (
            all(map(bytes.isascii, entries))
            and max(map(len, entries)) <= MAX_LEAF_BYTES
            and self._many[count].fullmatch(_END.join([*entries, b""])) is not None
        )

    def _fault(self, entry: bytes) -> str:
        try:
            leaf = parse_leaf(entry)
        except LeafError as error:
            return str(error)
        if leaf.origin != self._origin:
            return f"It belongs to the log {leaf.origin}."
        earlier, self._latest = self._latest, leaf.received_at
        if self._strict and earlier and leaf.received_at < earlier:
            return (
                f"It was received at {format_time(leaf.received_at)}, before the entry in front of it "
                f"({format_time(earlier)})."
            )
        return ""
