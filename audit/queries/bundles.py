"""The auditor's bundle: entries, opened sections, proofs and the signed checkpoint in one file."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.conf import settings

from audit.queries.checkpoints import checkpoint_at, latest_checkpoint
from audit.queries.entries import EntryNotFound, EntryRow, SectionRow, bodies_of, entries_at, sections_of
from audit.queries.erasures import erasures_of
from audit.queries.keys import told
from audit.queries.proofs import NotCovered, consistency
from audit.queries.tree import reader
from audit.tlog.bundleformat import BundleEntry, write_bundle
from audit.tlog.proof import HashAt, inclusion_nodes, inclusion_proof

MAX_BUNDLE_ENTRIES: Final = 2_000
MAX_BUNDLE_BYTES: Final = 16 << 20


class TooManyEntries(ValueError):
    """A bundle was asked for more entries than one file carries."""


def bundle(
    indexes: Sequence[int],
    *,
    size: int | None = None,
    consistent_with: Sequence[int] = (),
    state: Mapping[str, str] | None = None,
    sections: Collection[str] | None = None,
) -> bytes:
    """A bundle (docs/event-format.md) of the given entries under one checkpoint.

    An erased section stands in it as such, and the entries that tell the erasures come along with their facts as far
    as the checkpoint covers them.

    Args:
        indexes: which entries; at most `MAX_BUNDLE_ENTRIES`.
        sections: names of those to open; all when None.
        size: tree size of a checkpoint that was signed; the newest when None.
        consistent_with: sizes of older checkpoints which the checkpoint is proven to continue.
        state: canonical JSON of what the tables say of a subject now, to be held against its entry.

    Raises:
        EntryNotFound: an index beyond the log.
        NotCovered: no checkpoint, or one that does not cover every index.
        TooManyEntries: more than `MAX_BUNDLE_ENTRIES`, or more content than `MAX_BUNDLE_BYTES`.
    """
    wanted = sorted(set(indexes))
    if len(wanted) > MAX_BUNDLE_ENTRIES:
        raise TooManyEntries(f"A bundle carries at most {MAX_BUNDLE_ENTRIES} entries; {len(wanted)} were asked for.")
    checkpoint = latest_checkpoint() if size is None else checkpoint_at(size)
    if checkpoint is None or (wanted and wanted[-1] >= checkpoint.size):
        raise NotCovered("No signed checkpoint covers all these entries yet; ask again in a second or two.")
    if bodies_of(wanted, sections) > MAX_BUNDLE_BYTES:
        raise TooManyEntries(f"These entries hold more than {MAX_BUNDLE_BYTES >> 20} MiB; ask for fewer at a time.")
    erased = {index: _chosen(found, sections) for index, found in erasures_of(wanted).items()}
    telling = {by for found in erased.values() for by in found.values() if by < checkpoint.size} - set(wanted)
    rows = entries_at([*wanted, *telling])
    for index in wanted:
        if index not in rows:
            raise EntryNotFound(index)
    opened = _opened(wanted, sections) | _opened(sorted(telling), {"facts"})
    nodes = {node for index in rows for node in inclusion_nodes(index, checkpoint.size)}
    hash_at = reader(sorted(nodes))
    keys = told()
    return write_bundle(
        origin=settings.LEDGER_ORIGIN,
        keys=keys.keys,
        checkpoint=checkpoint.note,
        entries=[
            _entry(row, opened[index], erased.get(index, {}), checkpoint.size, hash_at)
            for index, row in sorted(rows.items())
        ],
        consistency=[_consistency(older, checkpoint.size) for older in consistent_with],
        state=None if state is None else dict(sorted(state.items())),
        key_history=keys.history_if_any,
    )


def _chosen(found: Mapping[str, int], sections: Collection[str] | None) -> dict[str, int]:
    return {name: told_by for name, told_by in found.items() if sections is None or name in sections}


def _opened(indexes: Sequence[int], names: Collection[str] | None) -> dict[int, list[SectionRow]]:
    found = sections_of(indexes)
    return {index: [row for row in rows if names is None or row.name in names] for index, rows in found.items()}


def _entry(
    row: EntryRow, opened: Sequence[SectionRow], erased: Mapping[str, int], size: int, hash_at: HashAt
) -> BundleEntry:
    return BundleEntry(
        index=row.index,
        leaf=row.leaf,
        proof=inclusion_proof(row.index, size, hash_at),
        sections={section.name: (section.salt, section.body) for section in opened},
        erased=erased,
    )


def _consistency(older: int, size: int) -> tuple[str, list[bytes]]:
    checkpoint = checkpoint_at(older)
    if checkpoint is None:
        raise NotCovered(f"No checkpoint of tree size {older} was signed.")
    return checkpoint.note, consistency(older, size)
