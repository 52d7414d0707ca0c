"""The erased sections of a bundle: each names the entry that tells its erasure, and that entry must agree.

The leaf keeps the commitment of a section for ever, so an erasure changes no proof. What could be a lie is the word
"erased" itself: the entry it names must be in the bundle, as soon as the checkpoint covers it, and be an erasure of
this very section. It tells one erasure only, so with closed facts it still cannot stand for two.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from audit.tlog.bundleformat import BundleError, BundleFile, RawEntry, strict_json
from audit.tlog.encoding import EncodingError, decode_base64
from audit.tlog.leaf import Leaf
from audit.tlog.verification import DISCLOSED, Check, VerifiedEntry, erased_later

ERASURE_TYPE: Final = "section.erased"
ERASURE_SOURCE: Final = "app"
"""Only the application's own entries tell erasures: a client may put any words into its events."""

_FACTS = "facts"


def erased_faults(raw: RawEntry, leaf: Leaf) -> Iterator[tuple[str, str]]:
    """Each section that stands as erased, with what its own entry has against that or an empty text."""
    for name, told_by in raw.erased.items():
        if name not in leaf.sections:
            yield name, f"The leaf commits to no section named {name[:80]!r}."
        elif told_by <= raw.index:
            yield name, f"The section {name} cannot have been erased by entry {told_by}, which is not later."
        else:
            yield name, ""


def erasure_checks(bundle: BundleFile, entries: Sequence[VerifiedEntry], size: int) -> list[Check]:
    """One check for each section of the proven entries that is said to be erased, in a tree of `size` entries."""
    raw = {item.index: item for item in bundle.entries}
    proven = {entry.index: entry for entry in entries}
    claims = Counter(told_by for item in bundle.entries for told_by in item.erased.values())
    return [
        _later(entry.index, name, told_by, shared=claims[told_by] > 1)
        if told_by >= size
        else _check(entry.index, name, told_by, raw, proven, shared=claims[told_by] > 1)
        for entry in entries
        for name, told_by in sorted(raw[entry.index].erased.items())
        if not dict(erased_faults(raw[entry.index], entry.leaf))[name]
    ]


def _later(index: int, name: str, told_by: int, *, shared: bool) -> Check:
    """Of an entry that the checkpoint does not cover: no fault, but no evidence of an erasure either."""
    if shared:
        return _two(index, name, told_by)
    detail = f"The section {name} is {erased_later(told_by)}: it counts as not disclosed."
    return Check("erased", ok=True, detail=detail, index=index)


def _two(index: int, name: str, told_by: int) -> Check:
    detail = f"The section {name} and another are said to be erased by entry {told_by}: an entry tells one erasure."
    return Check("erased", ok=False, detail=detail, index=index)


def _check(
    index: int,
    name: str,
    told_by: int,
    raw: Mapping[int, RawEntry],
    proven: Mapping[int, VerifiedEntry],
    *,
    shared: bool,
) -> Check:
    said = f"The section {name} was erased, see entry {told_by}"
    entry = proven.get(told_by)
    if entry is None:
        where = "proven" if told_by in raw else "in this bundle, though its checkpoint covers it"
        detail = f"The section {name} is said to be erased by entry {told_by}, which is not {where}."
        return Check("erased", ok=False, detail=detail, index=index)
    if (entry.leaf.type, entry.leaf.source) != (ERASURE_TYPE, ERASURE_SOURCE):
        detail = f"The section {name} is said to be erased by entry {told_by}, which is no erasure."
        return Check("erased", ok=False, detail=detail, index=index)
    if entry.sections.get(_FACTS) != DISCLOSED:
        if shared:
            return _two(index, name, told_by)
        return Check("erased", ok=True, detail=f"{said}, an erasure whose facts are not disclosed.", index=index)
    try:
        facts = strict_json(decode_base64(raw[told_by].sections[_FACTS][1], _FACTS), "section facts")
    except (BundleError, EncodingError) as error:
        return Check("erased", ok=False, detail=str(error), index=index)
    if not isinstance(facts, dict) or _spelled(facts.get("entry"), facts.get("section")) != _spelled(index, name):
        detail = f"Entry {told_by} tells the erasure of something else than section {name} of entry {index}."
        return Check("erased", ok=False, detail=detail, index=index)
    early = " It was before its retention floor, by two persons." if facts.get("before_floor") is True else ""
    return Check("erased", ok=True, detail=f"{said}, which tells it.{early}", index=index)


def _spelled(*values: object) -> str:
    """One spelling for equal JSON values; true and 1 differ."""
    return json.dumps(values)
