"""Windows: many records sealed by one entry, amendments, gaps, and the proof of a single record."""

from audit.windows.prove import RecordNotSealed, RecordProof, prove_record
from audit.windows.seal import Sealed, seal_windows
from audit.windows.verify import Contradiction, contradictions

__all__ = [
    "Contradiction",
    "RecordNotSealed",
    "RecordProof",
    "Sealed",
    "contradictions",
    "prove_record",
    "seal_windows",
]
