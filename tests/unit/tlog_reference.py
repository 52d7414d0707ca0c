"""A second, slow implementation straight from the recursive definitions of RFC 6962, and a small log to take
apart.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from audit.tlog.bundle import BundleEntry, write_bundle
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.leaf import Leaf, SectionCommitment, encode_leaf
from audit.tlog.note import SigningKey
from audit.tlog.receipt import Receipt

ORIGIN = "assay.example/test"
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def k_below(n: int) -> int:
    """Largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = k_below(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


class Naive:
    """The same recursion with its results remembered, over a fixed list of entries."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.range_hash = cache(self._range_hash)

    def _range_hash(self, low: int, high: int) -> bytes:
        if high - low < 2:
            return mth(self.entries[low:high])
        k = low + k_below(high - low)
        return sha256(b"\x01" + self.range_hash(low, k) + self.range_hash(k, high)).digest()

    def root(self, size: int) -> bytes:
        return self.range_hash(0, size)

    def hash_at(self, level: int, n: int) -> bytes:
        return self.range_hash(n << level, (n + 1) << level)

    def path(self, index: int, low: int, high: int) -> list[bytes]:
        """RFC 6962 section 2.1.1: PATH(index, D[low:high])."""
        if high - low == 1:
            return []
        k = low + k_below(high - low)
        if index < k:
            return [*self.path(index, low, k), self.range_hash(k, high)]
        return [*self.path(index, k, high), self.range_hash(low, k)]

    def proof(self, first: int, low: int, high: int, whole: bool = True) -> list[bytes]:
        """RFC 6962 section 2.1.2: SUBPROOF(first - low, D[low:high], whole)."""
        if first == high:
            return [] if whole else [self.range_hash(low, high)]
        k = low + k_below(high - low)
        if first <= k:
            return [*self.proof(first, low, k, whole), self.range_hash(k, high)]
        return [*self.proof(first, k, high, False), self.range_hash(low, k)]


def perfect_root(data: bytes) -> bytes:
    if len(data) == 32:
        return data
    half = len(data) // 2
    return sha256(b"\x01" + perfect_root(data[:half]) + perfect_root(data[half:])).digest()


@dataclass
class SampleLog:
    """A log of `size` events about three deployments, every event with a facts section, some with a personal
    one.
    """

    size: int
    key: SigningKey = field(default_factory=lambda: SigningKey.generate(ORIGIN, bytes(range(32))))
    leaves: list[bytes] = field(default_factory=list)
    sections: list[dict[str, tuple[bytes, bytes]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for index in range(self.size):
            self._add(index)
        self.naive = Naive(self.leaves)

    def _add(self, index: int) -> None:
        bodies = {"facts": json.dumps(self.facts(index), separators=(",", ":"), ensure_ascii=False).encode()}
        if index % 3 == 0:
            bodies["personal"] = f"person {index}".encode()
        entry_id = f"entry-{index}"
        opened = {name: (sha256(f"{name}{index}".encode()).digest(), body) for name, body in bodies.items()}
        leaf = Leaf(
            origin=ORIGIN,
            id=entry_id,
            type="request.approved",
            source="app",
            subject=f"deployment:{index % 3}",
            actor="person:1",
            occurred_at=START + timedelta(seconds=index),
            received_at=START + timedelta(seconds=index, microseconds=5),
            sections={
                name: SectionCommitment(naive_commit(salt, entry_id, name, body), len(body), "application/json")
                for name, (salt, body) in opened.items()
            },
        )
        self.leaves.append(encode_leaf(leaf))
        self.sections.append(opened)

    def facts(self, index: int) -> dict[str, object]:
        return {"before": None, "after": self.state(index), "reason": "はい, ok"}

    @staticmethod
    def state(index: int) -> dict[str, object]:
        return {"name": f"deployment {index % 3}", "change": index, "live": True}

    def checkpoint(self, size: int) -> str:
        return sign_checkpoint(Checkpoint(ORIGIN, size, self.naive.root(size)), self.key)

    def receipt(self, index: int, size: int | None = None) -> str:
        size = size or self.size
        path = tuple(self.naive.path(index, 0, size))
        return Receipt(index, path, self.checkpoint(size)).to_text()

    def bundle(
        self,
        indexes: Sequence[int],
        size: int | None = None,
        older: Sequence[int] = (),
        state: Mapping[str, str] | None = None,
        hidden: Sequence[str] = (),
    ) -> bytes:
        size = size or self.size
        return write_bundle(
            origin=ORIGIN,
            keys=[self.key.verifier.to_text()],
            checkpoint=self.checkpoint(size),
            entries=[
                BundleEntry(
                    index,
                    self.leaves[index],
                    self.naive.path(index, 0, size),
                    {name: value for name, value in self.sections[index].items() if name not in hidden},
                )
                for index in indexes
            ],
            consistency=[
                (self.checkpoint(first), self.naive.proof(first, 0, size) if first else []) for first in older
            ],
            state=state,
        )


def naive_commit(salt: bytes, entry_id: str, name: str, body: bytes) -> bytes:
    """The commitment written out, with hmac's three-step interface."""
    mac = hmac.new(salt, b"assay/section/v1", "sha256")
    for text in (ORIGIN, entry_id, name):
        mac.update(len(text.encode()).to_bytes(4, "big"))
        mac.update(text.encode())
    mac.update(body)
    return mac.digest()
