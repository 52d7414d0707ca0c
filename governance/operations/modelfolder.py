"""Registering a model version from the folder its files lie in. Of weights only the headers are read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from audit.models import User
from governance.formats import ggufheader, huggingface, modelcard, safetensors
from governance.formats.strict_json import FormatError
from governance.operations.base import Recorded, Refused
from governance.operations.modelfiles import CARD, CONFIG, INDEX, ModelFiles
from governance.operations.models import register_from_files

MAX_ENTRIES: Final = 10_000
_LENGTH: Final = 8

Progress = Callable[[str, int, int], None]
"""Told of each file before it is read: its name, how many bytes of it are read, and how many it has."""


def register_from_folder(
    *,
    login: str,
    folder: Path,
    gguf: str = "",
    model_name: str,
    version: str,
    hf_id: str = "",
    developer: str = "",
    licence: str = "",
    source: str,
    progress: Progress,
    now: datetime,
) -> Recorded:
    """Register a version from the files in `folder`, in the name of a log-in; the id is the version's.

    With a `config.json` beside safetensors, or without a GGUF file, its shape comes from `config.json`; otherwise
    from the only GGUF file, or from the one that is named.

    Raises:
        Refused: a file or field that cannot be, or that cannot be read.
    """
    by = login_named(login)
    with readable(folder):
        files = _read(folder, gguf, progress)
    return register_from_files(
        by=by,
        model_name=model_name,
        version=version,
        config=files.config,
        index=files.index,
        header=files.header,
        gguf=files.gguf,
        card=files.card,
        gguf_bytes=files.gguf_bytes,
        hf_id=hf_id,
        developer=developer,
        licence=licence,
        source=source,
        now=now,
    )


def login_named(login: str) -> User:
    """The log-in of this name. Raises Refused."""
    by = User.objects.filter(username=login).first()
    if by is None:
        raise Refused("as", f"{login!r} is no log-in.")
    return by


def _read(folder: Path, gguf: str, progress: Progress) -> ModelFiles:
    names = names_in(folder)
    card = start_of(folder / CARD, modelcard.CARD_LIMIT + 1, progress) if CARD in names else None
    ggufs = sorted(name for name in names if name.endswith(".gguf"))
    weights = sorted(name for name in names if name.endswith(".safetensors"))
    if gguf or (ggufs and not weights and INDEX not in names):
        path = folder / _one_gguf(ggufs, gguf)
        data = start_of(path, ggufheader.HEADER_LIMIT, progress)
        return ModelFiles(gguf=data, card=card, gguf_bytes=path.stat().st_size)
    if CONFIG not in names:
        raise Refused("folder", f"holds neither {CONFIG} nor a GGUF file.")
    config = start_of(folder / CONFIG, huggingface.CONFIG_LIMIT + 1, progress)
    if INDEX in names:
        index = start_of(folder / INDEX, safetensors.INDEX_LIMIT + 1, progress)
        _refuse_incomplete(names, index)
        return ModelFiles(config=config, index=index, card=card)
    if len(weights) > 1:
        raise Refused("folder", f"holds {len(weights)} safetensors files but no {INDEX} that says what is in them.")
    header = header_of(folder / weights[0], progress) if weights else None
    return ModelFiles(config=config, header=header, card=card)


def names_in(folder: Path) -> set[str]:
    names: set[str] = set()
    for path in folder.iterdir():
        names.add(path.name)
        if len(names) > MAX_ENTRIES:
            raise Refused("folder", f"holds more than {MAX_ENTRIES} files; this is not the folder of one model.")
    return names


def _one_gguf(found: list[str], wanted: str) -> str:
    if wanted and wanted not in found:
        raise Refused("gguf", f"{wanted!r} is no GGUF file in the folder.")
    if not wanted and len(found) > 1:
        raise Refused("gguf", f"must name one of {', '.join(found[:20])}.")
    return wanted or found[0]


def _refuse_incomplete(names: set[str], index: bytes) -> None:
    try:
        files = safetensors.read_index(index).files
    except FormatError as error:
        raise Refused(error.field, error.reason) from error
    missing = [name for name in files if name not in names]
    if missing:
        raise Refused("folder", f"lacks {missing[0]}, which {INDEX} names, and {len(missing) - 1} more.")


def start_of(path: Path, limit: int, progress: Progress) -> bytes:
    """The first bytes of a file, `limit` at most: the reader of the format refuses what is too long."""
    size = path.stat().st_size
    progress(path.name, min(size, limit), size)
    with path.open("rb") as file:
        return file.read(limit)


def header_of(path: Path, progress: Progress) -> bytes:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
    return start_of(path, _LENGTH + min(length, safetensors.HEADER_LIMIT), progress)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused("folder", f"{error.filename or folder}: {error.strerror or 'cannot be read'}.") from error
