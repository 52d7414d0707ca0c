"""Safetensors: the index of a model cut into files, and the header of one file.

A file starts with the length of its header (8 bytes, little-endian), then the header: a JSON object that
names each tensor with dtype, shape and the half-open byte range of its data. Ranges must follow each other
without a hole, which is what keeps a file from hiding data between tensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

from governance.formats.strict_json import MAX_INTEGER, FormatError, integer, mapping, read_object, text

INDEX_LIMIT: Final = 32 << 20
HEADER_LIMIT: Final = 32 << 20
MAX_TENSORS: Final = 500_000

# Bits of one value; the sub-byte ones came with format 0.6.
_BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index: bytes of all tensors, how many there are, and the files that hold them, in order."""

    total_bytes: int
    tensors: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """A header: bytes and number of all values, and bytes by dtype."""

    total_bytes: int
    parameters: int
    tensors: int
    by_dtype: Mapping[str, int]


def read_index(data: bytes) -> IndexFacts:
    """The facts in a `model.safetensors.index.json`.

    Raises:
        FormatError: not such a file; `field` says where.
    """
    root = read_object(data, name="model.safetensors.index.json", limit=INDEX_LIMIT)
    metadata = mapping(root, "metadata")
    total = integer(metadata, "total_size", low=1) if metadata is not None else None
    if total is None:
        raise FormatError("metadata.total_size", "is missing.")
    weights = mapping(root, "weight_map")
    if not weights:
        raise FormatError("weight_map", "is missing or empty.")
    if len(weights) > MAX_TENSORS:
        raise FormatError("weight_map", f"names {len(weights)} tensors; at most {MAX_TENSORS} are read.")
    files = {_file(value) for value in weights.values()}
    return IndexFacts(total_bytes=total, tensors=len(weights), files=tuple(sorted(files)))


def read_header(data: bytes) -> HeaderFacts:
    """The facts in the first bytes of a `.safetensors` file: its length and header, not the data after them.

    Raises:
        FormatError: not such a header; `field` is the tensor or the file.
    """
    if len(data) < 8:
        raise FormatError("safetensors header", "is cut short.")
    length = int.from_bytes(data[:8], "little")
    if length > HEADER_LIMIT:
        raise FormatError("safetensors header", f"says it is {length} bytes; at most {HEADER_LIMIT} are read.")
    if len(data) < 8 + length:
        raise FormatError("safetensors header", "is cut short.")
    root = read_object(data[8 : 8 + length], name="safetensors header", limit=HEADER_LIMIT)
    root.pop("__metadata__", None)
    if not root or len(root) > MAX_TENSORS:
        raise FormatError("safetensors header", f"must name 1 to {MAX_TENSORS} tensors.")
    ranges, by_dtype, parameters = [], dict[str, int](), 0
    for name, value in root.items():
        dtype, count, begin, end = _tensor(name, value)
        ranges.append((begin, end))
        by_dtype[dtype] = by_dtype.get(dtype, 0) + end - begin
        parameters += count
    return HeaderFacts(
        total_bytes=_without_holes(ranges), parameters=parameters, tensors=len(ranges), by_dtype=by_dtype
    )


def _file(value: object) -> str:
    name = text({"weight_map": value}, "weight_map")
    if not name.endswith(".safetensors") or "/" in name or "\\" in name or name.startswith("."):
        raise FormatError("weight_map", f"{name[:80]!r} is not the name of a .safetensors file beside the index.")
    return name


def _tensor(name: str, value: object) -> tuple[str, int, int, int]:
    field = name[:80]
    if not isinstance(value, dict):
        raise FormatError(field, "must be an object.")
    dtype = text(value, "dtype")
    if dtype not in _BITS:
        raise FormatError(field, f"dtype {dtype[:20]!r} is not one of safetensors.")
    shape = _whole_numbers(value.get("shape"), field, "shape")
    offsets = _whole_numbers(value.get("data_offsets"), field, "data_offsets")
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise FormatError(field, "data_offsets must be a begin and an end.")
    count = prod(shape)
    if count > MAX_INTEGER or count * _BITS[dtype] != 8 * (offsets[1] - offsets[0]):
        raise FormatError(field, "shape, dtype and data_offsets do not agree.")
    return dtype, count, offsets[0], offsets[1]


def _whole_numbers(value: object, field: str, key: str) -> list[int]:
    if not isinstance(value, list) or len(value) > 16:
        raise FormatError(field, f"{key} must be a short list of whole numbers.")
    found = []
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item <= MAX_INTEGER:
            raise FormatError(field, f"{key} must be a short list of whole numbers.")
        found.append(item)
    return found


def _without_holes(ranges: list[tuple[int, int]]) -> int:
    at = 0
    for begin, end in sorted(ranges):
        if begin != at:
            raise FormatError("safetensors header", f"leaves bytes {at} to {begin} to no tensor, or gives them twice.")
        at = end
    return at
