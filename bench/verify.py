"""Offline verification of a published log against bare hashlib doing the same leaf and node hashes."""

import argparse
import os
import statistics
import time
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit.tlog.folder import verify_folder
from audit.tlog.keys import VerifierKey
from audit.tlog.tiles import bundle_path, decode_bundle
from audit.tlog.tree import TILE_WIDTH
from bench import preload
from bench.arithmetic import alternate
from bench.figure import progress, rate
from bench.published import published

_IN_MEMORY: Final = 1 << 19
"""Leaves that the baseline hashes: as many as fit in some hundred MiB."""


class NotVerified(RuntimeError):
    """The verifier refused a log that should be good: no figure of it means anything."""


def run(options: argparse.Namespace) -> None:
    """Print `verify_vs_hashlib`: entries a second of processor time, both sides in one process."""
    from audit.queries import latest_checkpoint

    log = preload.template(options.preload)
    newest = latest_checkpoint()
    assert newest is not None
    folder = published(log)
    key = VerifierKey.parse(os.environ["LEDGER_VKEY"])
    leaves = _leaves(folder, min(newest.size, _IN_MEMORY))
    cores = os.cpu_count() or 1
    elapsed: list[float] = []

    def ours() -> float:
        processor, start = time.process_time(), time.perf_counter()
        _verify(folder, key, jobs=1)
        elapsed.append(time.perf_counter() - start)
        return newest.size / (time.process_time() - processor)

    def all_cores() -> float:
        start = time.perf_counter()
        _verify(folder, key, jobs=cores)
        return newest.size / (time.perf_counter() - start)

    sides = {"ours": ours, "hashlib": lambda: len(leaves) / _hash(leaves), "all_cores": all_cores}
    results = alternate(sides, options.rounds)
    progress(f"verify: {[round(r) for r in results['ours']]}/s, hashlib {[round(r) for r in results['hashlib']]}/s")
    parts = {
        "entries": newest.size,
        "leaf_bytes": round(sum(map(len, leaves)) / len(leaves)),
        "one_process_by_the_clock_per_s": round(newest.size / statistics.median(elapsed)),
        "all_cores_by_the_clock_per_s": round(statistics.median(results["all_cores"])),
        "cores": cores,
    }
    rate("verify_vs_hashlib", results["ours"], results["hashlib"], "entries/s", target=0.5, parts=parts).print()


def _verify(folder: Path, key: VerifierKey, *, jobs: int) -> None:
    report = verify_folder(folder, [key], jobs=jobs)
    if not report.ok:
        raise NotVerified(f"The published log was refused: {report.failures[0].detail}")


def _leaves(folder: Path, count: int) -> list[bytes]:
    """The first `count` entries of the published log."""
    leaves: list[bytes] = []
    for n in range(count // TILE_WIDTH):
        leaves += decode_bundle((folder / bundle_path(n)).read_bytes())
    return leaves


def _hash(leaves: list[bytes]) -> float:
    """Seconds of processor time for all leaf hashes and all node hashes above them, in memory, nothing else done."""
    start = time.process_time()
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(row) > 1:
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
    return time.process_time() - start
