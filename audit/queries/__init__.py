"""Every read of the ledger. Results are frozen dataclasses or bytes, never rows that could query again."""

from audit.queries.bundles import MAX_BUNDLE_ENTRIES, TooManyEntries, bundle
from audit.queries.checkpoints import (
    CheckpointRow,
    checkpoint_at,
    checkpoint_covering,
    head_size,
    is_frozen,
    latest_checkpoint,
)
from audit.queries.clock import database_now
from audit.queries.completed import changed_between, completed_from, outside_of_completed
from audit.queries.entries import (
    EntryNotFound,
    EntryRow,
    SectionRow,
    entries,
    entries_after,
    entry,
    known_subjects,
    section_facts,
    sections_of,
    sources_of,
)
from audit.queries.erasures import erasures_of
from audit.queries.proofs import NotCovered, consistency, inclusion, receipt
from audit.queries.state import StateRow, Step, history, newest_snapshot, snapshot_erased, state_at, states_at, steps
from audit.queries.targets import TargetRow, targets
from audit.queries.telemetry import DeviceRow, Summary, WindowRow, newest_windows, summary, windows

__all__ = [
    "MAX_BUNDLE_ENTRIES",
    "CheckpointRow",
    "DeviceRow",
    "EntryNotFound",
    "EntryRow",
    "NotCovered",
    "SectionRow",
    "StateRow",
    "Step",
    "Summary",
    "TargetRow",
    "TooManyEntries",
    "WindowRow",
    "bundle",
    "changed_between",
    "checkpoint_at",
    "checkpoint_covering",
    "completed_from",
    "consistency",
    "database_now",
    "entries",
    "entries_after",
    "entry",
    "erasures_of",
    "head_size",
    "history",
    "inclusion",
    "is_frozen",
    "known_subjects",
    "latest_checkpoint",
    "newest_snapshot",
    "newest_windows",
    "outside_of_completed",
    "receipt",
    "section_facts",
    "sections_of",
    "snapshot_erased",
    "sources_of",
    "state_at",
    "states_at",
    "steps",
    "summary",
    "targets",
    "windows",
]
