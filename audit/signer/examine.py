"""Whether what the database shows extends what was signed. Each function returns or raises Contradiction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.signer.database import Claim, View
from audit.signer.state import TAIL, State
from audit.tlog.tree import EMPTY_EDGE, RightEdge, leaf_hash, leaf_hashes

REHASH_AT_START: Final = 1_000_000
"""Signed leaves that are hashed again whenever a connection is made: a few seconds. Older ones are the
continuous self-check's."""


class Contradiction(Exception):
    """The database does not extend what was signed. The message says what, for the people who must find out why.

    Attributes:
        entry_index: the entry at fault, None when it cannot be told.
    """

    def __init__(self, message: str, entry_index: int | None = None) -> None:
        self.entry_index = entry_index
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree the signer computed itself: right edge, and hashes of the last min(size, TAIL) leaves."""

    edge: RightEdge
    tail: tuple[bytes, ...]

    @classmethod
    def of(cls, state: State) -> "Tree":
        return cls(state.edge, state.tail)

    def extend(self, hashes: list[bytes]) -> "Tree":
        return Tree(self.edge.extend(hashes), (*self.tail, *hashes)[-TAIL:])


def no_alarm(view: View, acknowledged: Sequence[str]) -> None:
    """Any alarm stops the signing, whoever raised it: a person has to look first, and then acknowledge it."""
    if alarm := view.alarm(acknowledged):
        where = "" if alarm.entry_index is None else f" at entry {alarm.entry_index}"
        raise Contradiction(f"Alarm {alarm.id} ({alarm.kind}){where}: {alarm.detail}", alarm.entry_index)


def grown(view: View, tree: Tree) -> Claim:
    """The head, when table and head agree on a size that is not below what was seen before."""
    head, entries = view.head(), view.entries()
    if entries < tree.edge.size:
        raise Contradiction(
            f"The log holds {entries} entries, but {tree.edge.size} were there before: its end was cut "
            "off, or an older backup was restored."
        )
    if head is None:
        raise Contradiction("The head row is gone.")
    if head.size != entries:
        raise Contradiction(f"The head counts {head.size} entries, but the table holds {entries}.")
    return head


def checkpoints_agree(view: View, state: State) -> bool:
    """Whether the newest checkpoint is the one remembered; False when the remembered one is not published yet."""
    newest = view.checkpoint()
    published = newest.size if newest else 0
    if newest and newest.size > state.size:
        raise Contradiction(
            f"There is a checkpoint of {newest.size} entries, but this signer's state ends at "
            f"{state.size}: the state is an old copy, or somebody else signs."
        )
    if newest and newest.size == state.size and newest.root != state.edge.root():
        raise Contradiction(f"The stored checkpoint of {newest.size} entries has another root than was signed.")
    return published == state.size


def tail_stands(view: View, tree: Tree) -> None:
    """The last leaves are there and hash to what they hashed to when they were signed."""
    size, tail = tree.edge.size, tree.tail
    start = size - len(tail)
    found = {index: leaf for rows in view.leaves(start, size) for index, leaf in rows}
    for index, hashed in enumerate(tail, start):
        if index not in found:
            raise Contradiction(f"Entry {index} is gone; it was there before.", index)
        if leaf_hash(found[index]) != hashed:
            raise Contradiction(f"Entry {index} was changed: its leaf has another hash than before.", index)


def next_leaves(rows: list[tuple[int, bytes]], size: int) -> list[bytes]:
    """Hashes of leaves that follow a tree of `size`, made from the leaf bytes and nothing else."""
    for expected, (index, _leaf) in enumerate(rows, size):
        if index != expected:
            raise Contradiction(f"Entry {expected} is missing; entry {index} stands in its place.", expected)
    return leaf_hashes(leaf for _index, leaf in rows)


def root_agrees(tree: Tree, head: Claim) -> None:
    """The root computed from the leaves is the one that the writers computed."""
    if tree.edge.size == head.size and tree.edge.root() != head.root:
        raise Contradiction(
            f"The leaves of {head.size} entries hash to another root than the head has: a leaf or the head was changed."
        )


def subtrees_stand(view: View, edge: RightEdge, *, at_most: int = REHASH_AT_START) -> int:
    """Hash the newest complete subtrees again, as many as hold `at_most` leaves; returns how many leaves
    that were.
    """
    stop, done = edge.size, 0
    for hashed in reversed(edge.hashes):
        width = stop & -stop  # the lowest set bit of a size is its last complete subtree
        if done + width > at_most:
            break
        start = stop - width
        subtree = EMPTY_EDGE
        for rows in view.leaves(start, stop):
            subtree = subtree.extend(next_leaves(rows, start + subtree.size))
        if subtree.size != width or subtree.root() != hashed:
            last = stop - 1
            raise Contradiction(
                f"Entries {start} to {last} no longer hash to what was signed: one of them was changed or removed."
                if last > start
                else f"Entry {start} no longer hashes to what was signed.",
                start if last == start else None,
            )
        stop, done = start, done + width
    return done
