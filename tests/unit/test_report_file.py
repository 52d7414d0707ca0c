"""The PDF itself: PDF/A-3a and PDF/UA-1, a tag tree that is the document, fonts, attachments, the same bytes again."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import page as validator
import pikepdf
import pytest

from audit.tlog.pdf import DATASET, FACTS, RECEIPT
from reports.dataset import canonical_json
from reports.render import html
from tests.report_files import files

PROFILES = [validator.ValidationProfile.PDF_A_3A, validator.ValidationProfile.PDF_UA_1]


class Tags(HTMLParser):
    """How often each element stands in the HTML of the report."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.count[tag] += 1


@pytest.fixture(scope="module")
def pdf() -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(BytesIO(files().revision2)) as opened:
        yield opened


@pytest.fixture(scope="module")
def markup() -> Counter[str]:
    tags = Tags()
    listed = tuple({"name": name, "relationship": "", "note": "", "sha256": "0" * 64} for name in "abc")
    tags.feed(html.page(files().report, files=listed))
    return tags.count


def elements(pdf: pikepdf.Pdf) -> list[pikepdf.Dictionary]:
    """Every structure element, in reading order."""
    found: list[pikepdf.Dictionary] = []

    def walk(node: Any) -> None:
        if isinstance(node, pikepdf.Dictionary) and node.get("/Type") == "/StructElem":
            found.append(node)
        for kid in kids(node):
            if isinstance(kid, pikepdf.Dictionary):
                walk(kid)

    walk(pdf.Root.StructTreeRoot)
    return found


def kids(node: Any) -> list[Any]:
    below = node.get("/K", [])
    return list(below) if isinstance(below, pikepdf.Array) else [below]


@pytest.mark.parametrize("revision", ["revision1", "revision2"])
@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_both_revisions_conform(revision: str, profile: validator.ValidationProfile) -> None:
    result = validator.validate_pdf_bytes(getattr(files(), revision), profile=profile)
    assert result.is_compliant, [failure.message for failure in result.failures]


def test_one_table_for_each_table_and_one_head_each(pdf: pikepdf.Pdf, markup: Counter[str]) -> None:
    kinds = Counter(str(element.S) for element in elements(pdf))
    assert kinds["/Table"] == markup["table"]
    assert kinds["/THead"] == markup["thead"]
    assert kinds["/Caption"] == markup["caption"] + markup["figcaption"]
    assert kinds["/TR"] == markup["tr"]
    assert kinds["/Sect"] == markup["section"]
    assert [kinds[f"/H{n}"] for n in (1, 2, 3)] == [markup[f"h{n}"] for n in (1, 2, 3)]


def test_header_cells_say_what_they_head(pdf: pikepdf.Pdf, markup: Counter[str]) -> None:
    heads = [element for element in elements(pdf) if element.S == "/TH"]
    assert len(heads) == markup["th"]
    assert {str(head.A.Scope) for head in heads} == {"/Row", "/Column"}


def test_figures_have_a_description_and_a_box_on_their_page(pdf: pikepdf.Pdf, markup: Counter[str]) -> None:
    figures = [element for element in elements(pdf) if element.S == "/Figure"]
    assert len(figures) == markup["svg"]
    for figure in figures:
        assert len(str(figure.Alt)) > 20
        left, bottom, right, top = (float(value) for value in figure.A.BBox)
        assert 0 <= left < right <= 596 and 0 <= bottom < top <= 842


def test_every_marked_text_is_held_by_the_tree(pdf: pikepdf.Pdf) -> None:
    held: set[tuple[int, int]] = set()
    for element in elements(pdf):
        for kid in kids(element):
            if isinstance(kid, int):
                held.add((int(element.Pg.objgen[0]), int(kid)))
            elif isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/MCR":
                held.add((int(kid.Pg.objgen[0]), int(kid.MCID)))
    marked: set[tuple[int, int]] = set()
    for sheet in pdf.pages:
        for instruction in pikepdf.parse_content_stream(sheet):
            if str(instruction.operator) == "BDC" and "/MCID" in instruction.operands[1]:
                marked.add((int(sheet.objgen[0]), int(instruction.operands[1].MCID)))
    assert marked and marked == held


def test_no_wrapper_without_meaning_and_foreign_runs_have_their_language(pdf: pikepdf.Pdf) -> None:
    spans = [element for element in elements(pdf) if element.S == "/Span"]
    assert spans and all("/Lang" in span for span in spans)
    assert {str(span.Lang) for span in spans} == {"ja"}


def test_bookmarks_and_links(pdf: pikepdf.Pdf) -> None:
    with pdf.open_outline() as outline:
        titles = [item.title for item in outline.root]
    assert titles[:3] == ["Contents", "1 Summary", "2 What is deployed"] and len(titles) == 13
    links = [note for sheet in pdf.pages for note in sheet.get("/Annots", []) if note.Subtype == "/Link"]
    assert len(links) > 50 and all(str(link.Contents).strip() for link in links)


def test_attachments_are_there_with_their_relation(pdf: pikepdf.Pdf) -> None:
    assert sorted(pdf.attachments) == [DATASET, FACTS, RECEIPT]
    relations = {str(spec.UF): str(spec.AFRelationship) for spec in pdf.Root.AF}
    assert relations == {DATASET: "/Data", FACTS: "/Supplement", RECEIPT: "/Supplement"}
    assert pdf.attachments[DATASET].get_file().read_bytes() == canonical_json(files().report)
    assert json.loads(pdf.attachments[RECEIPT].get_file().read_bytes()) == json.loads(files().receipt)


def test_metadata_claims_both_standards_and_names_the_tree(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata() as meta:
        assert meta["pdfaid:part"] == "3" and meta["pdfaid:conformance"] == "A"
        assert meta["pdfuaid:part"] == "1"
    assert files().report.checkpoint.root.encode() in pdf.Root.Metadata.read_raw_bytes()
    assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261123120000")


def test_only_shipped_fonts(pdf: pikepdf.Pdf) -> None:
    names = {
        str(font.BaseFont).partition("+")[2]
        for sheet in pdf.pages
        for font in sheet.resources.get("/Font", {}).values()
    }
    assert names and all(name.startswith("IBM-Plex-") for name in names), names


def test_other_readers_agree(pdf: pikepdf.Pdf, tmp_path: Path) -> None:
    assert pdf.check_pdf_syntax() == []
    path = tmp_path / "report.pdf"
    path.write_bytes(files().revision2)
    for program, expected in {"pdfdetach": "3 embedded files", "pdfinfo": "Tagged:          yes"}.items():
        if shutil.which(program):
            command = [program, *(["-list"] if program == "pdfdetach" else []), str(path)]
            said = subprocess.run(command, capture_output=True, text=True, check=True)
            assert expected in said.stdout and said.stderr == ""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LANG": "C.UTF-8"},
        {"PYTHONHASHSEED": "4242", "TZ": "America/New_York", "LANG": "ja_JP.UTF-8"},
    ],
    ids=["tokyo", "new-york"],
)
def test_the_same_bytes_in_another_place(environment: dict[str, str], tmp_path: Path) -> None:
    report, root = files().report, Path(__file__).resolve().parents[2]
    script = (
        "import sys, django; django.setup(); from tests.report_files import files; "
        "sys.stdout.buffer.write(files().revision1)"
    )
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={**kept, **environment, "DJANGO_SETTINGS_MODULE": "tests.settings", "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == files().revision1
    assert datetime.fromisoformat(report.issued_at).year == 2026
