"""The continuous self-check: every stored byte is hashed again and held against the signed checkpoints."""

from audit.selfcheck.findings import Contradicting, Finding
from audit.selfcheck.running import ComparisonFailed, SelfCheckResult, run, verify

__all__ = ["ComparisonFailed", "Contradicting", "Finding", "SelfCheckResult", "run", "verify"]
