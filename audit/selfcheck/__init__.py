"""The continuous self-check: every stored byte is hashed again and held against the signed checkpoints."""

from audit.selfcheck.comparing import Contradicting
from audit.selfcheck.findings import Finding
from audit.selfcheck.running import ComparisonFailed, run, verify
from audit.selfcheck.telling import SelfCheckResult

__all__ = ["ComparisonFailed", "Contradicting", "Finding", "SelfCheckResult", "run", "verify"]
