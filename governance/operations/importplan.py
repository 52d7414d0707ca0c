"""Which files of a repository are fetched, in which order, and what they make: a model's files or an adapter's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from governance.formats import ggufheader, huggingface, modelcard, peft, safetensors
from governance.formats.ggufheader import HeaderCutShort
from governance.formats.strict_json import FormatError
from governance.operations.adapterfolder import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from governance.operations.importfetch import Fetcher, FetchRefused, Got, NotThere
from governance.operations.modelfiles import CARD, CONFIG, HEADER, INDEX, ModelFiles

FIRST_GGUF: Final = 1 << 20
_LENGTH: Final = 8

Tell = Callable[[str], None]
"""Told the name of each file before it is fetched; raises when it shall not be."""


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """The files of an adapter as they were fetched."""

    config: bytes
    header: bytes | None
    card: bytes | None


def fetch_files(fetcher: Fetcher, folder: str, *, gguf: str, tell: Tell) -> ModelFiles | AdapterFiles:
    """The files under `folder`. With `gguf`, that file and the card.

    Raises:
        FetchRefused: something that is needed is not there, not allowed, or not in time.
    """
    if gguf:
        tell(gguf)
        got = _gguf(fetcher, folder + gguf)
        return ModelFiles(gguf=got.body, gguf_bytes=got.total, card=_card(fetcher, folder, tell))
    tell(ADAPTER_CONFIG)
    adapter = _maybe(fetcher, folder + ADAPTER_CONFIG, peft.ADAPTER_LIMIT)
    if adapter is not None:
        tell(ADAPTER_WEIGHTS)
        header = _header(fetcher, folder + ADAPTER_WEIGHTS)
        return AdapterFiles(config=adapter, header=header, card=_card(fetcher, folder, tell))
    tell(CONFIG)
    config = _maybe(fetcher, folder + CONFIG, huggingface.CONFIG_LIMIT)
    if config is None:
        raise FetchRefused(f"There is neither {CONFIG} nor {ADAPTER_CONFIG} at this address; or name a GGUF file.")
    tell(INDEX)
    index = _maybe(fetcher, folder + INDEX, safetensors.INDEX_LIMIT)
    header = None
    if index is None:
        tell(HEADER)
        header = _header(fetcher, folder + HEADER)
    return ModelFiles(config=config, index=index, header=header, card=_card(fetcher, folder, tell))


def _card(fetcher: Fetcher, folder: str, tell: Tell) -> bytes | None:
    """The model card; one without front matter says nothing, and is as good as none."""
    tell(CARD)
    card = _maybe(fetcher, folder + CARD, modelcard.CARD_LIMIT)
    return card if card is not None and card.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"---") else None


def _maybe(fetcher: Fetcher, url: str, limit: int) -> bytes | None:
    try:
        return fetcher.whole(url, limit=limit).body
    except NotThere:
        return None


def _header(fetcher: Fetcher, url: str) -> bytes | None:
    """Length and header of a safetensors file: its first 8 + N bytes, and no more."""
    try:
        length = int.from_bytes(fetcher.start(url, length=_LENGTH).body, "little")
    except NotThere:
        return None
    if length > safetensors.HEADER_LIMIT:
        raise FetchRefused(f"The safetensors file says that its header has {length} bytes; that is none.")
    return fetcher.start(url, length=_LENGTH + length).body


def _gguf(fetcher: Fetcher, url: str) -> Got:
    """As much of a GGUF file as its header needs: each answer that is too short says how much that is."""
    wanted = FIRST_GGUF
    while True:
        got = fetcher.start(url, length=wanted)
        try:
            ggufheader.read_gguf_header(got.body)
        except HeaderCutShort as short:
            if len(got.body) < wanted or wanted >= ggufheader.HEADER_LIMIT:
                return got  # the reader of the format says what is wrong with it
            wanted = min(max(short.needed, 2 * wanted), ggufheader.HEADER_LIMIT)
        except FormatError:
            return got
        else:
            return got
