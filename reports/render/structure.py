"""Repairs of the tag tree WeasyPrint 70 writes, so that a screen reader meets the document and not its pages.

What is repaired (upstream issue in brackets): one element per HTML element instead of one per page [2903]; header
and footer text becomes an artifact instead of dangling content [1836]; header cells say what they head [2508];
wrapper elements without meaning go [2482]; figure boxes are in PDF units; foreign runs carry their language;
links say where they lead. Relies on the private `_build_box_tree`: the version is pinned, a canary test watches it.
"""

from __future__ import annotations

from typing import Any

import pydyf

from .watching import Recorder

# A wrapper (Span, NonStruct) may vanish only below an element that is allowed to hold text itself.
TEXT_HOLDERS = {
    "/P",
    "/H1",
    "/H2",
    "/H3",
    "/H4",
    "/TD",
    "/TH",
    "/LBody",
    "/Lbl",
    "/Caption",
    "/Link",
    "/Span",
    "/NonStruct",
}
WRAPPERS = {"/Span", "/NonStruct"}
PIXEL = 0.75  # PDF points in a CSS pixel


class Tree:
    """The structure tree of one `pydyf.PDF`, with references resolved."""

    def __init__(self, pdf: Any) -> None:
        self.pdf = pdf
        self.objects = {item.reference: item for item in pdf.objects}
        self.root = self.objects[pdf.catalog["StructTreeRoot"]]
        self.nums = self.objects[self.root["ParentTree"]]["Nums"]

    def at(self, reference: Any) -> Any:
        return self.objects[reference] if isinstance(reference, bytes) else reference

    def is_element(self, reference: Any) -> bool:
        return isinstance(reference, bytes) and self.objects[reference].get("Type") == "/StructElem"

    def walk(self) -> list[bytes]:
        """References of all objects reachable from the root, parents before children."""
        seen: dict[bytes, None] = {}
        stack = list(reversed(self.root["K"]))
        while stack:
            reference = stack.pop()
            if not isinstance(reference, bytes) or reference in seen:
                continue
            seen[reference] = None
            kids = self.objects[reference].get("K", ())
            stack.extend(reversed(kids if isinstance(kids, list) else [kids]))
        return list(seen)

    def rename(self, moved: dict[bytes, bytes]) -> None:
        """Let the parent tree follow elements that were merged into others."""

        def last(reference: Any) -> Any:
            while reference in moved:
                reference = moved[reference]
            return reference

        for position in range(1, len(self.nums), 2):
            value = self.nums[position]
            if isinstance(value, bytes):
                self.nums[position] = last(value)
            else:
                value[:] = [last(item) for item in value]

    def adopt(self, parent: Any, kid: Any, page: Any) -> Any:
        """`kid` (of an element on `page`) as it must be written below `parent`."""
        if isinstance(kid, int):
            return kid if parent["Pg"] == page else pydyf.Dictionary({"Type": "/MCR", "Pg": page, "MCID": kid})
        target = self.at(kid)
        if target.get("Type") == "/StructElem":
            target["P"] = parent.reference
        return kid


def merge_fragments(tree: Tree, recorder: Recorder) -> None:
    """One structure element per HTML element: later page fragments join the first; repeated heads go."""
    moved: dict[bytes, bytes] = {}
    for html, fragments in recorder.fragments.items():
        pages = {page for page, _ in fragments}
        if len(fragments) < 2 or len(pages) != len(fragments):
            continue
        first = fragments[0][1]
        for _, later in fragments[1:]:
            if later["S"] != first["S"]:
                continue
            parent = tree.at(later["P"])
            parent["K"][:] = [kid for kid in parent["K"] if kid != later.reference]
            if html.tag in ("thead", "tfoot"):
                continue  # unreachable from now on: its text becomes an artifact
            first["K"].extend(tree.adopt(first, kid, later["Pg"]) for kid in later["K"])
            moved[later.reference] = first.reference
    tree.rename(moved)


def drop_wrappers(tree: Tree) -> None:
    """Spans that say nothing are read aloud as noise: their text moves up to the paragraph, cell or link."""
    moved: dict[bytes, bytes] = {}
    for reference in reversed(tree.walk()):
        parent = tree.at(reference)
        if parent.get("S") not in TEXT_HOLDERS:
            continue
        kids = pydyf.Array()
        for kid in parent["K"]:
            child = tree.at(kid) if tree.is_element(kid) else None
            if child is None or child["S"] not in WRAPPERS or {"Lang", "A", "ID", "Alt"} & set(child):
                kids.append(kid)
                continue
            kids.extend(tree.adopt(parent, item, child["Pg"]) for item in child["K"])
            moved[kid] = reference
        parent["K"] = kids
    tree.rename(moved)


def complete_lists(tree: Tree) -> None:
    """A list item may hold a label and one body only: blocks beside the body move into it."""
    moved: dict[bytes, bytes] = {}
    for reference in tree.walk():
        item = tree.at(reference)
        if item.get("S") != "/LI":
            continue
        labels = [kid for kid in item["K"] if tree.at(kid)["S"] == "/Lbl"]
        bodies = [kid for kid in item["K"] if tree.at(kid)["S"] == "/LBody"]
        others = [kid for kid in item["K"] if kid not in labels]
        if not bodies or others == bodies[:1]:
            continue
        body = tree.at(bodies[0])
        kids = pydyf.Array()
        for kid in others:
            element = tree.at(kid)
            if kid in bodies:
                kids.extend(tree.adopt(body, inner, element["Pg"]) for inner in element["K"])
                moved.update({kid: bodies[0]} if kid != bodies[0] else {})
            else:
                kids.append(tree.adopt(body, kid, element["Pg"]))
        body["K"] = kids
        item["K"] = pydyf.Array([*labels, bodies[0]])
    tree.rename(moved)


def simplify_tables(tree: Tree) -> None:
    """Scope is enough in simple tables; Headers and ID pairs dangle once fragments are merged."""
    for item in tree.pdf.objects:
        if isinstance(item, dict) and item.get("S") in ("/TD", "/TH") and isinstance(item.get("A"), dict):
            item["A"].pop("Headers", None)
            item.pop("ID", None)
            if set(item["A"]) == {"O"}:
                del item["A"]


def artifacts(tree: Tree, page_count: int) -> None:
    """Marked text that no element holds (running heads, repeated table heads) becomes a pagination artifact."""
    reachable = set(tree.walk())
    for position in range(0, 2 * page_count, 2):
        number, owners = tree.nums[position], tree.nums[position + 1]
        lost = {mcid for mcid, owner in enumerate(owners) if owner not in reachable}
        if not lost:
            continue
        page = tree.at(tree.pdf.page_references[number])
        tokens = tree.at(page["Contents"]).stream
        for index, token in enumerate(tokens):
            if token == b"BDC" and isinstance(tokens[index - 1], dict) and tokens[index - 1].get("MCID") in lost:
                tokens[index - 2] = "/Artifact"
                tokens[index - 1] = pydyf.Dictionary({"Type": "/Pagination"})
        owners[:] = [b"null" if mcid in lost else owner for mcid, owner in enumerate(owners)]
        while owners and owners[-1] == b"null":
            owners.pop()


def finish(tree: Tree) -> None:
    """Figure boxes in PDF units, empty and lost elements out, next key of the parent tree."""
    reachable = tree.walk()
    for reference in reachable:
        item = tree.at(reference)
        attributes = item.get("A")
        if isinstance(attributes, dict) and "BBox" in attributes:
            height = tree.at(item["Pg"])["MediaBox"][3]
            left, top, right, bottom = attributes["BBox"]
            box = (left * PIXEL, height - bottom * PIXEL, right * PIXEL, height - top * PIXEL)
            attributes["BBox"] = pydyf.Array([round(value, 2) for value in box])
            attributes["Placement"] = "/Block"
    known = set(reachable)
    for item in tree.pdf.objects:
        lost = isinstance(item, pydyf.Dictionary) and item.get("Type") in ("/StructElem", "/OBJR")
        if lost and item.reference not in known:
            item.clear()  # written as a free entry by the layout
    tree.root["ParentTreeNextKey"] = max(tree.nums[0::2]) + 1


def repair(document: Any, pdf: Any, recorder: Recorder) -> None:
    """All repairs, in the order they depend on each other."""
    tree = Tree(pdf)
    merge_fragments(tree, recorder)
    complete_lists(tree)
    simplify_tables(tree)
    drop_wrappers(tree)
    artifacts(tree, len(document.pages))
    finish(tree)
