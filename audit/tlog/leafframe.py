"""Leaves of many entries that are alike: what they share is checked and put together once.

`LeafFrame.around` gives the bytes of `leaf.encode_leaf` in two parts, as the ledger learns `received_at` only under
its lock; every reader goes by `leaf.parse_leaf`.
"""

from functools import lru_cache
from typing import Final

from audit.tlog.leaf import COMMITMENT_ALGORITHM, MAX_LEAF_BYTES, VERSION, LeafError, require_section_name, require_text

_TIME_LENGTH: Final = len("2026-11-24T09:00:00.000000Z")


class LeafFrame:
    """The fixed values of a leaf.

    Raises LeafError for a value that may not stand in a leaf.
    """

    __slots__ = ("_before_id", "_before_received_at", "_before_sections", "_end")

    def __init__(self, *, origin: str, type_: str, source: str, subject: str, actor: str) -> None:
        values = {"origin": origin, "type": type_, "source": source, "subject": subject, "actor": actor}
        for field, value in values.items():
            require_text(field, value)
        self._before_id = f'{{"actor":"{actor}","id":"'
        self._before_received_at = f'","origin":"{origin}","received_at":"'
        self._before_sections = '","sections":{'
        self._end = f'}},"source":"{source}","subject":"{subject}","type":"{type_}","v":{VERSION}}}'

    def around(self, entry_id: str, occurred_at: str, sections: str) -> tuple[bytes, bytes]:
        """The leaf up to the text of `received_at`, and from the quotation mark after it on.

        Args:
            entry_id: a UUID as the ledger makes them; it is not looked at.
            occurred_at: as `leaf.format_time` writes it.
            sections: texts of `SectionFrame.text` in order of their names, joined by commas.

        Raises LeafError when the leaf would be too long.
        """
        before = f'{self._before_id}{entry_id}","occurred_at":"{occurred_at}{self._before_received_at}'.encode("ascii")
        after = f"{self._before_sections}{sections}{self._end}".encode("ascii")
        if (length := len(before) + _TIME_LENGTH + len(after)) > MAX_LEAF_BYTES:
            raise LeafError(f"The leaf would have {length} bytes; at most {MAX_LEAF_BYTES} are allowed.")
        return before, after


class SectionFrame:
    """What a leaf says of sections of one name and media type. Raises LeafError for one that it cannot hold."""

    __slots__ = ("_after", "_before")

    def __init__(self, name: str, media: str) -> None:
        require_section_name(name)
        require_text(f"media type of section {name}", media)
        self._before = f'"{name}":{{"alg":"{COMMITMENT_ALGORITHM}","c":"'
        self._after = f',"media":"{media}"}}'

    def text(self, commitment: bytes, length: int) -> str:
        """The section in the leaf: its 32-byte commitment and the bytes of its body."""
        return f'{self._before}{commitment.hex()}","len":{length}{self._after}'


@lru_cache(maxsize=256)
def section_frame(name: str, media: str) -> SectionFrame:
    """The frame of sections of this name and media type. Raises LeafError as `SectionFrame`."""
    return SectionFrame(name, media)
