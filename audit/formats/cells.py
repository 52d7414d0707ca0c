"""Rows as CSV and as JSON: what a list is handed out as, piece by piece, however long it is.

A cell of CSV that a spreadsheet would take for a formula gets an apostrophe before it, and so does one that begins with
an apostrophe: taking one away gives back exactly what was there. Numbers stay numbers.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

FORMATS: Final = ("csv", "json")
MEDIA: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
BOM: Final = "\ufeff".encode()
"""Before a CSV file for people: without it Excel reads UTF-8 as the local code page, in Japan as CP932."""

Row = Mapping[str, object]
_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")
_PIECE: Final = 64 * 1024


def cell(value: object) -> str:
    """One value as the text of a CSV cell; a list is its JSON text, nothing is nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return guarded(value if isinstance(value, str) else str(plain(value)))


def guarded(text: str) -> str:
    """`text` as no spreadsheet computes it: also not after spaces that one may take away."""
    risky = text[:1] in _FORMULA or text.lstrip()[:1] in _FORMULA or text.startswith("'")
    return f"'{text}" if text and risky else text


def plain(value: object) -> object:
    """A value as both formats tell it: times in UTC, lists as JSON text in CSV."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return json.dumps([_json(item) for item in value], ensure_ascii=False)
    return value


def csv_pieces(columns: Sequence[str], rows: Iterable[Row], *, bom: bool) -> Iterator[bytes]:
    """A CSV file (RFC 4180) in pieces, with a line of column names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([guarded(column) for column in columns])
    if bom:
        yield BOM
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
        if text.tell() >= _PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def json_pieces(columns: Sequence[str], rows: Iterable[Row], about: Row) -> Iterator[bytes]:
    """One JSON object in pieces: what is said `about` the list, its columns, and its rows, each on a line."""
    head = json.dumps({**about, "columns": list(columns)}, ensure_ascii=False)
    yield f'{head[:-1]}, "rows": ['.encode()
    separator = "\n"
    for row in rows:
        told = json.dumps({column: _json(row.get(column)) for column in columns}, ensure_ascii=False)
        yield f"{separator}{told}".encode()
        separator = ",\n"
    yield b"\n]}\n"


def _json(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return str(plain(value))
