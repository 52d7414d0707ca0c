"""Reading what somebody sent about a model: which file gave which fact, and the digest of what was read."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from governance.capacity.facts import ModelFacts
from governance.capacity.parameters import count_parameters
from governance.formats.artefacts import judged
from governance.formats.gguf import GgufFacts, read_gguf
from governance.formats.huggingface import read_config
from governance.formats.modelcard import CardFacts, read_card
from governance.formats.safetensors import read_header, read_index
from governance.formats.strict_json import FormatError
from governance.models import ModelVersion
from governance.operations.artefacts import File
from governance.operations.base import Refused
from governance.operations.lineage import Declared

CONFIG: Final = "config.json"
INDEX: Final = "model.safetensors.index.json"
HEADER: Final = "model.safetensors"
GGUF: Final = "model.gguf"
CARD: Final = "README.md"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model as they were sent.

    Attributes:
        header: the first bytes of the only `.safetensors` file.
        gguf: a GGUF file or its first bytes.
        gguf_bytes: length of the whole GGUF file, where that is known.
    """

    config: bytes | None = None
    index: bytes | None = None
    header: bytes | None = None
    gguf: bytes | None = None
    card: bytes | None = None
    gguf_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """What the files say.

    Attributes:
        params_total, params_active: counted by the formula of the family, or where a list of all tensors was
            read, from that.
        licence, licence_source: what a file says about the licence, and which one.
        told: the files as the entry tells them.
        bases: what the files say it was made from.
        whole: the files that were sent whole; of weights only the header is read, so they are not among them.
    """

    model: ModelFacts
    facts_from: str
    architecture: str
    torch_dtype: str
    params_total: int
    params_active: int
    licence: str
    licence_source: str
    config_sha256: str
    index_sha256: str
    header_sha256: str
    told: tuple[dict[str, object], ...]
    bases: tuple[Declared, ...] = ()
    whole: tuple[File, ...] = ()


def read_files(files: ModelFiles, *, name: str) -> FoundFacts:
    """The facts in `files` about the model called `name`.

    Raises:
        Refused: a file that cannot be, or files that do not go together.
    """
    if files.header is not None:  # of a whole file only length and header are looked at, and their digest is kept
        files = replace(files, header=files.header[: 8 + int.from_bytes(files.header[:8], "little")])
    try:
        card = read_card(files.card) if files.card is not None else None
        found = _from_gguf(files, name) if files.gguf is not None else _from_config(files, name)
    except FormatError as error:
        raise Refused(error.field, error.reason) from error
    if card is None or files.card is None:
        return found
    found = replace(
        found,
        told=(*found.told, _told(CARD, files.card, _card_says(card))),
        bases=(*(Declared(name, card.relation, "card") for name in card.base_models), *found.bases),
        whole=(*found.whole, _whole(CARD, files.card)),
    )
    if not card.licence:
        return found
    return replace(found, licence=card.licence, licence_source=_source(CARD, files.card))


def _from_config(files: ModelFiles, name: str) -> FoundFacts:
    if files.config is None:
        raise Refused("config", "is missing; send config.json, or a GGUF file.")
    config = read_config(files.config, name=name)
    model, weights = config.model, None
    if files.header is not None:
        header = read_header(files.header)
        weights = header.total_bytes
    elif files.index is not None:
        weights = read_index(files.index).total_bytes
    if weights is not None:
        model = replace(model, weight_bytes=weights)
    count = count_parameters(model)
    sent = ((CONFIG, files.config), (INDEX, files.index), (HEADER, files.header))
    return FoundFacts(
        model=model,
        facts_from=ModelVersion.FactsFrom.FILES.value,
        architecture=config.architecture,
        torch_dtype=config.torch_dtype,
        params_total=count.total,
        params_active=count.active,
        licence="",
        licence_source="",
        config_sha256=_sha256(files.config),
        index_sha256=_sha256(files.index),
        header_sha256=_sha256(files.header),
        told=tuple(_told(file, data, {}) for file, data in sent if data is not None),
        whole=tuple(_whole(file, data) for file, data in sent if data is not None and file != HEADER),
    )


def _from_gguf(files: ModelFiles, name: str) -> FoundFacts:
    data = files.gguf or b""
    for field in ("config", "index", "header"):
        if getattr(files, field) is not None:
            raise Refused(field, "belongs to other weights than a GGUF file; send one or the other.")
    facts = read_gguf(data, name=name)
    if files.gguf_bytes is not None and files.gguf_bytes < facts.file_bytes:
        raise Refused("gguf", f"is {files.gguf_bytes} bytes of {facts.file_bytes}; the file is not whole.")
    header = data[: facts.header_bytes]
    count = count_parameters(facts.model)
    active = facts.parameters - (count.total - count.active)
    if active < 1:
        raise Refused("gguf", "lists tensors with fewer values than the experts that it says it has.")
    return FoundFacts(
        model=facts.model,
        facts_from=ModelVersion.FactsFrom.GGUF.value,
        architecture=facts.architecture,
        torch_dtype="",
        params_total=facts.parameters,
        params_active=active,
        licence=facts.licence,
        licence_source=_source(GGUF, header) if facts.licence else "",
        config_sha256="",
        index_sha256="",
        header_sha256=_sha256(header),
        told=(_told(GGUF, header, _gguf_says(facts)),),
        bases=tuple(Declared(base, "", "config") for base in facts.base_models),
        whole=(_whole(GGUF, data),) if len(data) == facts.file_bytes else (),
    )


def _gguf_says(facts: GgufFacts) -> dict[str, object]:
    says: dict[str, object] = {"tensor_bytes": dict(facts.by_type), "file_bytes": facts.file_bytes}
    return says | _said((("licence", facts.licence), ("base_models", facts.base_models)))


def _card_says(card: CardFacts) -> dict[str, object]:
    return _said(
        (
            ("licence", card.licence),
            ("base_models", card.base_models),
            ("relation", card.relation),
            ("datasets", card.datasets),
            ("tags", card.tags),
            ("languages", card.languages),
        )
    )


def _said(claims: Iterable[tuple[str, str | tuple[str, ...]]]) -> dict[str, object]:
    return {key: value if isinstance(value, str) else list(value) for key, value in claims if value}


def _told(name: str, data: bytes, says: dict[str, object]) -> dict[str, object]:
    return {"name": name, "bytes": len(data), "sha256": _sha256(data), "says": says}


def _whole(name: str, data: bytes) -> File:
    kind, form = judged(name)
    return File(name=name, kind=kind, format=form, sha256=_sha256(data), size_bytes=len(data))


def card_told(data: bytes) -> tuple[CardFacts, dict[str, object]]:
    """A model card, and how an entry tells it. Raises Refused."""
    try:
        card = read_card(data)
    except FormatError as error:
        raise Refused(error.field, error.reason) from error
    return card, _told(CARD, data, _card_says(card))


def _source(name: str, data: bytes) -> str:
    return f"{name}, SHA-256 {_sha256(data)}"


def _sha256(data: bytes | None) -> str:
    return hashlib.sha256(data).hexdigest() if data is not None else ""
