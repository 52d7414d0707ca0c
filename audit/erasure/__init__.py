"""Erasing single sections of entries, and the holds that forbid it: every write, each with its entry."""

from audit.erasure.base import MAX_TEXT, MIN_REASON, Refused
from audit.erasure.bases import LegalBasis
from audit.erasure.holds import Scope, place_hold, release_hold
from audit.erasure.rights import why_not_ask, why_not_decide, why_not_hold, why_not_reject, why_not_release
from audit.erasure.sections import Decided, decide_erasure, request_erasure

__all__ = [
    "MAX_TEXT",
    "MIN_REASON",
    "Decided",
    "LegalBasis",
    "Refused",
    "Scope",
    "decide_erasure",
    "place_hold",
    "release_hold",
    "request_erasure",
    "why_not_ask",
    "why_not_decide",
    "why_not_hold",
    "why_not_reject",
    "why_not_release",
]
