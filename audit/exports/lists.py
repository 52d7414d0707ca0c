"""A list as a file: written beside, counted and hashed, told by an entry, and only then handed out."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final

from django.utils.translation import gettext as _

from audit.events import EventType
from audit.exports.made import Made, hand_out
from audit.formats.cells import FORMATS, MEDIA, Row, csv_pieces, json_pieces

MOST_ROWS: Final = 100_000
IN_MEMORY: Final = 4 * 1024 * 1024
"""Bytes of a file that are kept in memory; a longer one goes to the disk until it is sent."""

LONGEST: Final = 500
"""Characters of a filter that its entry tells."""


class ExportRefused(ValueError):
    """A list that is not handed out as a file; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list to hand out.

    Attributes:
        name: its word in the ledger, such as `model_version`.
        filters: what was asked for, as the address says it; nothing that is hidden in the log.
    """

    name: str
    columns: Sequence[str]
    rows: Iterable[Row]
    filters: Mapping[str, str]


def export_list(*, listing: Listing, form: str, actor: str, now: datetime) -> Made:
    """The list as CSV or JSON. Entry: `list.exported`, with its filters, the number of rows and the file's digest.

    Raises:
        ExportRefused: another format, or more than MOST_ROWS rows.
    """
    if form not in FORMATS:
        raise ExportRefused(_("A list is handed out as CSV or as JSON."))
    filters = {key[:LONGEST]: value[:LONGEST] for key, value in sorted(listing.filters.items()) if value}
    counted = _Counted(listing.rows)
    if form == "csv":
        pieces = csv_pieces(listing.columns, counted, bom=True)
    else:
        about = {"list": listing.name, "exported_at": now.isoformat(), "filters": filters}
        pieces = json_pieces(listing.columns, counted, about)
    digest = hashlib.sha256()
    with ExitStack() as on_failure:
        file: IO[bytes] = on_failure.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
        made = hand_out(
            told_as=EventType.LIST_EXPORTED,
            subject=f"list:{listing.name}",
            facts={"list": listing.name, "format": form, "filters": filters, "rows": counted.count},
            file=file,
            name=f"assay-{listing.name.replace('_', '-')}-{now:%Y%m%dT%H%M%SZ}.{form}",
            media=MEDIA[form],
            sha256=digest.hexdigest(),
            actor=actor,
            now=now,
        )
        on_failure.pop_all()  # whoever sends the file closes it
    return made


class _Counted:
    """The rows as they pass, and how many there were."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            if self.count > MOST_ROWS:
                raise ExportRefused(
                    _("This list has more than %(most)s rows; narrow it by a filter first.")
                    % {"most": f"{MOST_ROWS:,}"}
                )
            yield row
