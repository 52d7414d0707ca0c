"""Writes GGUF files for the tests: the header as the format has it, byte by byte."""

import struct
from dataclasses import dataclass
from typing import Any

KINDS = {
    "u8": (0, "<B"), "i8": (1, "<b"), "u16": (2, "<H"), "i16": (3, "<h"), "u32": (4, "<I"), "i32": (5, "<i"),
    "f32": (6, "<f"), "bool": (7, "<?"), "u64": (10, "<Q"), "i64": (11, "<q"), "f64": (12, "<d"),
}  # fmt: skip
Pair = tuple[str, str, Any]


@dataclass(frozen=True)
class Stored:
    """A tensor to write: number of its type, values and bytes of a block of it."""

    name: str
    shape: tuple[int, ...]
    kind: int = 1
    block: int = 1
    size: int = 2

    @property
    def values(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def bytes(self) -> int:
        return self.values // self.block * self.size


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind: str, content: Any) -> bytes:
    """A value with its type; `kind` of an array is that of its items with `[]` behind it."""
    if kind.endswith("[]"):
        inner = kind[:-2]
        number = 8 if inner == "str" else KINDS[inner][0]
        items = b"".join(string(item) if inner == "str" else struct.pack(KINDS[inner][1], item) for item in content)
        return struct.pack("<IIQ", 9, number, len(content)) + items
    if kind == "str":
        return struct.pack("<I", 8) + string(content)
    number, form = KINDS[kind]
    return struct.pack("<I", number) + struct.pack(form, content)


def written(pairs: list[Pair], tensors: list[Stored], *, version: int = 3, alignment: int = 32) -> bytes:
    """A header; its tensors follow each other as the format wants."""
    parts = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(pairs))]
    parts += [string(key) + value(kind, content) for key, kind, content in pairs]
    offset = 0
    for tensor in tensors:
        parts.append(string(tensor.name) + struct.pack("<I", len(tensor.shape)))
        parts.append(b"".join(struct.pack("<Q", length) for length in tensor.shape))
        parts.append(struct.pack("<IQ", tensor.kind, offset))
        offset += -(-tensor.bytes // alignment) * alignment
    return b"".join(parts)


HIDDEN, HEADS, KV_HEADS, LAYERS, WIDTH, VOCABULARY = 256, 8, 2, 2, 512, 320


def llama_pairs(**other: Pair | None) -> list[Pair]:
    """The pairs of a small Llama; `other` replaces a pair by the last word of its key, or takes it out."""
    pairs: list[Pair] = [
        ("general.architecture", "str", "llama"),
        ("general.file_type", "u32", 15),
        ("general.license", "str", "apache-2.0"),
        ("llama.block_count", "u32", LAYERS),
        ("llama.context_length", "u32", 4096),
        ("llama.embedding_length", "u32", HIDDEN),
        ("llama.feed_forward_length", "u32", WIDTH),
        ("llama.attention.head_count", "u32", HEADS),
        ("llama.attention.head_count_kv", "u32", KV_HEADS),
        ("llama.rope.freq_base", "f32", 10000.0),
        ("tokenizer.ggml.tokens", "str[]", [f"t{number}" for number in range(VOCABULARY)]),
        ("tokenizer.ggml.scores", "f32[]", [0.5] * VOCABULARY),
    ]
    kept = [pair for pair in pairs if pair[0].rpartition(".")[2] not in other]
    return kept + [pair for pair in other.values() if pair is not None]


def llama_tensors(*, tied: bool = False) -> list[Stored]:
    """The tensors of that Llama: matrices as Q4_K, norms as F32."""

    def matrix(name: str, columns: int, rows: int) -> Stored:
        return Stored(name, (columns, rows), kind=12, block=256, size=144)

    def norm(name: str) -> Stored:
        return Stored(name, (HIDDEN,), kind=0, size=4)

    found = [matrix("token_embd.weight", HIDDEN, VOCABULARY)]
    key_width = HIDDEN // HEADS * KV_HEADS
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        found += [norm(f"{block}.attn_norm.weight"), norm(f"{block}.ffn_norm.weight")]
        found += [matrix(f"{block}.attn_{name}.weight", HIDDEN, HIDDEN) for name in ("q", "output")]
        found += [matrix(f"{block}.attn_{name}.weight", HIDDEN, key_width) for name in ("k", "v")]
        found += [matrix(f"{block}.ffn_{name}.weight", HIDDEN, WIDTH) for name in ("gate", "up")]
        found.append(matrix(f"{block}.ffn_down.weight", WIDTH, HIDDEN))
    found.append(norm("output_norm.weight"))
    return found if tied else [*found, matrix("output.weight", HIDDEN, VOCABULARY)]


def llama(**other: Pair | None) -> bytes:
    """The header of a small Llama."""
    return written(llama_pairs(**other), llama_tensors())
