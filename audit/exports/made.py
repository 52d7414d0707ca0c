"""A file that is handed out, and the entry about it, which stands before the first byte leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.db import transaction

from audit import ledger
from audit.events import EventType


@dataclass(frozen=True, slots=True)
class Made:
    """A finished file, read from its start. `entry` tells that it was handed out."""

    name: str
    media: str
    file: IO[bytes]
    bytes: int
    sha256: str
    entry: int


def hand_out(
    *, told_as: EventType, subject: str, facts: Mapping[str, object], file: IO[bytes], name: str, media: str,
    sha256: str, actor: str, now: datetime,
) -> Made:  # fmt: skip
    """Record that `file` goes out to `actor`, with its digest and length beside `facts`, and give it back."""
    size = file.seek(0, 2)
    file.seek(0)
    said = {**facts, "file": name, "bytes": size, "sha256": sha256}
    event = ledger.Event(
        type=told_as,
        subject=subject,
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts(said),),
    )
    with transaction.atomic(durable=True):
        made = ledger.append(events=[event])
    return Made(name, media, file, size, sha256, made[0].index)
