"""Arrays as parameters of a statement, in PostgreSQL's binary form (source: src/backend/utils/adt/arrayfuncs.c,
`array_recv`): dimensions, flags, element type, length, lower bound, then each element behind its length.

Written by hand because psycopg adapts a list item by item as text, which cost more than the statement itself.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from psycopg import Cursor
from psycopg.adapt import Dumper
from psycopg.pq import Format

_head = struct.Struct(">iiiii").pack
_empty_head = struct.Struct(">iii").pack


class _Kind(NamedTuple):
    """Object identifiers of an element and of its array (src/include/catalog/pg_type.dat)."""

    element: int
    array: int


class _Array(bytes):
    """An array ready to be sent."""


class Int8s(_Array):
    """int8[]"""


class Byteas(_Array):
    """bytea[]"""


class Texts(_Array):
    """text[]"""


class Uuids(_Array):
    """uuid[]"""


class Moments(_Array):
    """timestamptz[]"""


_KINDS: Final[dict[type[_Array], _Kind]] = {
    Int8s: _Kind(20, 1016),
    Byteas: _Kind(17, 1001),
    Texts: _Kind(25, 1009),
    Uuids: _Kind(2950, 2951),
    Moments: _Kind(1184, 1185),
}


def _dumper(kind: _Kind) -> type[Dumper]:
    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = kind.array

        def dump(self, obj: _Array) -> bytes:
            return bytes(obj)

    return ArrayDumper


def array(form: type[_Array], fields: Sequence[bytes]) -> _Array:
    """The array of elements that are given as fields of `rows`: each behind its length."""
    element = _KINDS[form].element
    if not fields:
        return form(_empty_head(0, 0, element))
    return form(_head(1, 0, element, len(fields), 1) + b"".join(fields))


_DUMPERS: Final = {form: _dumper(kind) for form, kind in _KINDS.items()}


def teach(cursor: Cursor[tuple[object, ...]]) -> None:
    """Let this cursor take arrays of this module as parameters."""
    for form, dumper in _DUMPERS.items():
        cursor.adapters.register_dumper(form, dumper)
