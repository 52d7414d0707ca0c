"""The files of an export beside its tiles, and how their lines are written: docs/export-import.md.

`SHA256SUMS` is that of sha256sum(1). The tiles are covered by the signed root; the other files, some of which no
signature covers, by these sums, so that a transfer which changed a single bit is noticed.
"""

import json
from collections.abc import Mapping
from typing import Final

from audit.tlog.encoding import encode_base64
from audit.tlog.folderextra import CHECKPOINTS, ERASURES, SECTIONS
from audit.tlog.folderopen import CHECKPOINT, KEYS, MANIFEST, MANIFEST_FORMAT

__all__ = [
    "CHECKPOINT",
    "CHECKPOINTS",
    "ERASURES",
    "EVENT_KEYS",
    "EVENT_KEY_LINE",
    "KEYS",
    "MANIFEST",
    "SECTIONS",
    "SUMMED",
    "SUMS",
    "UNFINISHED",
    "Line",
    "checkpoint_line",
    "erasure_line",
    "event_key_line",
    "manifest",
    "section_line",
    "sums",
]

EVENT_KEYS: Final = "event_keys.jsonl"
SUMS: Final = "SHA256SUMS"
UNFINISHED: Final = "UNFINISHED"
"""Stands in the folder of an export until it is whole."""

SUMMED: Final = (CHECKPOINT, CHECKPOINTS, ERASURES, EVENT_KEYS, KEYS, MANIFEST, SECTIONS)
"""The files that SHA256SUMS covers, those that are there, in its order."""

EVENT_KEY_LINE: Final[dict[str, type]] = {"index": int, "key": str, "content": str}

Line = dict[str, object]


def _line(content: Line) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def checkpoint_line(size: int, note: str) -> bytes:
    """A kept checkpoint."""
    return _line({"size": size, "note": note})


def section_line(index: int, name: str, media: str, salt: bytes, body: bytes) -> bytes:
    """The bytes behind a commitment, and the salt that opens it."""
    return _line(
        {"index": index, "name": name, "media": media, "salt": encode_base64(salt), "body": encode_base64(body)}
    )


def erasure_line(index: int, name: str, entry: int) -> bytes:
    """That a section was erased, as `entry` tells."""
    return _line({"index": index, "name": name, "entry": entry})


def event_key_line(index: int, key: bytes, content: bytes) -> bytes:
    """What lets the ledger answer a repeat: HMACs under the log's own key of source and id, and of the content."""
    return _line({"index": index, "key": encode_base64(key), "content": encode_base64(content)})


def manifest(*, origin: str, size: int, root: bytes, sections: int, erased: int) -> bytes:
    """What the export holds."""
    content = {
        "format": MANIFEST_FORMAT,
        "origin": origin,
        "size": size,
        "root": encode_base64(root),
        "sections": sections,
        "erased": erased,
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def sums(digests: Mapping[str, bytes]) -> bytes:
    """The text of SHA256SUMS for these files, in its one spelling."""
    return "".join(f"{digests[name].hex()}  {name}\n" for name in SUMMED if name in digests).encode()
