"""The full hash tiles that an append completes (c2sp.org/tlog-tiles, tiles of height 8)."""

from collections.abc import Sequence

from psycopg import Cursor

from audit.tlog.tree import Partial, RightEdge, Tile, extend_tiles, partials_needed


def grow(cursor: Cursor[tuple[object, ...]], edge: RightEdge, hashes: Sequence[bytes]) -> tuple[RightEdge, list[Tile]]:
    """The tree after `hashes`, and the tiles of all levels that became full on the way.

    Raises:
        audit.tlog.tree.TreeError: what the database holds of a begun tile is not of this tree.
    """
    begun = {partial.level: b"".join(_stored(cursor, partial)) for partial in partials_needed(edge.size, len(hashes))}
    return extend_tiles(edge, begun, hashes)


def _stored(cursor: Cursor[tuple[object, ...]], partial: Partial) -> list[bytes]:
    """The hashes right of the last full tile on a level: leaf hashes, or roots of full tiles below it."""
    end = partial.start + partial.width
    if partial.level == 0:
        statement = b"SELECT leaf_hash FROM entry WHERE index >= %s AND index < %s ORDER BY index"
        cursor.execute(statement, [partial.start, end], prepare=True, binary=True)
    else:
        statement = b"SELECT root FROM tile WHERE level = %s AND n >= %s AND n < %s ORDER BY n"
        cursor.execute(statement, [partial.level - 1, partial.start, end], prepare=True, binary=True)
    return [row[0] for row in cursor.fetchall() if isinstance(row[0], bytes)]
