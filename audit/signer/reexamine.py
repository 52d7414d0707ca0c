"""Hash the whole log again, from the first leaf, and hold every stored checkpoint against it."""

from collections.abc import Callable
from dataclasses import dataclass

from audit.signer import database, examine
from audit.signer.database import Claim, View
from audit.signer.examine import Contradiction, Tree
from audit.tlog.checkpoint import CheckpointError
from audit.tlog.keyhistory import KeyHistory, read_checkpoint_in
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.tree import EMPTY_EDGE

Tell = Callable[[int, int], None]
"""Called with entries hashed so far and entries in all, after every few thousand."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What the log came to when all of it was hashed again.

    Attributes:
        head: size and root that the writers keep; the leaves hash to it.
        trees: the tree at each size that was asked for.
        checkpoints: how many stored checkpoints were met, each signed by a key of its size.
        newest: the largest of them; 0 for none.
    """

    head: Claim
    trees: dict[int, Tree]
    checkpoints: int
    newest: int


def whole(view: View, *, history: KeyHistory, sizes: frozenset[int], tell: Tell) -> Examined:
    """Hash every leaf from 0 on.

    Raises:
        Contradiction: an entry is missing, a checkpoint is not of this tree or not by a key of its size, the head
            has another root, or the log is smaller than one of `sizes`.
    """
    tree = Tree(EMPTY_EDGE, ())
    trees = {0: tree}
    head = examine.grown(view, tree)
    if sizes and max(sizes) > head.size:
        raise Contradiction(f"The log holds {head.size} entries, but {max(sizes)} were there before.")
    met = newest = 0
    for rows in view.leaves(0, head.size):
        start = tree.edge.size
        hashes = examine.next_leaves(rows, start)
        stored = {claim.size: (claim, note) for claim, note in view.checkpoints(start, start + len(hashes))}
        for size in sorted(stored.keys() | {size for size in sizes if start < size <= start + len(hashes)}):
            tree = tree.extend(hashes[tree.edge.size - start : size - start])
            trees |= {size: tree} if size in sizes else {}
            if size in stored:
                _is_signed(*stored[size], tree, history)
                met, newest = met + 1, size
        tree = tree.extend(hashes[tree.edge.size - start :])
        if tree.edge.size < min(start + database.READ_AT_ONCE, head.size):
            raise Contradiction(f"Entry {tree.edge.size} is missing, though later ones are there.", tree.edge.size)
        tell(tree.edge.size, head.size)
    examine.root_agrees(tree, head)
    if (latest := view.checkpoint()) and latest.size > head.size:
        raise Contradiction(f"There is a checkpoint of {latest.size} entries, but the log holds {head.size}.")
    return Examined(head, trees, met, newest)


def _is_signed(claim: Claim, note: str, tree: Tree, history: KeyHistory) -> None:
    try:
        signed, _opened = read_checkpoint_in(note, history)
    except (CheckpointError, InvalidSignatureError, MalformedNoteError, UnverifiedNoteError) as error:
        raise Contradiction(
            f"The stored checkpoint of {claim.size} entries is not what the log signed: {error}"
        ) from error
    if (signed.size, signed.root) != (claim.size, claim.root) or signed.origin != history.ranges[0].key.name:
        raise Contradiction(f"The row of the checkpoint of {claim.size} entries does not repeat its signed note.")
    if signed.root != tree.edge.root():
        raise Contradiction(f"The first {claim.size} entries are not those that were signed: the root differs.")
