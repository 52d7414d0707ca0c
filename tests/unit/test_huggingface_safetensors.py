"""Safetensors index and header: sizes as stored, and files that lie refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.formats.safetensors import HEADER_LIMIT, read_header, read_index
from governance.formats.strict_json import FormatError

INDEX: dict[str, Any] = {
    "metadata": {"total_size": 16060522496},
    "weight_map": {"a.weight": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors"},
}
HEADER: dict[str, Any] = {
    "__metadata__": {"format": "pt"},
    "a.weight": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [0, 16]},
    "b.weight": {"dtype": "F32", "shape": [3], "data_offsets": [16, 28]},
    "c.weight": {"dtype": "F4", "shape": [8], "data_offsets": [28, 32]},
}


def packed(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


def test_an_index_gives_bytes_tensors_and_files() -> None:
    found = read_index(json.dumps(INDEX).encode())
    assert (found.total_bytes, found.tensors) == (16060522496, 2)
    assert found.files == ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def test_a_header_gives_bytes_and_values() -> None:
    found = read_header(packed(HEADER) + b"data that is not read")
    assert (found.total_bytes, found.parameters, found.tensors) == (32, 19, 3)
    assert found.by_dtype == {"BF16": 16, "F32": 12, "F4": 4}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": None}, "metadata.total_size"),
        ({"metadata": {}}, "metadata.total_size"),
        ({"metadata": {"total_size": "5"}}, "total_size"),
        ({"metadata": {"total_size": 0}}, "total_size"),
        ({"metadata": {"total_size": 16060522496.0}}, "total_size"),
        ({"weight_map": None}, "weight_map"),
        ({"weight_map": {}}, "weight_map"),
        ({"weight_map": {"a": 5}}, "weight_map"),
        ({"weight_map": {"a": "../../etc/passwd"}}, "weight_map"),
        ({"weight_map": {"a": "model.bin"}}, "weight_map"),
        ({"weight_map": {"a": ".hidden.safetensors"}}, "weight_map"),
    ],
)
def test_an_index_that_cannot_be(change: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_index(json.dumps({**INDEX, **change}).encode())
    assert caught.value.field == field


@pytest.mark.parametrize(
    "change",
    [
        {"a.weight": 5},
        {"a.weight": {"dtype": "BF17", "shape": [4, 2], "data_offsets": [0, 16]}},
        {"a.weight": {"dtype": "BF16", "shape": [4, 3], "data_offsets": [0, 16]}},
        {"a.weight": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [16, 0]}},
        {"a.weight": {"dtype": "BF16", "shape": [4, 2], "data_offsets": [0]}},
        {"a.weight": {"dtype": "BF16", "shape": [-4, -2], "data_offsets": [0, 16]}},
        {"a.weight": {"dtype": "BF16", "shape": [True, 8], "data_offsets": [0, 16]}},
        {"a.weight": {"dtype": "BF16", "shape": [2**40, 2**40], "data_offsets": [0, 16]}},
        {"a.weight": {"dtype": "BF16", "shape": "8", "data_offsets": [0, 16]}},
        {"b.weight": {"dtype": "F32", "shape": [3], "data_offsets": [20, 32]}},
        {"b.weight": {"dtype": "F32", "shape": [3], "data_offsets": [4, 16]}},
    ],
)
def test_a_header_that_lies(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        read_header(packed({**HEADER, **change}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 7,
        (5).to_bytes(8, "little"),
        (HEADER_LIMIT + 1).to_bytes(8, "little") + b"{}",
        (2**63).to_bytes(8, "little"),
        packed({}),
        packed({"__metadata__": {}}),
        packed([]),
    ],
)
def test_bytes_that_are_no_header(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_header(data)


@given(st.binary(max_size=200))
def test_no_bytes_make_another_error(data: bytes) -> None:
    for read in (read_index, read_header):
        with pytest.raises(FormatError):
            read(data)
