"""Log folders to verify and to damage."""

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.keys import SigningKey
from audit.tlog.tiles import bundle_path, encode_bundle, tile_path
from audit.tlog.tree import EMPTY_EDGE, TILE_WIDTH, leaf_hashes, parents
from tests.unit.tlog_reference import ORIGIN, SampleLog

KEY = SigningKey.generate(ORIGIN, bytes(range(32)))


def many_leaves(count: int) -> list[bytes]:
    """Leaves that differ in their ids only, made fast."""
    before, after = SampleLog(1).leaves[0].split(b'"entry-0"')
    return [b'%b"entry-%d"%b' % (before, index, after) for index in range(count)]


def write_tree(folder: Path, leaves: Sequence[bytes], size: int | None = None) -> bytes:
    """Write all tiles and bundles that a tree of `size` leaves needs; its root."""
    size = len(leaves) if size is None else size
    for start in range(0, size, TILE_WIDTH):
        some = leaves[start : min(size, start + TILE_WIDTH)]
        put(folder / bundle_path(start // TILE_WIDTH, len(some)), encode_bundle(some))
    row = leaf_hashes(leaves[:size])
    root = EMPTY_EDGE.extend(row).root()
    level = 0
    while row:
        for start in range(0, len(row), TILE_WIDTH):
            some = row[start : start + TILE_WIDTH]
            put(folder / tile_path(level, start // TILE_WIDTH, len(some)), b"".join(some))
        for _ in range(8):
            row = parents(row)
        level += 1
    return root


def write_checkpoints(folder: Path, leaves: Sequence[bytes], sizes: Iterable[int], key: SigningKey = KEY) -> None:
    """Sign the newest of the sizes as the folder's checkpoint and keep the others beside it."""
    notes = [
        (size, sign_checkpoint(Checkpoint(ORIGIN, size, EMPTY_EDGE.extend(leaf_hashes(leaves[:size])).root()), key))
        for size in sorted(sizes)
    ]
    put(folder / "checkpoint", notes[-1][1].encode())
    if len(notes) > 1:
        put_lines(folder / "checkpoints.jsonl", [{"size": size, "note": note} for size, note in notes])
    put(folder / "keys", f"{key.verifier.to_text()}\n".encode())


def write_sections(folder: Path, log: SampleLog, indexes: Iterable[int]) -> int:
    """Disclose all sections of some entries; how many."""
    lines = [
        {"index": index, "name": name, "media": "application/json", "salt": b64(salt), "body": b64(body)}
        for index in indexes
        for name, (salt, body) in sorted(log.sections[index].items())
    ]
    put_lines(folder / "sections.jsonl", lines)
    return len(lines)


def put_lines(path: Path, items: Iterable[object]) -> None:
    put(path, "".join(json.dumps(item, separators=(",", ":")) + "\n" for item in items).encode())


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def unmeasured() -> dict[str, str]:
    """The environment for a program whose source is not this repository's files, so that coverage leaves it alone."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
