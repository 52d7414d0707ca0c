"""What a file of a model is, judged by its name and its first bytes."""

from typing import Final

_TOKENIZER: Final = frozenset(
    {"vocab.json", "vocab.txt", "merges.txt", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"}
)
_CONFIG: Final = frozenset({"config.json", "generation_config.json", "adapter_config.json", "params.json"})
_PICKLES: Final = (".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_PICKLED_NAMES: Final = ("pytorch_model", "adapter_model", "training_args", "optimizer", "scheduler")
_PICKLE: Final = 0x80
_ZIP: Final = b"PK\x03\x04"


def judged(path: str, start: bytes = b"") -> tuple[str, str]:
    """Kind and format of the file at `path`, in the words of the registry.

    Args:
        start: its first bytes; a `.bin` that begins like a pickle, or like the archive PyTorch writes, is one.
    """
    name = path.rpartition("/")[2].lower()
    form = _format(name, start)
    return _kind(name, form), form


def _format(name: str, start: bytes) -> str:
    for ending, form in ((".safetensors", "safetensors"), (".gguf", "gguf"), (".onnx", "onnx"), (".json", "json")):
        if name.endswith(ending):
            return form
    if name.endswith(_PICKLES):
        return "pytorch_pickle"
    if name.endswith(".bin"):
        pickled = name.startswith(_PICKLED_NAMES) or start.startswith(_ZIP) or start[:1] == bytes([_PICKLE])
        return "pytorch_pickle" if pickled else "bin"
    return "other"


def _kind(name: str, form: str) -> str:
    if name in _CONFIG:
        return "config"
    if name.endswith(".index.json"):
        return "index"
    if name in _TOKENIZER or name.startswith("tokenizer") or name.endswith((".tiktoken", ".model")):
        return "tokenizer"
    if name == "readme.md":
        return "card"
    if name.startswith("adapter_model"):
        return "adapter"
    weighs = form in {"safetensors", "gguf", "onnx"} or name.startswith("pytorch_model")
    return "weights" if weighs or (form == "pytorch_pickle" and not name.startswith(_PICKLED_NAMES)) else "other"
