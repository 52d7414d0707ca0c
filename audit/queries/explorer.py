"""One entry of the ledger as a page, with everything that proves it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from audit.events import EventType
from audit.queries.absences import NONE, Absences, absences_after
from audit.queries.checkpoints import CheckpointRow, checkpoint_covering
from audit.queries.disclosure import is_open_to_all
from audit.queries.entries import EntryRow, SectionRow, entry, section_facts, sections_of
from audit.queries.erasures import erasures_of
from audit.queries.names import names_on_pages
from audit.queries.proofs import inclusion
from audit.queries.search import END, Range, Wanted, search
from audit.tlog.leaf import Leaf, LeafError, parse_leaf
from audit.tlog.proof import ProofError, verify_inclusion
from audit.tlog.section import SectionError, opens
from audit.tlog.tree import TreeError, leaf_hash

SAME_SUBJECT = 4
"""Entries of the same subject that a page names, before and after its own."""

LONGEST_SHOWN = 20_000
"""Characters of a section that a page shows; the bundle has all of them."""

Kept = Literal["matches", "differs", "erased", "absent", "withheld"]


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section as a page shows it.

    `kept`: matches or differs from the commitment in the leaf; erased; absent since an import; withheld from this
    reader. `erased_by` is the entry that tells who erased it and why; None for an erased section that no entry tells.
    """

    name: str
    media: str
    length: int
    kept: Kept
    text: str
    cut: bool
    erased_by: int | None


@dataclass(frozen=True, slots=True)
class Proven:
    """The inclusion proof under the oldest checkpoint that covers the entry; `holds` when it leads to its root.

    `missing`: the log lacks hashes that the proof needs, so there is none. `waited`: seconds from the entry's receipt
    to the checkpoint's signature.
    """

    checkpoint: CheckpointRow
    hashes: tuple[bytes, ...]
    holds: bool
    missing: bool
    waited: float


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One entry with its leaf, sections and proof.

    Attributes:
        hash: of the leaf bytes as they are stored now.
        fields: what the leaf says, in its own order; empty when the bytes are no leaf any more.
        proven: None while the entry waits for the signer.
        actor, source, subject: names where one is known, else the reference itself.
        after_it, before_it: entries of the same subject after and before this one, newest first.
        more_after, more_before: whether there are others beyond those.
        later: whether the log goes on after this entry.
    """

    row: EntryRow
    hash: bytes
    fields: tuple[tuple[str, str], ...]
    sections: tuple[SectionView, ...]
    words: str
    proven: Proven | None
    actor: str
    source: str
    subject: str
    after_it: tuple[EntryRow, ...]
    before_it: tuple[EntryRow, ...]
    more_after: bool
    more_before: bool
    later: bool

    @property
    def leaf(self) -> str:
        """The exact leaf as text; in hexadecimal when it is no text any more."""
        try:
            return self.row.leaf.decode("ascii")
        except UnicodeDecodeError:
            return self.row.leaf.hex(" ")

    @property
    def changed(self) -> bool:
        """Whether what is stored now is not what was signed."""
        leaf_changed = self.proven is not None and not self.proven.holds
        return leaf_changed or any(section.kept == "differs" for section in self.sections)


def entry_page(index: int, *, sees_everything: bool) -> EntryPage:
    """Entry `index` for a reader who sees what is open to all, or every section.

    Raises:
        EntryNotFound: the log is shorter.
    """
    row = entry(index)
    try:
        leaf = parse_leaf(row.leaf)
    except LeafError:
        leaf = None
    kept = {section.name: section for section in sections_of(index)[index]}
    erased = erasures_of([index]).get(index, {})
    names = names_on_pages([row.actor, row.source, row.subject])
    about, everything = Wanted(subject=row.subject), Range(0, END, END)
    after = search(about, inside=everything, start=index + 1, limit=SAME_SUBJECT)
    before = search(about, inside=everything, before=index, limit=SAME_SUBJECT)
    return EntryPage(
        row=row,
        hash=leaf_hash(row.leaf),
        fields=tuple(_fields(row.leaf)) if leaf else (),
        sections=_sections(index, leaf, kept, erased, sees_everything),
        words=in_short(section_facts([index]).get(index))
        if sees_everything or is_open_to_all(row.source, "facts")
        else "",
        proven=_prove(row),
        actor=names.get(row.actor, row.actor),
        source=names.get(row.source, row.source),
        subject=names.get(row.subject, row.subject),
        after_it=after.rows,
        before_it=before.rows,
        more_after=len(after.rows) == SAME_SUBJECT and after.newer is not None,
        more_before=len(before.rows) == SAME_SUBJECT and before.older is not None,
        later=bool(search(Wanted(), inside=everything, start=index + 1, limit=1).rows),
    )


def in_short(said: Mapping[str, object] | None) -> str:
    """A few words from an entry's facts: the name of the thing, or the first plain facts of an event."""
    if not said:
        return ""
    window = said.get("window")
    if isinstance(window, Mapping) and "start" in window:
        return f"{str(window['start'])[11:19]} – {str(window.get('end'))[11:19]} UTC, {said.get('rows')} rows"
    after = said.get("after")
    for content in (after, said.get("data"), said):
        if isinstance(content, Mapping):
            for key in ("title", "name", "summary", "detail", "decision", "verdict", "tool", "reason"):
                if isinstance(content.get(key), str) and content[key]:
                    return str(content[key])
    own_type = said.get("type")  # a pipeline's own word, which the leaf hides
    return own_type if isinstance(own_type, str) and own_type not in set(EventType) else ""


def _prove(row: EntryRow) -> Proven | None:
    checkpoint = checkpoint_covering(row.index)
    if checkpoint is None:
        return None
    waited = (checkpoint.signed_at - row.received_at).total_seconds()
    hashes: tuple[bytes, ...] = ()
    try:
        hashes = tuple(inclusion(row.index, checkpoint.size))
        verify_inclusion(leaf_hash(row.leaf), row.index, checkpoint.size, hashes, checkpoint.root)
    except TreeError:
        return Proven(checkpoint, (), holds=False, missing=True, waited=waited)
    except ProofError:
        return Proven(checkpoint, hashes, holds=False, missing=False, waited=waited)
    return Proven(checkpoint, hashes, holds=True, missing=False, waited=waited)


def _fields(leaf: bytes) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for key, value in json.loads(leaf).items():
        if key == "sections":
            for name, says in value.items():
                fields += [(f"sections.{name}.{part}", str(content)) for part, content in says.items()]
        else:
            fields.append((key, str(value)))
    return fields


def _sections(
    index: int, leaf: Leaf | None, kept: Mapping[str, SectionRow], erased: Mapping[str, int], sees_everything: bool
) -> tuple[SectionView, ...]:
    if leaf is None:
        return ()
    gone = any(name not in kept and name not in erased for name in leaf.sections)
    absent = absences_after(index) if gone else NONE
    return tuple(
        _gone(index, leaf, name, erased.get(name), absent)
        if name not in kept
        else _section(leaf, name, kept[name], sees_everything)
        for name in sorted(leaf.sections)
    )


def _gone(index: int, leaf: Leaf, name: str, erased_by: int | None, absent: Absences) -> SectionView:
    said = leaf.sections[name]
    state: Kept = "absent" if erased_by is None and (index, name) in absent else "erased"
    return SectionView(name, said.media, said.length, state, "", cut=False, erased_by=erased_by)


def _section(leaf: Leaf, name: str, kept: SectionRow, sees_everything: bool) -> SectionView:
    said = leaf.sections[name]
    if not sees_everything and not is_open_to_all(leaf.source, name):
        return SectionView(name, said.media, said.length, "withheld", "", cut=False, erased_by=None)
    try:
        fits = opens(said.commitment, kept.salt, settings.LEDGER_ORIGIN, leaf.id, name, kept.body)
    except SectionError:
        fits = False
    text = _readable(kept)
    shown, cut = text[:LONGEST_SHOWN], len(text) > LONGEST_SHOWN
    return SectionView(name, said.media, said.length, "matches" if fits else "differs", shown, cut=cut, erased_by=None)


def _readable(section: SectionRow) -> str:
    """JSON indented for reading, text as it is, anything else in hexadecimal."""
    try:
        text = section.body.decode()
    except UnicodeDecodeError:
        return section.body.hex(" ")
    if section.media.startswith("application/json"):
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    return text
