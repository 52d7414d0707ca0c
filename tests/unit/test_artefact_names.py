"""What a file of a model is, by its name and first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.formats.artefacts import judged

KINDS = {"weights", "adapter", "tokenizer", "config", "index", "card", "other"}
FORMATS = {"safetensors", "gguf", "onnx", "pytorch_pickle", "bin", "json", "other"}


@pytest.mark.parametrize(
    ("name", "start", "kind", "form"),
    [
        ("model-00001-of-00002.safetensors", b"", "weights", "safetensors"),
        ("sub/adapter_model.safetensors", b"", "adapter", "safetensors"),
        ("adapter_model.bin", b"", "adapter", "pytorch_pickle"),
        ("pytorch_model.bin", b"", "weights", "pytorch_pickle"),
        ("consolidated.00.pth", b"", "weights", "pytorch_pickle"),
        ("weights.bin", b"PK\x03\x04", "weights", "pytorch_pickle"),
        ("weights.bin", b"\x80\x02", "weights", "pytorch_pickle"),
        ("weights.bin", b"\x00", "other", "bin"),
        ("training_args.bin", b"", "other", "pytorch_pickle"),
        ("model.Q4_K_M.GGUF", b"", "weights", "gguf"),
        ("model.onnx", b"", "weights", "onnx"),
        ("model.safetensors.index.json", b"", "index", "json"),
        ("config.json", b"", "config", "json"),
        ("tokenizer.json", b"", "tokenizer", "json"),
        ("tokenizer.model", b"", "tokenizer", "other"),
        ("merges.txt", b"", "tokenizer", "other"),
        ("README.md", b"", "card", "other"),
        ("LICENSE", b"", "other", "other"),
    ],
)
def test_known_names(name: str, start: bytes, kind: str, form: str) -> None:
    assert judged(name, start) == (kind, form)


@given(st.text(max_size=30), st.binary(max_size=8))
def test_every_name_is_something(name: str, start: bytes) -> None:
    kind, form = judged(name, start)
    assert (kind in KINDS, form in FORMATS) == (True, True)
