"""Files of versions and adapters as a page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from governance.models import ModelArtefact


@dataclass(frozen=True, slots=True)
class ArtefactLine:
    """A file. `warning` says what is unsafe about its format, empty when nothing is known."""

    name: str
    kind: str
    format: str
    warning: str
    sha256: str
    size_bytes: int | None
    address: str


def artefact_lines(rows: Iterable[ModelArtefact]) -> tuple[ArtefactLine, ...]:
    """Files as a page shows them."""
    return tuple(
        ArtefactLine(
            name=row.name,
            kind=row.get_kind_display(),
            format=row.get_format_display(),
            warning=_("Unsafe: loading it runs whatever code is inside.")
            if row.format == ModelArtefact.Format.PYTORCH_PICKLE
            else "",
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            address=row.address,
        )
        for row in rows
    )
