"""Tables and constraints of the ledger and of everything that flows into it."""

from audit.models.access import Person, ServiceAccount, Source, Token, TokenDay, User
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
from audit.models.selfcheck import SelfCheck
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
    "EventKey",
    "Gap",
    "HardwareSample",
    "Head",
    "Person",
    "RecordKind",
    "SealCursor",
    "Section",
    "SelfCheck",
    "ServiceAccount",
    "SignerLease",
    "SlotOutcome",
    "Source",
    "Target",
    "TargetKind",
    "TargetState",
    "Tile",
    "Token",
    "TokenDay",
    "UsageKey",
    "UsageRecord",
    "User",
    "Window",
]
