"""A log as it is published: a folder that grows, and what a dishonest operator can do to it."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.keys import SigningKey
from audit.tlog.leaf import Leaf, encode_leaf
from audit.tlog.tiles import TILE_WIDTH, bundle_path, encode_bundle, tile_path
from audit.tlog.tree import leaf_hashes, root_of, tile_root

ORIGIN = "assay.example/mirrored"
KEY = SigningKey.generate(ORIGIN, bytes(range(64, 96)))
OTHER_KEY = SigningKey.generate(ORIGIN, bytes(range(96, 128)))
_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def leaf(number: int, *, word: str = "first") -> bytes:
    """A real leaf; another `word` makes another leaf."""
    moment = _NOON + timedelta(seconds=number)
    return encode_leaf(
        Leaf(ORIGIN, f"id-{number}", "demo.note", "app", f"deployment:{word}", "system:test", moment, moment, {})
    )


def leaves(count: int, *, changed: int | None = None) -> list[bytes]:
    """The first entries of the log; from `changed` on those of another history."""
    return [leaf(n, word="first" if changed is None or n < changed else "other") for n in range(count)]


def publish(folder: Path, entries: Sequence[bytes], *, key: SigningKey = KEY, keep: bool = True) -> str:
    """Publish a checkpoint of exactly these entries with all its tiles; returns the note.

    `keep` leaves older partial tiles in place, as a log does until the full ones are there.
    """
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    hashes = leaf_hashes(entries)
    note = sign_checkpoint(Checkpoint(ORIGIN, len(entries), root_of(hashes)), key)
    for start in range(0, len(entries), TILE_WIDTH):
        part = entries[start : start + TILE_WIDTH]
        put(folder, bundle_path(start // TILE_WIDTH, len(part)), encode_bundle(part))
    level, row = 0, hashes
    while row:
        full = []
        for start in range(0, len(row), TILE_WIDTH):
            part = row[start : start + TILE_WIDTH]
            put(folder, tile_path(level, start // TILE_WIDTH, len(part)), b"".join(part))
            if len(part) == TILE_WIDTH:
                full.append(tile_root(b"".join(part)))
        level, row = level + 1, full
    put(folder, "keys", f"{KEY.verifier.to_text()}\n".encode())
    put(folder, "checkpoint", note.encode())
    return note


def put(folder: Path, path: str, data: bytes) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def flip(folder: Path, path: str, place: int = -1) -> None:
    """Flip one bit of a file."""
    data = bytearray((folder / path).read_bytes())
    data[place] ^= 1
    (folder / path).write_bytes(bytes(data))


def files(folder: Path) -> dict[str, bytes]:
    """Every published file of a folder, without partial tiles beside full ones."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".mirror" not in path.parts
    }
    return {path: data for path, data in found.items() if path.partition(".p/")[0] not in found or ".p/" not in path}
