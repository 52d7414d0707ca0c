"""Proofs for auditors: that an entry is in the log, and that one log continues another."""

from audit.queries.checkpoints import checkpoint_covering, latest_checkpoint
from audit.queries.tree import reader
from audit.tlog.proof import (
    consistency_nodes,
    consistency_proof,
    inclusion_nodes,
    inclusion_proof,
)
from audit.tlog.receipt import Receipt


class NotCovered(LookupError):
    """The entry exists, but no signed checkpoint covers it yet."""

    retry_after_seconds = 2


def inclusion(index: int, size: int) -> list[bytes]:
    """The inclusion proof of entry `index` in the tree of `size` entries, leaf end first.

    Raises:
        audit.tlog.proof.ProofError: the index is outside that tree.
    """
    return inclusion_proof(index, size, reader(inclusion_nodes(index, size)))


def consistency(first: int, second: int) -> list[bytes]:
    """The proof that the tree of `second` entries continues the tree of `first` entries.

    Raises:
        audit.tlog.proof.ProofError: not 0 < first <= second.
    """
    return consistency_proof(first, second, reader(consistency_nodes(first, second)))


def receipt(index: int, *, newest: bool = False) -> str:
    """The tlog-proof of an entry under the oldest checkpoint that covers it (or the newest one).

    Raises:
        NotCovered: the signer has not reached the entry yet.
    """
    checkpoint = latest_checkpoint() if newest else checkpoint_covering(index)
    if checkpoint is None or checkpoint.size <= index:
        raise NotCovered(f"Entry {index} waits for the next signed checkpoint; ask again in a second or two.")
    hashes = inclusion(index, checkpoint.size)
    return Receipt(index=index, hashes=tuple(hashes), checkpoint_note=checkpoint.note).to_text()
