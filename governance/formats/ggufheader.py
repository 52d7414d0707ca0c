"""The header of a GGUF file: its key/value pairs and the list of its tensors, read without the data after it.

All numbers are little-endian. After magic and version come the number of tensors and of pairs; a pair is a key,
a type and a value; a tensor is a name, its dimensions, a type and the offset of its data. Every length has 64
bits and is held against the bytes that are there before anything is read, and arrays (the vocabulary) are
stepped over: what is kept of a file grows with its pairs and tensors, which are counted and capped first.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

from governance.formats.strict_json import MAX_INTEGER, FormatError

HEADER_LIMIT: Final = 32 << 20
MAX_PAIRS: Final = 10_000
MAX_TENSORS: Final = 100_000
MAX_NAME: Final = 512
MAX_KEPT: Final = 2_000
NAME: Final = "GGUF header"

_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")
_ALIGNMENT: Final = 32
_STRING: Final = 8
_ARRAY: Final = 9
# Numbers of the types of values, with what reads one; floats are stepped over like arrays.
_SCALARS: Final = {
    0: struct.Struct("<B"), 1: struct.Struct("<b"), 2: struct.Struct("<H"), 3: struct.Struct("<h"),
    4: struct.Struct("<I"), 5: struct.Struct("<i"), 6: struct.Struct("<f"), 7: struct.Struct("<?"),
    10: struct.Struct("<Q"), 11: struct.Struct("<q"), 12: struct.Struct("<d"),
}  # fmt: skip
_FLOATS: Final = frozenset({6, 12})

# Number of a tensor type: its name, values in a block, bytes of a block (layouts of ggml). Left out are types that
# only stand in memory.
TYPES: Final = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip


class HeaderCutShort(FormatError):
    """The first bytes of a file, but not enough of them.

    Attributes:
        needed: bytes from the start of the file that are needed at least.
    """

    def __init__(self, needed: int, given: int) -> None:
        super().__init__(NAME, f"is cut short: at least the first {needed} bytes of the file are needed, not {given}.")
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Array:
    """An array that was stepped over: how many values it has."""

    length: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: type by name, dimensions as stored, values and bytes."""

    name: str
    type: str
    shape: tuple[int, ...]
    values: int
    bytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A header, read.

    Attributes:
        pairs: keys with their values; floats and long texts are left out.
        header_bytes: length of the header without padding; what its digest is made of.
        file_bytes: length of the whole file as the header has it.
    """

    version: int
    pairs: Mapping[str, int | str | Array]
    tensors: tuple[Tensor, ...]
    header_bytes: int
    file_bytes: int


def read_gguf_header(data: bytes) -> GgufHeader:
    """The header at the start of `data`: a whole GGUF file or its first bytes.

    Raises:
        HeaderCutShort: the header goes on behind the end of `data`.
        FormatError: not such a header; `field` is the key, the tensor or the header.
    """
    cursor = _Cursor(data)
    version = _version(cursor)
    tensors = _counted(cursor, "tensors", MAX_TENSORS)
    pairs = _pairs(cursor, _counted(cursor, "key/value pairs", MAX_PAIRS))
    found, data_bytes = _tensors(cursor, tensors, alignment=_alignment(pairs))
    start = -(-cursor.at // _alignment(pairs)) * _alignment(pairs)
    return GgufHeader(
        version=version, pairs=pairs, tensors=found, header_bytes=cursor.at, file_bytes=start + data_bytes
    )


class _Cursor:
    """Where reading stands. Nothing is read that is not there, and nothing behind the limit."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def step(self, size: int) -> int:
        """Step over `size` bytes, and say where they begin."""
        end = self.at + size
        if end > HEADER_LIMIT:
            raise FormatError(NAME, f"says that it goes on to byte {end}; at most {HEADER_LIMIT} are read.")
        if end > len(self.data):
            raise HeaderCutShort(end, len(self.data))
        start, self.at = self.at, end
        return start

    def u32(self) -> int:
        return int(_U32.unpack_from(self.data, self.step(4))[0])

    def u64(self) -> int:
        return int(_U64.unpack_from(self.data, self.step(8))[0])

    def name(self, what: str) -> str:
        length = self.u64()
        if not 1 <= length <= MAX_NAME:
            raise FormatError(NAME, f"{what} has a name of {length} bytes; 1 to {MAX_NAME} can be.")
        start = self.step(length)
        name = _decoded(self.data[start : self.at], what)
        if not name.isprintable():
            raise FormatError(NAME, f"{what} has a name with characters that no name has.")
        return name

    def step_over_strings(self, count: int) -> None:
        self.step(8 * count)  # each has a length at least; a number that cannot be is refused before the loop
        self.at -= 8 * count
        at, end, unpack = self.at, min(len(self.data), HEADER_LIMIT) - 8, _U64.unpack_from
        for _ in range(count):
            if at > end:
                break
            at += 8 + unpack(self.data, at)[0]
        else:
            self.step(at - self.at)
            return
        self.step(at + 8 - self.at)


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(NAME, f"{what} is not UTF-8.") from error


def _version(cursor: _Cursor) -> int:
    if cursor.data[:4] != b"GGUF"[: len(cursor.data)]:
        raise FormatError(NAME, 'does not begin with "GGUF"; this is not a GGUF file.')
    cursor.step(4)
    version = cursor.u32()
    if version and not version & 0xFFFF:
        raise FormatError(NAME, "is big-endian; only little-endian files are read.")
    if version not in {2, 3}:
        raise FormatError(NAME, f"is of version {version}; versions 2 and 3 are read.")
    return version


def _counted(cursor: _Cursor, what: str, most: int) -> int:
    count = cursor.u64()
    if count > most:
        raise FormatError(NAME, f"says that there are {count} {what}; at most {most} are read.")
    return count


def _pairs(cursor: _Cursor, count: int) -> dict[str, int | str | Array]:
    found: dict[str, int | str | Array] = {}
    seen: set[str] = set()
    for number in range(1, count + 1):
        key = cursor.name(f"key/value pair {number}")
        if key in seen:
            raise FormatError(NAME, f"names {key[:80]!r} twice.")
        seen.add(key)
        value = _value(cursor, key)
        if value is not None:
            found[key] = value
    return found


def _value(cursor: _Cursor, key: str) -> int | str | Array | None:
    kind = cursor.u32()
    if kind == _ARRAY:
        return _array(cursor, key)
    if kind == _STRING:
        length = cursor.u64()
        start = cursor.step(length)
        return _decoded(cursor.data[start : cursor.at], key) if length <= MAX_KEPT else None
    reader = _SCALARS.get(kind)
    if reader is None:
        raise FormatError(key, f"is of type {kind}, which GGUF does not have.")
    start = cursor.step(reader.size)
    return None if kind in _FLOATS else reader.unpack_from(cursor.data, start)[0]


def _array(cursor: _Cursor, key: str) -> Array:
    kind, count = cursor.u32(), cursor.u64()
    if kind == _STRING:
        cursor.step_over_strings(count)
    elif kind in _SCALARS:
        cursor.step(_SCALARS[kind].size * count)
    else:
        raise FormatError(key, f"is an array of type {kind}, which is not read.")
    return Array(count)


def _alignment(pairs: Mapping[str, int | str | Array]) -> int:
    value = pairs.get("general.alignment", _ALIGNMENT)
    if not isinstance(value, int) or not 1 <= value <= 1 << 16 or value & (value - 1):
        raise FormatError("general.alignment", "must be a power of two, at most 65536.")
    return int(value)


def _tensors(cursor: _Cursor, count: int, *, alignment: int) -> tuple[tuple[Tensor, ...], int]:
    found: dict[str, Tensor] = {}
    at = 0
    for number in range(1, count + 1):
        tensor, offset = _tensor(cursor, f"tensor {number}")
        if tensor.name in found:
            raise FormatError(NAME, f"names {tensor.name[:80]!r} twice.")
        if offset != at:
            raise FormatError(tensor.name[:80], f"begins at byte {offset} of the data, not at {at}.")
        at += -(-tensor.bytes // alignment) * alignment
        if at > MAX_INTEGER:
            raise FormatError(NAME, "lists more data than any file holds.")
        found[tensor.name] = tensor
    return tuple(found.values()), at


def _tensor(cursor: _Cursor, what: str) -> tuple[Tensor, int]:
    name = cursor.name(what)
    dimensions = cursor.u32()
    if not 1 <= dimensions <= 4:
        raise FormatError(name[:80], f"has {dimensions} dimensions; 1 to 4 can be.")
    shape = tuple(cursor.u64() for _ in range(dimensions))
    kind, offset = cursor.u32(), cursor.u64()
    if kind not in TYPES:
        raise FormatError(name[:80], f"is of type {kind}, whose size is not known here.")
    type_name, block, size = TYPES[kind]
    values = prod(shape)
    if not 1 <= values <= MAX_INTEGER or shape[0] % block:
        raise FormatError(name[:80], f"has dimensions {shape} that {type_name} cannot have.")
    return Tensor(name=name, type=type_name, shape=shape, values=values, bytes=values // block * size), offset
