"""What must hold after a storm, looked up in the database and recomputed without the ledger's own code."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import psycopg

SOURCE = "source:crash"


class Wrong(RuntimeError):
    """The ledger lost, doubled or muddled something."""


@dataclass(frozen=True, slots=True)
class Found:
    """The log as it stands after the storm."""

    entries: int
    acknowledged: int
    repeated: int
    """Events that were stored though the writer died before it heard of it."""


def check(notebooks: Path, address: str) -> Found:
    """Compare the writers' notebooks with the database.

    Raises:
        Wrong: naming the first thing that does not hold.
    """
    sent, answers = _notes(notebooks)
    with psycopg.connect(address) as connection:
        entries = connection.execute(
            "SELECT e.index, e.leaf, e.leaf_hash, e.source, e.received_at, s.body FROM entry e"
            " LEFT JOIN section s ON s.entry_index = e.index ORDER BY e.index"
        ).fetchall()
        head = connection.execute("SELECT size, root, received_at FROM head").fetchone()
        counted = connection.execute("SELECT entry_index, count(*) FROM event_key GROUP BY 1").fetchall()
        tiles = connection.execute("SELECT level, n, data FROM tile ORDER BY level, n").fetchall()
    assert head is not None
    keys: dict[int, int] = dict(counted)
    if [row[0] for row in entries] != list(range(len(entries))) or head[0] != len(entries):
        raise Wrong("The indexes are not contiguous from 0 to the head, or an entry has not exactly one section.")
    times = [row[4] for row in entries]
    if times != sorted(times) or (times and times[-1] > head[2]):
        raise Wrong("received_at goes back somewhere.")
    hashes = [hashlib.sha256(b"\x00" + row[1]).digest() for row in entries]
    if any(hashed != row[2] for hashed, row in zip(hashes, entries, strict=True)):
        raise Wrong("A stored leaf hash is not that of its leaf.")
    _check_tree(hashes, head[1], tiles)
    stored = {
        json.loads(row[5])["name"]: (row[0], hashed)
        for row, hashed in zip(entries, hashes, strict=True)
        if row[3] == SOURCE
    }
    ours = sum(row[3] == SOURCE for row in entries)
    if len(stored) != ours:
        raise Wrong(f"{ours - len(stored)} events stand in the log twice.")
    if set(stored) != sent:
        raise Wrong(f"{len(sent - set(stored))} events are missing, {len(set(stored) - sent)} were never sent.")
    for name, (index, hashed, _status) in answers.items():
        if stored[name] != (index, hashed):
            raise Wrong(f"{name} was acknowledged as entry {index}, but stands at {stored[name][0]}.")
        if keys.get(index) != 1:
            raise Wrong(f"Entry {index} has {keys.get(index, 0)} idempotency keys.")
    if set(answers) != sent:
        raise Wrong(f"{len(sent - set(answers))} events were never answered.")
    return Found(len(entries), len(answers), sum(status == "duplicate" for _i, _h, status in answers.values()))


def _notes(folder: Path) -> tuple[set[str], dict[str, tuple[int, bytes, str]]]:
    sent: set[str] = set()
    answers: dict[str, tuple[int, bytes, str]] = {}
    for notebook in sorted(folder.glob("writer-*")):
        for line in notebook.read_text(encoding="ascii").splitlines():
            kind, name, *rest = line.split(" ")
            if kind == "send":
                sent.add(name)
            else:
                answers[name] = (int(rest[0]), bytes.fromhex(rest[1]), rest[2])
    return sent, answers


def _check_tree(hashes: list[bytes], root: bytes, tiles: list[tuple[int, int, bytes]]) -> None:
    """RFC 6962 by whole levels: pairs are hashed, an odd last one is carried up; every 256 of a tile level are a
    tile.
    """
    expected: dict[tuple[int, int], bytes] = {}
    level, height = list(hashes), 0
    while True:
        if height % 8 == 0:
            for n in range(len(level) >> 8):
                expected[height // 8, n] = b"".join(level[n << 8 : (n + 1) << 8])
        if len(level) < 2:
            break
        # Only complete subtrees stand in tiles: the carried one is dropped from what tiles are made of by the width.
        level = [
            hashlib.sha256(b"\x01" + level[at] + level[at + 1]).digest() if at + 1 < len(level) else level[at]
            for at in range(0, len(level), 2)
        ]
        height += 1
    if (level[0] if level else hashlib.sha256().digest()) != root:
        raise Wrong("The head's root is not what the leaves hash to.")
    whole = {(number, n): data for number, n, data in tiles}
    if whole != {place: data for place, data in expected.items() if _is_complete(place, len(hashes))}:
        raise Wrong("The stored tiles are not those of the leaves.")


def _is_complete(place: tuple[int, int], size: int) -> bool:
    level, n = place
    return (n + 1) << 8 * (level + 1) <= size
