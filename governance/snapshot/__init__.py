"""Governed rows as the ledger holds them: full snapshots, and the digests that approvals bind."""

from governance.snapshot.digests import Artefact, RevisionContent, canonical, decision_digest, digest
from governance.snapshot.rows import FIELDS, UnknownKind, snapshot

__all__ = [
    "FIELDS",
    "Artefact",
    "RevisionContent",
    "UnknownKind",
    "canonical",
    "decision_digest",
    "digest",
    "snapshot",
]
