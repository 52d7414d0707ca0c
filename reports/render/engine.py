"""HTML -> revision 1 bytes with WeasyPrint. Runs in the child process only; knows no Django and no database."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.metadata import version
from types import MethodType
from typing import Any

from fontTools.ttLib import TTFont
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError

from audit.tlog.pdfshape import Attachment

from . import layout, structure, watching, xmp
from .fetch import ASSETS, LockedFetcher

__all__ = ["FatalURLFetchingError", "RenderFault", "describe", "render", "spell_out"]

SHEETS = ("tokens", "page", "type", "table", "components", "charts")
PACKAGES = ("weasyprint", "pydyf", "fonttools", "tinycss2", "pyphen")
FAMILIES = {"IBM Plex Sans", "IBM Plex Mono", "IBM Plex Sans JP"}
INVISIBLE = {"\u00ad", "\u200b", "\u2060"}  # break hints: they draw nothing, so no font needs them


class RenderFault(RuntimeError):
    """The pages cannot be made; the message says why."""


class _Complaints(logging.Handler):
    """WeasyPrint logs what it could not do and carries on; a report must not."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@cache
def _sheets() -> tuple[FontConfiguration, list[CSS]]:
    fonts, fetcher = FontConfiguration(), LockedFetcher()
    sheets = [
        CSS(
            string=(ASSETS / "css" / f"{name}.css").read_text("utf-8"),
            base_url="asset:css/",
            url_fetcher=fetcher,
            font_config=fonts,
        )
        for name in SHEETS
    ]
    return fonts, sheets


@cache
def _drawable() -> frozenset[int]:
    """Code points the shipped text faces have a glyph for."""
    found: set[int] = set()
    for name in ("IBMPlexSans-Regular.ttf", "IBMPlexSansJP-Regular.ttf"):
        with TTFont(ASSETS / "fonts" / name, lazy=True) as font:
            found.update(font.getBestCmap())
    return frozenset(found)


def spell_out(html: str) -> str:
    """Replace characters no shipped font can draw by their number, e.g. `[U+1F600]`.

    A missing glyph would break PDF/A and, worse, print nothing; formatting characters such as bidi overrides could
    make text read as what it is not. Mark-up is ASCII, so only content is touched.
    """
    drawable = _drawable()

    def shown(character: str) -> str:
        plain = character.isprintable() or character in "\n\t\u3000\u00a0\u202f\u2009"
        if character in INVISIBLE or (plain and ord(character) in drawable) or character in "\n\t":
            return character
        return f"[U+{ord(character):04X}]"

    return "".join(character if " " <= character <= "~" else shown(character) for character in html)


def describe() -> dict[str, dict[str, str]]:
    """Versions and font digests that decide what the pages look like."""
    fonts = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(ASSETS.glob("fonts/*.ttf"))}
    return {"versions": {name: version(name) for name in PACKAGES}, "fonts": fonts}


def render(html: str, attachments: Sequence[Attachment], *, stamp: str, properties: Mapping[str, str]) -> bytes:
    """Revision 1 of a PDF/A-3a and PDF/UA-1 report. Raises RenderFault for anything WeasyPrint only warns about."""
    complaints = _Complaints()
    logging.getLogger("weasyprint").addHandler(complaints)
    fonts, sheets = _sheets()
    document = HTML(string=spell_out(html), base_url="asset:html/", url_fetcher=LockedFetcher()).render(
        font_config=fonts, stylesheets=sheets
    )
    metadata = document.metadata
    metadata.generate_rdf_metadata = partial(xmp.packet, metadata, properties)
    with watching.recording() as recorder:
        data: bytes = document.write_pdf(
            pdf_variant="pdf/a-3a", finisher=partial(_finish, recorder, attachments, stamp)
        )
    _refuse(document, complaints)
    return data


def _finish(
    recorder: watching.Recorder, attachments: Sequence[Attachment], stamp: str, document: Any, pdf: Any
) -> None:
    structure.repair(document, pdf, recorder)
    by_reference = {item.reference: item for item in pdf.objects}
    by_reference[pdf.catalog["Metadata"]].compress = False  # indexers and strict checkers read it as it lies

    def write(self: Any, output: Any, *_: object) -> None:
        output.write(layout.write(self, attachments, stamp=stamp))

    pdf.write = MethodType(write, pdf)


def _refuse(document: Any, complaints: _Complaints) -> None:
    strange = {
        font.family.decode() if isinstance(font.family, bytes) else font.family for font in document.fonts.values()
    }
    if strange - FAMILIES:
        raise RenderFault(f"The report used fonts it does not ship: {', '.join(sorted(strange - FAMILIES))}.")
    if complaints.lines:
        raise RenderFault(f"The renderer complained: {'; '.join(complaints.lines[:5])}")
