"""Inclusion and consistency proofs of the RFC 6962 tree: which nodes, building, checking.

Building needs only `hash_at(level, n)`: the hash of the complete subtree of 2**level leaves that starts at
leaf n * 2**level. A proof hash over an incomplete right part is folded here from several of those. Checking
needs no tree.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from audit.tlog.encoding import HASH_SIZE
from audit.tlog.tree import EMPTY_ROOT, node_hash

HashAt = Callable[[int, int], bytes]

MAX_LEVEL: Final = 64
"""Above every level of a tree that fits an int64."""


class ProofError(ValueError):
    """A proof does not show what it should, or was asked for something that cannot be shown."""


class Node(NamedTuple):
    """The complete subtree of 2**level leaves that starts at leaf n * 2**level."""

    level: int
    n: int


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """Every node that inclusion_proof reads, to fetch them in one query. Requires 0 <= index < size."""
    return _nodes(_inclusion_ranges(index, size))


def consistency_nodes(first: int, second: int) -> list[Node]:
    """Every node that consistency_proof reads, to fetch them in one query. Requires 0 < first <= second."""
    return _nodes(_consistency_ranges(first, second))


def root_nodes(size: int) -> list[Node]:
    """The nodes of the right edge of a tree of `size` leaves, largest first."""
    return list(_complete(0, size))


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling upwards.

    Requires 0 <= index < size; raises ProofError otherwise.
    """
    return [_range_hash(low, high, hash_at) for low, high in _inclusion_ranges(index, size)]


def consistency_proof(first: int, second: int, hash_at: HashAt) -> list[bytes]:
    """PROOF(first, D[second]) of RFC 6962 section 2.1.2; empty when both sizes are equal.

    Requires 0 < first <= second; raises ProofError otherwise.
    """
    return [_range_hash(low, high, hash_at) for low, high in _consistency_ranges(first, second)]


def path_length(index: int, size: int, level: int = MAX_LEVEL) -> int:
    """How many proof hashes lie below `level` on the path of entry `index`: without `level`, in the whole
    proof.

    Requires 0 <= index < size.
    """
    # Up to where index and size - 1 meet, every level has a sibling; above it, only those where the path is a
    # right child.
    inner = (index ^ (size - 1)).bit_length()
    if level <= inner:
        return level
    return inner + ((index >> inner) & ((1 << (level - inner)) - 1)).bit_count()


def root_path(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], level: int = MAX_LEVEL) -> list[bytes]:
    """Hashes on the way from the leaf to the root as the proof gives them (RFC 9162 section 2.1.3.2).

    One more than the proof has; with `level`, only the part below that level, and `proof` only the hashes of
    it. Raises ProofError on an index outside the tree, a wrong number of hashes, or a hash that is not 32
    bytes.
    """
    if not 0 <= index < size:
        raise ProofError(f"Index {index} is outside a tree of {size} entries.")
    _require_hashes((leaf_hash, *proof))
    wanted = path_length(index, size, level)
    if len(proof) != wanted:
        raise ProofError(f"The proof has {len(proof)} hashes; entry {index} of {size} needs {wanted}.")
    inner = (index ^ (size - 1)).bit_length()
    path = [leaf_hash]
    for step, sibling in enumerate(proof):
        is_right = step >= inner or index >> step & 1
        path.append(node_hash(sibling, path[-1]) if is_right else node_hash(path[-1], sibling))
    return path


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf is entry `index` of the tree of this size and root. Raises ProofError."""
    _require_hashes((root,))
    if root_path(leaf_hash, index, size, proof)[-1] != root:
        raise ProofError(f"Entry {index} does not lead to the root of the tree of {size} entries.")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `second` entries begins with the tree of `first` (RFC 9162 section 2.1.4.2).

    Requires 0 < first <= second: every tree extends the empty one, so a proof from size 0 shows nothing and
    is refused here; see verify_extension. Raises ProofError.
    """
    _require_hashes((first_root, second_root, *proof))
    if not 0 < first <= second:
        raise ProofError(f"A consistency proof goes from a tree of at least 1 entry up, not from {first} to {second}.")
    if first == second:
        if proof:
            raise ProofError(f"Both trees have {first} entries, so the proof must be empty.")
        if first_root != second_root:
            raise ProofError(f"Two different roots for the same {first} entries: the log was rewritten.")
        return
    old, new = _consistency_roots(first, second, first_root, proof)
    if old != first_root:
        raise ProofError(f"The proof does not lead to the root of the older tree of {first} entries.")
    if new != second_root:
        raise ProofError(f"The tree of {second} entries does not continue the tree of {first} entries.")


def verify_extension(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """verify_consistency that also takes the empty tree: its root must be SHA-256("") and the proof empty
    (c2sp.org/tlog-witness). Raises ProofError."""
    if first:
        verify_consistency(first, second, first_root, second_root, proof)
    elif first_root != EMPTY_ROOT or proof or (second == 0 and second_root != EMPTY_ROOT):
        raise ProofError("The empty tree has the root SHA-256 of nothing and needs an empty proof.")


def _consistency_roots(first: int, second: int, first_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots as the proof gives them: the walk of RFC 9162 section 2.1.4.2, steps 2 to 5."""
    # An older tree that is one complete subtree is itself the first node, and then is not part of the proof.
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        raise ProofError("The consistency proof is empty.")
    low, high = first - 1, second - 1
    while low & 1:
        low, high = low >> 1, high >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if high == 0:
            raise ProofError("The consistency proof has too many hashes.")
        if low & 1 or low == high:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while low and not low & 1:
                low, high = low >> 1, high >> 1
        else:
            new = node_hash(new, sibling)
        low, high = low >> 1, high >> 1
    if high:
        raise ProofError("The consistency proof has too few hashes.")
    return old, new


def _require_hashes(hashes: Iterable[bytes]) -> None:
    for item in hashes:
        if len(item) != HASH_SIZE:
            raise ProofError(f"A hash has {len(item)} bytes; every hash must be exactly {HASH_SIZE}.")


def _split(low: int, high: int) -> int:
    # RFC 6962 section 2.1: k is the largest power of two smaller than n.
    return low + (1 << (high - low - 1).bit_length() - 1)


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Leaf ranges of the proof hashes, the leaf's sibling first (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise ProofError(f"Index {index} is outside a tree of {size} entries.")
    low, high = 0, size
    ranges = []
    while high - low > 1:
        middle = _split(low, high)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    ranges.reverse()
    return ranges


def _consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """Leaf ranges of SUBPROOF(first, D[second], true), deepest first (RFC 6962 section 2.1.2)."""
    if not 0 < first <= second:
        raise ProofError(f"A consistency proof goes from a tree of at least 1 entry up, not from {first} to {second}.")
    low, high = 0, second
    ranges = []
    while first != high:
        middle = _split(low, high)
        if first <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    # low == 0 is the flag b = true: the older root itself, which the verifier has.
    if low:
        ranges.append((low, high))
    ranges.reverse()
    return ranges


def _complete(low: int, high: int) -> Iterable[Node]:
    while low < high:
        level = (high - low).bit_length() - 1
        yield Node(level, low >> level)
        low += 1 << level


def _nodes(ranges: list[tuple[int, int]]) -> list[Node]:
    return [node for low, high in ranges for node in _complete(low, high)]


def _range_hash(low: int, high: int, hash_at: HashAt) -> bytes:
    hashes = [hash_at(level, n) for level, n in _complete(low, high)]
    result = hashes.pop()
    while hashes:
        result = node_hash(hashes.pop(), result)
    return result
