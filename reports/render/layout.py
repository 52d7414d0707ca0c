"""Writes a `pydyf.PDF` as revision 1: classic cross-reference table, attachments and their lists last.

pydyf would write object streams; then an update, and the offline verifier, would need a full PDF parser. The shape
is `audit.tlog.pdfshape`, shared with the verifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pydyf

from audit.tlog.pdfshape import Attachment, attachment_objects, index_objects

AMBIGUOUS = (b"\r\nendstream\nendobj", b"\n\nendstream\nendobj")
HEADER = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"


def write(pdf: Any, attachments: Sequence[Attachment], *, stamp: str) -> bytes:
    """Bytes of revision 1. `stamp` dates the attachments (PDF date, UTC); all else comes from `pdf`."""
    number = len(pdf.objects) + 1  # one more for the information dictionary
    specs = {item.name: number + 2 * place + 1 for place, item in enumerate(attachments)}
    index = number + 2 * len(attachments)
    names = pdf.catalog.setdefault("Names", pydyf.Dictionary())
    names["EmbeddedFiles"] = f"{index} 0 R"
    pdf.catalog["AF"] = f"{index + 1} 0 R"
    pdf.add_object(pdf.info)

    parts: list[bytes | None] = [None if _is_free(item) else _written(item) for item in pdf.objects]
    for place, item in enumerate(attachments):
        parts.extend(attachment_objects(number + 2 * place, item, stamp=stamp, compress=True))
    parts.extend(index_objects(index, specs))
    return _assemble(parts, root=pdf.catalog.number, info=pdf.info.number)


def _written(item: Any) -> bytes:
    """The object as bytes. A compressed stream that happens to end in CR or LF would be ambiguous: its last byte
    could be read as part of the line end before `endstream`. Its checksum cannot be changed, so it is written in hex.
    """
    written: bytes = item.indirect
    if not isinstance(item, pydyf.Stream) or not item.compress or not written.endswith(AMBIGUOUS):
        return written + b"\n"
    start = written.index(b"\nstream\n") + len(b"\nstream\n")
    encoded = written[start : -len(b"\nendstream\nendobj")].hex().encode() + b">"
    extra = pydyf.Dictionary({**item.extra, "Filter": "[/ASCIIHexDecode /FlateDecode]", "Length": len(encoded)})
    return b"%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (item.number, extra.data, encoded)


def _is_free(item: Any) -> bool:
    return item.free == "f" or (isinstance(item, dict) and not item)


def _assemble(parts: Sequence[bytes | None], *, root: int, info: int) -> bytes:
    body, offsets = [HEADER], []
    position = len(HEADER)
    for part in parts:
        offsets.append(position)
        if part is not None:
            body.append(part)
            position += len(part)
    file_id = hashlib.sha256(b"".join(body)).hexdigest()[:32].encode()
    free = [number for number, part in enumerate(parts) if part is None]
    following = dict(zip(free, [*free[1:], 0], strict=True))
    rows = [
        b"%010d %05d f \n" % (following[number], 65535 if number == 0 else 0)
        if part is None
        else b"%010d 00000 n \n" % offset
        for number, (part, offset) in enumerate(zip(parts, offsets, strict=True))
    ]
    trailer = b"trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>]>>\nstartxref\n%d\n%%%%EOF\n"
    tail = trailer % (len(parts), root, info, file_id, file_id, position)
    return b"".join([*body, b"xref\n0 %d\n" % len(parts), *rows, tail])
