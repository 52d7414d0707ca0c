"""Governed rows as the ledger holds them: full snapshots, and the digests that approvals bind."""

from governance.snapshot.digests import AdapterUse, Artefact, RevisionContent, canonical, decision_digest, digest
from governance.snapshot.rows import FIELDS, KEPT_BACK, UnknownKind, snapshot

__all__ = [
    "FIELDS",
    "KEPT_BACK",
    "AdapterUse",
    "Artefact",
    "RevisionContent",
    "UnknownKind",
    "canonical",
    "decision_digest",
    "digest",
    "snapshot",
]
