"""What can come of asking a target."""

from enum import StrEnum


class Outcome(StrEnum):
    """Value of `slot_outcome.outcome`. Everything but `ok` is a missed slot: no record, which is not a zero."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    FORBIDDEN_NETWORK = "forbidden_network"
    REDIRECT = "redirect"
    STATUS = "status"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    METRICS_MISSING = "metrics_missing"
    FAILED = "failed"
