"""Rows of the ledger made from a folder's leaves and lines, for the ledger's own COPY."""

from uuid import UUID

from audit.ledger import rows
from audit.tlog.encoding import HASH_SIZE, decode_base64
from audit.tlog.leaf import Leaf
from audit.tlog.linefile import Line
from audit.tlog.section import opens
from audit.tlog.tree import Tile
from audit.transfer.reading import ImportRefused


def entry_row(index: int, entry: bytes, hashed: bytes, leaf: Leaf) -> bytes:
    """A row of `entry`: the leaf, and the columns copied from it. Raises ImportRefused."""
    blob, text = rows.blob, str.encode
    try:
        event_id = UUID(leaf.id)
    except ValueError:
        raise ImportRefused(f"Entry {index} has an id that this program never gives.") from None
    fields = (leaf.type, leaf.source, leaf.subject, leaf.actor)
    return b"".join(
        (
            rows.bigint(index),
            blob(entry),
            blob(hashed),
            blob(event_id.bytes),
            *(blob(text(field)) for field in fields),
            rows.moment(leaf.occurred_at),
            rows.moment(leaf.received_at),
        )
    )


def section_row(index: int, name: str, line: Line, leaf: Leaf) -> bytes:
    """A row of `section`, once it opens its commitment. Raises ImportRefused, EncodingError, SectionError."""
    salt, body = decode_base64(line.text("salt"), "salt"), decode_base64(line.text("body"), "section")
    said = leaf.sections.get(name)
    if said is None or not opens(said.commitment, salt, leaf.origin, leaf.id, name, body):
        raise ImportRefused(f"Section {name} of entry {index} is not what was recorded.")
    blob = rows.blob
    return rows.bigint(index) + blob(name.encode()) + blob(salt) + blob(body) + blob(said.media.encode())


def key_row(line: Line) -> bytes:
    """A row of `event_key`. Raises ImportRefused, EncodingError."""
    key, content = decode_base64(line.text("key"), "event key"), decode_base64(line.text("content"), "digest")
    if (len(key), len(content)) != (HASH_SIZE, HASH_SIZE):
        raise ImportRefused(f"The event key of entry {line.number('index')} is not two digests of {HASH_SIZE} bytes.")
    return rows.blob(key) + rows.bigint(line.number("index")) + rows.blob(content)


def tile_row(tile: Tile) -> bytes:
    """A row of `tile`."""
    return rows.smallint(tile.level) + rows.bigint(tile.n) + rows.blob(tile.data) + rows.blob(tile.root)
