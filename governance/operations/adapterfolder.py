"""Registering an adapter from the folder its files lie in. Of weights only the header is read."""

from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from governance.formats import modelcard, peft
from governance.operations.adapters import register_adapter
from governance.operations.base import Recorded
from governance.operations.modelfiles import CARD
from governance.operations.modelfolder import Progress, header_of, login_named, names_in, readable, start_of

ADAPTER_CONFIG: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"


def is_adapter(folder: Path) -> bool:
    """Whether the folder is that of an adapter: its own file says so."""
    return (folder / ADAPTER_CONFIG).is_file()


def register_adapter_from_folder(
    *,
    login: str,
    folder: Path,
    name: str,
    version: str,
    licence: str = "",
    base_version_id: UUID | None = None,
    quantised_base: str = "",
    source: str,
    progress: Progress,
    now: datetime,
) -> Recorded:
    """Register a version of an adapter in the name of a log-in; the id is the adapter's.

    Raises:
        Refused: a file or field that cannot be, or that cannot be read.
    """
    by = login_named(login)
    with readable(folder):
        names = names_in(folder)
        config = start_of(folder / ADAPTER_CONFIG, peft.ADAPTER_LIMIT, progress)
        header = header_of(folder / ADAPTER_WEIGHTS, progress) if ADAPTER_WEIGHTS in names else None
        card = start_of(folder / CARD, modelcard.CARD_LIMIT + 1, progress) if CARD in names else None
    return register_adapter(
        by=by,
        name=name,
        version=version,
        config=config,
        header=header,
        card=card,
        licence=licence,
        base_version_id=base_version_id,
        quantised_base=quantised_base,
        source=source,
        now=now,
    )
