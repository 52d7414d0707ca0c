"""Tables and constraints of the ledger and of everything that flows into it."""

from audit.models.access import Person, ServiceAccount, Source, Token, TokenDay, User
from audit.models.erasure import (
    Erasure,
    ErasureDecision,
    ErasureRequest,
    HoldRelease,
    LegalHold,
    RetentionFloor,
)
from audit.models.log import (
    Alarm,
    Checkpoint,
    Entry,
    EventKey,
    Head,
    Section,
    SignerLease,
    Tile,
)
from audit.models.notices import Notice, NoticeAttempt
from audit.models.pools import PoolChange, RefusalWindow, SessionRefusal
from audit.models.selfcheck import SelfCheck, SelfCheckComparison
from audit.models.signing import KeyStatement, Thaw
from audit.models.telemetry import (
    Gap,
    HardwareSample,
    RecordKind,
    SealCursor,
    SlotOutcome,
    Target,
    TargetKind,
    TargetState,
    UsageKey,
    UsageRecord,
    Window,
)

__all__ = [
    "Alarm",
    "Checkpoint",
    "Entry",
    "Erasure",
    "ErasureDecision",
    "ErasureRequest",
    "EventKey",
    "Gap",
    "HardwareSample",
    "Head",
    "HoldRelease",
    "KeyStatement",
    "LegalHold",
    "Notice",
    "NoticeAttempt",
    "Person",
    "PoolChange",
    "RecordKind",
    "RefusalWindow",
    "RetentionFloor",
    "SealCursor",
    "Section",
    "SelfCheck",
    "SelfCheckComparison",
    "ServiceAccount",
    "SessionRefusal",
    "SignerLease",
    "SlotOutcome",
    "Source",
    "Target",
    "TargetKind",
    "TargetState",
    "Thaw",
    "Tile",
    "Token",
    "TokenDay",
    "UsageKey",
    "UsageRecord",
    "User",
    "Window",
]
