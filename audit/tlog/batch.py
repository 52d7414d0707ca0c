"""Checking many inclusion proofs under one checkpoint faster than one by one.

Neighbours in the log share the upper part of their paths. Where an entry's path meets that of the entry
before it, the rest of both proofs must be the same text and needs no hashing again. The answer is always that
of verify_inclusion.
"""

from collections.abc import Sequence

from audit.tlog.encoding import decode_hash
from audit.tlog.proof import ProofError, path_length, root_path


class InclusionBatch:
    """Inclusion proofs under one tree of `size` entries; fastest when given in ascending index order."""

    def __init__(self, size: int, root: bytes) -> None:
        self._size = size
        self._root = root
        self._index = -1
        self._proof: Sequence[str] = ()
        self._path: list[bytes] = []

    def verify(self, leaf_hash: bytes, index: int, proof: Sequence[str]) -> None:
        """Check one entry; `proof` is its hashes in Base64. Raises ProofError or EncodingError."""
        if self._index >= 0 and 0 <= index < self._size and self._joins(leaf_hash, index, proof):
            return
        hashes = [decode_hash(text, f"proof hash {n}") for n, text in enumerate(proof, 1)]
        path = root_path(leaf_hash, index, self._size, hashes)
        if path[-1] != self._root:
            raise ProofError(f"Entry {index} does not lead to the root of the tree of {self._size} entries.")
        self._index, self._proof, self._path = index, proof, path

    def _joins(self, leaf_hash: bytes, index: int, proof: Sequence[str]) -> bool:
        """Whether the path meets that of the last verified entry, with the same hashes from there on."""
        level = (index ^ self._index).bit_length()
        mine = path_length(index, self._size, level)
        theirs = path_length(self._index, self._size, level)
        if proof[mine:] != self._proof[theirs:] or len(proof) < mine:
            return False
        hashes = [decode_hash(text, f"proof hash {n}") for n, text in enumerate(proof[:mine], 1)]
        lower = root_path(leaf_hash, index, self._size, hashes, level)
        if lower[-1] != self._path[theirs]:
            return False
        self._index, self._proof, self._path = index, proof, lower + self._path[theirs + 1 :]
        return True
