"""Cells of handed-out lists: nothing is computed by a spreadsheet, nothing is lost."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from audit.formats.cells import BOM, cell, csv_pieces, guarded, json_pieces

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)


@given(st.text())
def test_no_text_is_a_formula_and_every_text_comes_back(text: str) -> None:
    found = guarded(text)
    assert found.lstrip()[:1] not in set("=+-@＝＋－＠")
    assert found[:1] not in set("\t\r\n")
    assert (found[1:] if found.startswith("'") else found) == text


def test_numbers_stay_numbers() -> None:
    assert [cell(value) for value in (-5, 7, True, None, "-5", ["=a", "b"])] == [
        "-5", "7", "true", "", "'-5", '["=a", "b"]',
    ]  # fmt: skip
    assert cell(datetime(2026, 11, 24, 9, 0, 0, 1, tzinfo=UTC)) == "2026-11-24T09:00:00.000001Z"


@given(st.lists(st.fixed_dictionaries({"a": VALUES, "b": VALUES}), max_size=5))
def test_both_forms_hold_every_row(rows: list[dict[str, Any]]) -> None:
    sheet = b"".join(csv_pieces(["a", "b"], rows, bom=True))
    assert sheet.startswith(BOM)
    read = list(csv.reader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    assert read == [["a", "b"], *([cell(row["a"]), cell(row["b"])] for row in rows)]
    told = json.loads(b"".join(json_pieces(["a", "b"], rows, {"list": "things"})))
    assert told == {"list": "things", "columns": ["a", "b"], "rows": rows}
