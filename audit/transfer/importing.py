"""A log folder into the database: rebuilt from its leaves in one transaction, or not at all.

Runs as the owner, because only the owner and the signer may write checkpoints. The triggers are on: what they refuse
for anybody, they refuse here.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import Error, connections, transaction

from audit import ledger
from audit.events import EventType
from audit.queries.completed import changed_between
from audit.tlog.bundleformat import BundleError
from audit.tlog.checkpoint import CheckpointError
from audit.tlog.encoding import EncodingError
from audit.tlog.keys import VerifierKey
from audit.tlog.leaf import LeafError
from audit.tlog.linefile import LineFileError
from audit.tlog.note import MalformedNoteError
from audit.tlog.section import SectionError
from audit.tlog.source import SourceError
from audit.tlog.tree import TreeError
from audit.transfer.loading import TABLES, Load, Loaded, Tell
from audit.transfer.reading import ImportRefused, check_folder

RUNS_IN_ENTRY = 10_000
BYTES_IN_ENTRY = 512 * 1024
"""Runs of absent sections told by one entry, and their length as JSON: its facts stay well below 1 MiB."""

_CHANGED: Final = (
    BundleError,
    CheckpointError,
    EncodingError,
    LeafError,
    LineFileError,
    MalformedNoteError,
    SectionError,
    SourceError,
    TreeError,
)
"""What a folder that was verified raises only when it is no longer the same."""


def import_log(
    *, folder: Path, complete: bool, now: datetime, jobs: int = 1, tell: Tell = lambda what, done, size: None
) -> Loaded:
    """Take a log folder into the database of this installation.

    Args:
        folder: an export; what was published or mirrored will do, but has no content and no keys of events.
        complete: the database holds an older copy of this very log: check that it is the beginning, add the rest.
            Without it the ledger must be empty.
        now: when the import is made.
        jobs: processes that verify the folder.
        tell: progress.

    Raises:
        ImportRefused: the folder does not verify, is of another log, or does not fit what is there.
        django.db.Error, psycopg.Error: the database refused; nothing was changed.
    """
    log = check_folder(folder, key=VerifierKey.parse(settings.LEDGER_VKEY), origin=settings.LEDGER_ORIGIN, jobs=jobs)
    try:
        with transaction.atomic(using="owner", durable=True):
            load = Load(log, connections["owner"].connection, complete=complete, tell=tell)
            loaded = load.run(now)
            if loaded.before:
                loaded = replace(loaded, changed=tuple(changed_between(loaded.before, loaded.size, using="owner")))
            if loaded.absent or loaded.changed:
                ledger.append(events=_told(loaded, now), using="owner")
    except _CHANGED as error:
        raise ImportRefused(f"The folder changed while it was read, so nothing was imported. {error}") from error
    try:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(TABLES)}")
    except Error:
        # The import is committed: to raise here would say that it is not.
        return replace(loaded, analyzed=False)
    return loaded


def _told(loaded: Loaded, now: datetime) -> list[ledger.Event]:
    """What the ledger itself says of sections that did not come along, and of entries that other tables do not follow:
    a gap is never silent.
    """
    parts = loaded.runs(RUNS_IN_ENTRY, BYTES_IN_ENTRY) or [[]]
    return [
        ledger.Event(
            type=EventType.LOG_IMPORTED,
            subject="log",
            source="app",
            actor="system:import",
            occurred_at=now,
            sections=(
                ledger.facts(
                    {
                        "absent": part,
                        "before": loaded.before,
                        "part": number,
                        "parts": len(parts),
                        "size": loaded.size,
                    }
                ),
            ),
        )
        for number, part in enumerate(parts, 1)
    ]
