"""The ledger as pages: a list by keyset, and one entry with everything that proves it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from audit.events import EventType
from audit.queries.checkpoints import CheckpointRow, checkpoint_covering, latest_checkpoint
from audit.queries.disclosure import is_open_to_all
from audit.queries.entries import EntryRow, SectionRow, entries, entry, section_facts, sections_of
from audit.queries.names import names_of
from audit.queries.proofs import inclusion
from audit.queries.state import history
from audit.tlog.leaf import Leaf, LeafError, parse_leaf
from audit.tlog.proof import ProofError, verify_inclusion
from audit.tlog.section import SectionError, opens
from audit.tlog.tree import leaf_hash

PAGE = 50
SAME_SUBJECT = 8
LONGEST_SHOWN = 20_000
"""Characters of a section that a page shows; the bundle has all of them."""

Kept = Literal["matches", "differs", "erased", "withheld"]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry in the list. `words` is what its facts say in short, `actor` a name where one is known."""

    row: EntryRow
    actor: str
    words: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of the list, newest first; `older` is where the next one starts, None at the beginning of the log."""

    lines: tuple[LedgerLine, ...]
    older: int | None
    signed_size: int


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section as a page shows it.

    `kept`: matches or differs from the commitment in the leaf; erased; withheld from this reader.
    """

    name: str
    media: str
    length: int
    kept: Kept
    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Proven:
    """The inclusion proof under the oldest checkpoint that covers the entry; `holds` when it leads to its root."""

    checkpoint: CheckpointRow
    hashes: tuple[bytes, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One entry with its leaf, sections and proof.

    Attributes:
        hash: of the leaf bytes as they are stored now.
        fields: what the leaf says, in its own order; empty when the bytes are no leaf any more.
        proven: None while the entry waits for the signer.
        actor, source, subject: names where one is known, else the reference itself.
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
    same_subject: tuple[EntryRow, ...]
    newer: int | None

    @property
    def changed(self) -> bool:
        """Whether what is stored now is not what was signed."""
        leaf_changed = self.proven is not None and not self.proven.holds
        return leaf_changed or any(section.kept == "differs" for section in self.sections)


def ledger_page(
    *,
    before: int | None = None,
    type_: str = "",
    subject: str = "",
    source: str = "",
    sees_everything: bool = False,
) -> LedgerPage:
    """The newest `PAGE` entries below index `before` that match; a constant number of queries."""
    rows = entries(before=before, limit=PAGE + 1, type_=type_, subject=subject, source=source)
    shown = rows[:PAGE]
    names = names_of(row.actor for row in shown)
    said = section_facts([row.index for row in shown if sees_everything or is_open_to_all(row.source, "facts")])
    checkpoint = latest_checkpoint()
    return LedgerPage(
        lines=tuple(LedgerLine(row, names.get(row.actor, row.actor), in_short(said.get(row.index))) for row in shown),
        older=shown[-1].index if len(rows) > PAGE else None,
        signed_size=checkpoint.size if checkpoint else 0,
    )


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
    names = names_of([row.actor, row.source, row.subject])
    newest = entries(limit=1)
    return EntryPage(
        row=row,
        hash=leaf_hash(row.leaf),
        fields=tuple(_fields(row.leaf)) if leaf else (),
        sections=_sections(leaf, kept, sees_everything),
        words=in_short(section_facts([index]).get(index))
        if sees_everything or is_open_to_all(row.source, "facts")
        else "",
        proven=_prove(row),
        actor=names.get(row.actor, row.actor),
        source=names.get(row.source, row.source),
        subject=names.get(row.subject, row.subject),
        same_subject=tuple(history(row.subject, limit=SAME_SUBJECT)),
        newer=index + 1 if newest and newest[0].index > index else None,
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
    hashes = inclusion(row.index, checkpoint.size)
    try:
        verify_inclusion(leaf_hash(row.leaf), row.index, checkpoint.size, hashes, checkpoint.root)
    except ProofError:
        return Proven(checkpoint, tuple(hashes), holds=False)
    return Proven(checkpoint, tuple(hashes), holds=True)


def _fields(leaf: bytes) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for key, value in json.loads(leaf).items():
        if key == "sections":
            for name, says in value.items():
                fields += [(f"sections.{name}.{part}", str(content)) for part, content in says.items()]
        else:
            fields.append((key, str(value)))
    return fields


def _sections(leaf: Leaf | None, kept: Mapping[str, SectionRow], sees_everything: bool) -> tuple[SectionView, ...]:
    if leaf is None:
        return ()
    return tuple(_section(leaf, name, kept.get(name), sees_everything) for name in sorted(leaf.sections))


def _section(leaf: Leaf, name: str, kept: SectionRow | None, sees_everything: bool) -> SectionView:
    said = leaf.sections[name]
    if kept is None:
        return SectionView(name, said.media, said.length, "erased", "", cut=False)
    try:
        fits = opens(said.commitment, kept.salt, settings.LEDGER_ORIGIN, leaf.id, name, kept.body)
    except SectionError:
        fits = False
    if not sees_everything and not is_open_to_all(leaf.source, name):
        return SectionView(name, said.media, said.length, "withheld", "", cut=False)
    text = _readable(kept)
    return SectionView(
        name, said.media, said.length, "matches" if fits else "differs", text[:LONGEST_SHOWN], len(text) > LONGEST_SHOWN
    )


def _readable(section: SectionRow) -> str:
    """JSON indented for reading, text as it is, anything else in hexadecimal."""
    try:
        text = section.body.decode()
    except UnicodeDecodeError:
        return section.body.hex(" ")
    if section.media.startswith("application/json"):
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text
    return text
