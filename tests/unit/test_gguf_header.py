"""GGUF headers: what is written is read, and bytes that lie are refused before anything is made of them."""

import struct
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.formats import ggufheader
from governance.formats.ggufheader import Array, HeaderCutShort, read_gguf_header
from governance.formats.strict_json import MAX_INTEGER, FormatError
from tests.unit.gguf_writer import KINDS, Pair, Stored, llama, string, written

WHOLE = {kind: form for kind, (_number, form) in KINDS.items() if kind not in {"f32", "f64", "bool"}}


def bounds(form: str) -> tuple[int, int]:
    bits = 8 * struct.calcsize(form)
    return (0, 2**bits - 1) if form[-1].isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def whole() -> st.SearchStrategy[tuple[str, int]]:
    return st.sampled_from(sorted(WHOLE)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.integers(*bounds(WHOLE[kind])))
    )


LETTERS = "abcxyz._0189日é"
NAMES = st.text(LETTERS, min_size=1, max_size=20)
VALUES = st.one_of(
    whole(),
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("f32"), st.floats(width=32)),
    st.tuples(st.just("f64"), st.floats()),
    st.tuples(st.just("str"), st.text(LETTERS, max_size=60)),
    st.tuples(st.just("str[]"), st.lists(st.text(LETTERS, max_size=10), max_size=20)),
    st.tuples(st.just("u16[]"), st.lists(st.integers(0, 2**16 - 1), max_size=20)),
    st.tuples(st.just("f64[]"), st.lists(st.floats(), max_size=20)),
)
TENSORS = st.builds(
    lambda name, rows, columns, kind: Stored(name, (columns * kind[1], *rows), *kind),
    NAMES,
    st.lists(st.integers(1, 9), max_size=3),
    st.integers(1, 5),
    st.sampled_from([(0, 1, 4), (1, 1, 2), (8, 32, 34), (12, 256, 144), (39, 32, 17)]),
)
FILES = st.tuples(
    st.dictionaries(NAMES.filter(lambda name: name != "general.alignment"), VALUES, max_size=8),
    st.lists(TENSORS, max_size=6, unique_by=lambda tensor: tensor.name),
    st.sampled_from([2, 3]),
)


@given(FILES)
def test_what_is_written_is_read(file: tuple[dict[str, tuple[str, object]], list[Stored], int]) -> None:
    values, tensors, version = file
    pairs: list[Pair] = [(key, kind, content) for key, (kind, content) in values.items()]
    data = written(pairs, tensors, version=version)
    found = read_gguf_header(data + b"the tensors' data")
    expected: dict[str, object] = {}
    for key, kind, content in pairs:
        if kind.endswith("[]"):
            expected[key] = Array(len(content))
        elif kind not in {"f32", "f64"}:
            expected[key] = content
    assert (found.version, found.pairs, found.header_bytes) == (version, expected, len(data))
    assert [(tensor.name, tensor.shape, tensor.values, tensor.bytes) for tensor in found.tensors] == [
        (tensor.name, tensor.shape, tensor.values, tensor.bytes) for tensor in tensors
    ]
    padded = sum(-(-tensor.bytes // 32) * 32 for tensor in tensors)
    assert found.file_bytes == -(-len(data) // 32) * 32 + padded


def test_every_cut_says_how_much_is_needed() -> None:
    data = llama()
    for length in range(len(data)):
        with pytest.raises(HeaderCutShort) as caught:
            read_gguf_header(data[:length])
        assert length < caught.value.needed <= len(data)
        assert str(caught.value.needed) in caught.value.reason
    assert read_gguf_header(data).header_bytes == len(data)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, told: bool) -> None:
    try:
        read_gguf_header(b"GGUF\x03\x00\x00\x00" + data if told else data)
    except FormatError as error:
        assert error.reason


@settings(max_examples=300)
@given(st.data())
def test_a_changed_byte_is_read_or_refused(draw: st.DataObject) -> None:
    data = bytearray(llama())
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        read_gguf_header(bytes(data))
    except FormatError as error:
        assert error.reason


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def pair(key: str, kind: int, content: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string(key) + struct.pack("<I", kind) + content


def tensor(name: bytes, content: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + u64(len(name)) + name + content


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04", "not a GGUF file"),
        (b"GGU!", "not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 1), "version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(16), "big-endian"),
        (b"GGUF" + struct.pack("<I", 4) + bytes(16), "version 4"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0), f"{2**63} tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**64 - 1), f"{2**64 - 1} key/value pairs"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + u64(2**64 - 1), "has a name of"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + u64(0), "has a name of 0 bytes"),
        (pair("k", 8, u64(2**64 - 1)), "goes on to byte"),
        (pair("k", 8, u64(2) + b"\xff\xfe"), "not UTF-8"),
        (pair("k", 13, bytes(8)), "which GGUF does not have"),
        (pair("k", 9, struct.pack("<IQ", 9, 1) + bytes(50)), "array of type 9"),
        (pair("k", 9, struct.pack("<IQ", 8, 2**64 - 1)), "goes on to byte"),
        (pair("k", 9, struct.pack("<IQ", 10, 2**61)), "goes on to byte"),
        (pair("k", 9, struct.pack("<IQ", 8, 2) + u64(2**64 - 1) + bytes(8)), "goes on to byte"),
        (pair("k\n", 0, b"\x00"), "characters that no name has"),
        (pair("general.alignment", 4, struct.pack("<I", 24)), "power of two"),
        (pair("general.alignment", 4, struct.pack("<I", 0)), "power of two"),
        (tensor(b"t", struct.pack("<I", 5)), "5 dimensions"),
        (tensor(b"t", struct.pack("<IQIQ", 1, 32, 4, 0)), "of type 4"),
        (tensor(b"t", struct.pack("<IQIQ", 1, 33, 8, 0)), "Q8_0 cannot have"),
        (tensor(b"t", struct.pack("<IQIQ", 1, 0, 0, 0)), "F32 cannot have"),
        (tensor(b"t", struct.pack("<IQQIQ", 2, 2**63, 2**63, 0, 0)), "F32 cannot have"),
        (tensor(b"t", struct.pack("<IQIQ", 1, 32, 0, 64)), "begins at byte 64"),
        (tensor(b"t", struct.pack("<IQIQ", 1, MAX_INTEGER, 0, 0)), "more data than any file"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read_gguf_header(data)
    assert not isinstance(caught.value, HeaderCutShort)


def test_equal_names_are_refused() -> None:
    with pytest.raises(FormatError, match="'k' twice"):
        read_gguf_header(written([("k", "u8", 1), ("k", "u8", 2)], []))
    with pytest.raises(FormatError, match="'t' twice"):
        read_gguf_header(written([], [Stored("t", (4,)), Stored("t", (4,))]))


def test_a_number_of_strings_is_held_against_the_bytes_that_are_there() -> None:
    data = pair("k", 9, struct.pack("<IQ", 8, 3) + string("one") + string("two"))
    with pytest.raises(HeaderCutShort) as caught:
        read_gguf_header(data)
    assert len(data) < caught.value.needed <= len(data) + 8
    assert read_gguf_header(data + string("")).pairs == {"k": Array(3)}


def test_a_vocabulary_is_stepped_over_and_never_built() -> None:
    data = pair("tokens", 9, struct.pack("<IQ", 8, 1_000_000)) + u64(0) * 1_000_000
    tracemalloc.start()
    begun = time.perf_counter()
    found = read_gguf_header(data)
    taken = time.perf_counter() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.pairs == {"tokens": Array(1_000_000)}
    assert peak < 100_000
    assert taken < 20


def test_a_long_text_is_left_out() -> None:
    found = read_gguf_header(written([("template", "str", "x" * 5000), ("k", "u8", 7)], []))
    assert found.pairs == {"k": 7}


def test_nothing_behind_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = llama()
    monkeypatch.setattr(ggufheader, "HEADER_LIMIT", len(data) - 1)
    with pytest.raises(FormatError, match="at most") as caught:
        read_gguf_header(data)
    assert not isinstance(caught.value, HeaderCutShort)
