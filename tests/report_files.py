"""A rendered sample report with a small real log around it, for the tests of files and of their verification."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import rfc8785

from audit.tlog.bundle import BundleEntry, write_bundle
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.keys import SigningKey
from audit.tlog.leaf import Leaf, SectionCommitment, encode_leaf
from audit.tlog.pdf import attach_receipt
from audit.tlog.proof import consistency_proof, inclusion_proof
from audit.tlog.section import commit
from audit.tlog.tree import leaf_hash, root_of
from reports import dataset
from reports.render import make
from tests.report_sample import sample

ORIGIN = "assay.example/demo"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
KEY = SigningKey.generate(ORIGIN, b"K" * 32)
TREE = 100
"""Entries in the tree the sample report is made from."""


class Entry(NamedTuple):
    leaf: bytes
    sections: dict[str, tuple[bytes, bytes]]


class Log:
    """Entries in memory, with proofs by the definition."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, kind: str, subject: str, facts: dict[str, Any], *, source: str = "app") -> int:
        index = len(self.entries)
        salt, body, name = sha256(b"salt%d" % index).digest(), rfc8785.dumps(facts), f"e{index}"
        commitment = commit(salt, ORIGIN, name, "facts", body)
        at = START + timedelta(seconds=index)
        leaf = Leaf(
            origin=ORIGIN,
            id=name,
            type=kind,
            source=source,
            subject=subject,
            actor="system:test",
            occurred_at=at,
            received_at=at,
            sections={"facts": SectionCommitment(commitment, len(body), "application/json")},
        )
        self.entries.append(Entry(encode_leaf(leaf), {"facts": (salt, body)}))
        return index

    def hashes(self) -> list[bytes]:
        return [leaf_hash(entry.leaf) for entry in self.entries]

    def hash_at(self, level: int, n: int) -> bytes:
        return root_of(self.hashes()[n << level : (n + 1) << level])

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(ORIGIN, size, root_of(self.hashes()[:size]))

    def note(self, size: int) -> str:
        return sign_checkpoint(self.checkpoint(size), KEY)

    def bundle(
        self, indexes: list[int], size: int, older: tuple[int, ...] = (), hide: frozenset[int] = frozenset()
    ) -> bytes:
        return write_bundle(
            origin=ORIGIN,
            keys=[KEY.verifier.to_text()],
            checkpoint=self.note(size),
            entries=[
                BundleEntry(
                    index,
                    self.entries[index].leaf,
                    inclusion_proof(index, size, self.hash_at),
                    {} if index in hide else self.entries[index].sections,
                )
                for index in indexes
            ],
            consistency=[(self.note(first), consistency_proof(first, size, self.hash_at)) for first in older],
        )


class Files(NamedTuple):
    """The sample report at every stage. `report.rendered` is entry `rendered` of `log`."""

    log: Log
    report: dataset.Report
    facts: bytes
    revision1: bytes
    receipt: bytes
    revision2: bytes
    rendered: int


def said(report: dataset.Report, data: bytes, facts: bytes, **changes: Any) -> dict[str, Any]:
    """Facts of a `report.rendered` entry."""
    return {
        "report": report.report,
        "sha256": sha256(data).hexdigest(),
        "size": len(data),
        "dataset_sha256": sha256(dataset.canonical_json(report)).hexdigest(),
        "facts_sha256": sha256(facts).hexdigest(),
        "tree_size": report.checkpoint.size,
        **changes,
    }


@cache
def small_log() -> tuple[Log, dataset.Report]:
    """A log of TREE entries, and the sample report with the leaf hashes and checkpoint of that log."""
    log, report = Log(), sample()
    for _ in range(TREE):
        log.add("window.usage", "deployment:sample", {"n": len(log.entries)})
    point = log.checkpoint(TREE)
    rows = tuple(replace(row, leaf_hash=log.hashes()[row.index].hex()) for row in report.register)
    checkpoint = dataset.Checkpoint(
        origin=ORIGIN,
        size=TREE,
        root=point.root.hex(),
        note=log.note(TREE),
        key_name=ORIGIN,
        key_fingerprint=KEY.verifier.fingerprint,
    )
    return log, replace(report, register=rows, checkpoint=checkpoint)


@cache
def files() -> Files:
    """Made once in a process: rendering takes seconds."""
    log, report = small_log()
    facts = log.bundle([row.index for row in report.register], TREE)
    revision1 = make.made_from(report, dataset.canonical_json(report), facts)
    return finished(log, report, facts, revision1)


def finished(log: Log, report: dataset.Report, facts: bytes, revision1: bytes, **changes: Any) -> Files:
    """Enter `revision1` in a copy of `log`, with `changes` to what the entry says, and attach the receipt."""
    longer = Log()
    longer.entries = [*log.entries]
    rendered = longer.add("report.rendered", report.report, said(report, revision1, facts, **changes))
    longer.add("log.other", "log", {})
    receipt = longer.bundle([rendered], len(longer.entries), (TREE,))
    return Files(longer, report, facts, revision1, receipt, attach_receipt(revision1, receipt), rendered)
