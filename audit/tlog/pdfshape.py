"""The shape of a sealed report file: what is written after the pages, and a strict reader of exactly that.

A report is a PDF 1.7 file with a classic cross-reference table in one section. It ends, with nothing after it, in

    <objects ... attachments: an embedded file stream, then its file specification, for each file>
    N-2 0 obj  <</Names [(name) spec ...]>>   the attached files, sorted by name
    N-1 0 obj  [spec ...]                     the same list again, as PDF/A-3 wants it
    xref / trailer with Size N, Root, Info, ID / startxref / %%EOF

Revision 2 appends one attachment and new versions of the last two objects, nothing else, in the same shape with
`/Prev`. Both objects are rewritten whole, so an update never touches the catalog, a page or the metadata.
No general PDF parser is needed, and none is used: every object read here must be the bytes this module writes.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

MAX_ATTACHMENT_BYTES = 256 * 1024 * 1024
NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STAMP = re.compile(r"D:\d{14}Z")
RELATIONSHIPS = ("Data", "Supplement")

_XREF_ENTRY = re.compile(rb"(\d{10}) 00000 n \n")
_TRAILER = re.compile(
    rb"trailer\n<</Size (\d{1,8}) /Root (\d{1,8}) 0 R /Info (\d{1,8}) 0 R /ID \[<([0-9a-f]{32})> <([0-9a-f]{32})>\]>>\n"
    rb"startxref\n(\d{1,10})\n%%EOF\n"
)
_END = re.compile(rb"(?: /Prev (\d{1,10}))?>>\nstartxref\n(\d{1,10})\n%%EOF\n\Z")
_NAMES = re.compile(rb"(\d{1,8}) 0 obj\n<</Names \[([^\]]*)\]>>\nendobj\n")
_PAIR = re.compile(rb"\(([A-Za-z0-9._-]+)\) (\d{1,8}) 0 R")
_SPEC = re.compile(rb"(\d{1,8}) 0 obj\n<</Type /Filespec [^\n]{0,600} /EF <</F (\d{1,8}) 0 R /UF \2 0 R>>>>\nendobj\n")
_STREAM = re.compile(
    rb"(\d{1,8}) 0 obj\n<</Type /EmbeddedFile /Subtype /application#2fjson "
    rb"/Params <</Size (\d{1,10}) /CreationDate \((D:\d{14}Z)\) /ModDate \(\3\)>>( /Filter /FlateDecode)? "
    rb"/Length (\d{1,10})>>\nstream\n"
)


class ShapeError(ValueError):
    """The file is not a report in the shape this module writes; the message says where it differs."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A JSON file inside the PDF. `relationship` is its AFRelationship: Data or Supplement."""

    name: str
    description: str
    relationship: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Revision:
    """What the tail of a revision 1 says. `end` is its length in bytes, `stamp` the date of its attachments."""

    size: int
    root: int
    info: int
    file_id: bytes
    xref_at: int
    end: int
    stamp: str
    specs: Mapping[str, int]


def attachment_objects(number: int, attachment: Attachment, *, stamp: str, compress: bool) -> tuple[bytes, bytes]:
    """The embedded file stream as object `number` and its file specification as `number` + 1.

    `stamp` is a PDF date in UTC, e.g. `D:20261123093000Z`. Raises ShapeError for text the shape has no room for.
    """
    name = attachment.name.encode()
    described = attachment.description.encode()
    plain = NAME.fullmatch(name) and re.fullmatch(rb"[A-Za-z0-9 .,:;'/-]{0,200}", described)
    if not plain or attachment.relationship not in RELATIONSHIPS or not STAMP.fullmatch(stamp):
        raise ShapeError(f"The attachment {attachment.name!r} has a name, description or date outside the allowed set.")
    data = zlib.compress(attachment.content, 9) if compress else attachment.content
    if data.endswith((b"\r", b"\n")):  # a reader could take the last byte for a part of the line end that follows
        data, compress = attachment.content, False
    if data.endswith((b"\r", b"\n")):
        raise ShapeError(f"The attachment {attachment.name} must not end in a line end.")
    stream = (
        b"%d 0 obj\n<</Type /EmbeddedFile /Subtype /application#2fjson /Params <</Size %d /CreationDate (%s) "
        b"/ModDate (%s)>>%s /Length %d>>\nstream\n%s\nendstream\nendobj\n"
    ) % (
        number,
        len(attachment.content),
        stamp.encode(),
        stamp.encode(),
        b" /Filter /FlateDecode" if compress else b"",
        len(data),
        data,
    )
    spec = (
        b"%d 0 obj\n<</Type /Filespec /F (%s) /UF (%s) /Desc (%s) /AFRelationship /%s "
        b"/EF <</F %d 0 R /UF %d 0 R>>>>\nendobj\n"
    ) % (number + 1, name, name, described, attachment.relationship.encode(), number, number)
    return stream, spec


def index_objects(number: int, specs: Mapping[str, int]) -> tuple[bytes, bytes]:
    """Object `number`: the names of the attached files; object `number` + 1: the associated files."""
    ordered = sorted(specs.items())
    pairs = b" ".join(b"(%s) %d 0 R" % (name.encode(), spec) for name, spec in ordered)
    files = b" ".join(b"%d 0 R" % spec for _, spec in ordered)
    return (
        b"%d 0 obj\n<</Names [%s]>>\nendobj\n" % (number, pairs),
        b"%d 0 obj\n[%s]\nendobj\n" % (number + 1, files),
    )


def read_revision(data: bytes, xref_at: int) -> Revision:
    """Read the tail of the revision whose cross-reference table starts at `xref_at`. Raises ShapeError."""
    header = re.compile(rb"xref\n0 (\d{1,8})\n").match(data, xref_at)
    if header is None:
        raise ShapeError(f"There is no cross-reference table of one section at byte {xref_at}.")
    size = int(header[1])
    trailer = _TRAILER.match(data, header.end() + 20 * size)
    if trailer is None or int(trailer[1]) != size or int(trailer[6]) != xref_at or size < 8:
        raise ShapeError("The trailer of revision 1 is not the one Assay writes.")
    specs = _read_names(data, _offset(data, header.end(), size - 2), size - 2)
    if not specs:
        raise ShapeError("Revision 1 has no attached files.")
    for expected, offset_of in zip(index_objects(size - 2, specs), (size - 2, size - 1), strict=True):
        if not data.startswith(expected, _offset(data, header.end(), offset_of)):
            raise ShapeError("The list of attached files in revision 1 is not the one Assay writes.")
    first = _stream_header(data, header.end(), next(iter(specs.values())))
    return Revision(
        size=size,
        root=int(trailer[2]),
        info=int(trailer[3]),
        file_id=trailer[4],
        xref_at=xref_at,
        end=trailer.end(),
        stamp=first[3].decode(),
        specs=specs,
    )


def read_attachment(data: bytes, revision: Revision, name: str) -> bytes:
    """The content of the attached file `name` of revision 1. Raises ShapeError when absent, damaged or too large."""
    if name not in revision.specs:
        raise ShapeError(f"The report has no attached file {name}.")
    entries = revision.xref_at + len(b"xref\n0 %d\n" % revision.size)
    header = _stream_header(data, entries, revision.specs[name])
    size, length = int(header[2]), int(header[5])
    raw = data[header.end() : header.end() + length]
    if size > MAX_ATTACHMENT_BYTES or not data.startswith(b"\nendstream\nendobj\n", header.end() + length):
        raise ShapeError(f"The attached file {name} is damaged or larger than {MAX_ATTACHMENT_BYTES} bytes.")
    if not header[4]:
        content = raw
    else:
        inflate = zlib.decompressobj()
        try:
            content = inflate.decompress(raw, size + 1)
        except zlib.error as error:
            raise ShapeError(f"The attached file {name} cannot be decompressed.") from error
    if len(content) != size:
        raise ShapeError(f"The attached file {name} is not of the size it states.")
    return content


def update(data: bytes, revision: Revision, attachment: Attachment) -> bytes:
    """The bytes revision 2 appends to `data`: one more attachment, both lists again, table and trailer.

    The attachment is stored as it is: compressed bytes differ between zlib builds, and a verifier regenerates this.
    """
    stream, spec = attachment_objects(revision.size, attachment, stamp=revision.stamp, compress=False)
    specs = {**revision.specs, attachment.name: revision.size + 1}
    names, files = index_objects(revision.size - 2, specs)
    body = stream + spec + names + files
    at = len(data)
    offsets = (at + len(stream) + len(spec), at + len(body) - len(files), at, at + len(stream))  # by object number
    changed = hashlib.sha256(data + attachment.content).hexdigest()[:32].encode()
    table = b"xref\n%d 4\n" % (revision.size - 2) + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = (
        b"trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /ID [<%s> <%s>] /Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    ) % (
        revision.size + 2,
        revision.root,
        revision.info,
        revision.file_id,
        changed,
        revision.xref_at,
        at + len(body),
    )
    return body + table + trailer


def first_attachment(data: bytes, revision: Revision) -> bytes:
    """The content of the attachment that begins where `revision` ends. Raises ShapeError."""
    header = _STREAM.match(data, revision.end)
    if header is None or int(header[1]) != revision.size or header[4]:
        raise ShapeError("What follows revision 1 is not the receipt Assay appends.")
    return data[header.end() : header.end() + int(header[5])]


def table_position(data: bytes) -> tuple[int, bool]:
    """Where the cross-reference table of revision 1 begins, and whether a revision 2 follows. Raises ShapeError."""
    found = _END.search(data, max(0, len(data) - 300))
    if found is None:
        raise ShapeError("The file does not end as a report does: it was cut, added to, or is no report of Assay.")
    return (int(found[1]), True) if found[1] is not None else (int(found[2]), False)


def _offset(data: bytes, entries: int, number: int) -> int:
    entry = _XREF_ENTRY.match(data, entries + 20 * number)
    if entry is None:
        raise ShapeError(f"Object {number} has no entry in the cross-reference table.")
    return int(entry[1])


def _read_names(data: bytes, at: int, number: int) -> dict[str, int]:
    found = _NAMES.match(data, at)
    if found is None or int(found[1]) != number:
        raise ShapeError("The list of attached files is not the one Assay writes.")
    return {name.decode(): int(spec) for name, spec in _PAIR.findall(found[2])}


def _stream_header(data: bytes, entries: int, spec: int) -> re.Match[bytes]:
    found = _SPEC.match(data, _offset(data, entries, spec))
    if found is None or int(found[1]) != spec:
        raise ShapeError("A file specification is not the one Assay writes.")
    number = int(found[2])
    header = _STREAM.match(data, _offset(data, entries, number))
    if header is None or int(header[1]) != number:
        raise ShapeError("An attached file is not stored the way Assay writes it.")
    return header
