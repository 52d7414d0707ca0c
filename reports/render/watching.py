"""Watches WeasyPrint 70 build its tag tree, to remember which element stands for which HTML element.

Relies on the private `_build_box_tree`: the version is pinned, and the tests of the tag tree fail when it changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pydyf
from weasyprint.pdf import tags


@dataclass
class Recorder:
    """Structure elements by the HTML element they stand for, with the page of each fragment."""

    fragments: dict[Any, list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))


def _text(box: Any) -> str:
    return box.text if hasattr(box, "text") else "".join(_text(child) for child in getattr(box, "children", ()))


def _note(recorder: Recorder, box: Any, element: Any, page: int) -> None:
    html = box.element
    if box.element_tag != html.tag:
        return
    if html.tag == "th" and element["S"] == "/TH":
        scope = "/Row" if html.get("scope") == "row" else "/Column"
        element.setdefault("A", pydyf.Dictionary({"O": "/Table"}))["Scope"] = scope
    if html.tag == "pre":
        element["S"] = "/P"
    if language := html.get("lang"):
        element["Lang"] = pydyf.String(language)
    recorder.fragments[html].append((page, element))


@contextmanager
def recording() -> Iterator[Recorder]:
    """Watch WeasyPrint build its tag tree; the recorder is complete when `write_pdf` calls the finisher."""
    recorder, build = Recorder(), tags._build_box_tree

    def watched(box: Any, parent: Any, pdf: Any, page: int, nums: Any, annotations: Any, marks: Any) -> Any:
        real = getattr(box, "_box", box)
        if getattr(real, "link_annotation", None) is not None and (text := " ".join(_text(real).split())):
            real.link_annotation["Contents"] = pydyf.String(text[:120])
        first = True
        for element in build(box, parent, pdf, page, nums, annotations, marks):
            if first and hasattr(real.element, "get"):
                _note(recorder, real, element, page)
            first = False
            yield element

    tags._build_box_tree = watched
    try:
        yield recorder
    finally:
        tags._build_box_tree = build
