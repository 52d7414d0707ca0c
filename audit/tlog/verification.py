"""What a verifier found: the checks it made, in words an auditor can read and in a form a machine can."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.encoding import encode_base64
from audit.tlog.keys import VerifierKey
from audit.tlog.leaf import Leaf, format_time

DISCLOSED: Final = "disclosed"
NOT_DISCLOSED: Final = "not disclosed"
WRONG: Final = "wrong"


def erased(told_by: int) -> str:
    """The status of an erased section: which entry tells of it."""
    return f"erased, see entry {told_by}"


def erased_later(told_by: int) -> str:
    """The status of a section whose erasure no entry under the checkpoint tells: not disclosed, and why."""
    return f"said to be erased by a later entry {told_by}, not shown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `index` is the log index of the entry it is about, if any."""

    name: str
    ok: bool
    detail: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry whose leaf was readable; whether it is proven is what the checks say."""

    index: int
    leaf: Leaf
    sections: Mapping[str, str]
    """Section name to DISCLOSED, NOT_DISCLOSED, WRONG or what `erased` or `erased_later` returns."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome for one file: verified when there are checks and all of them are ok."""

    kind: str
    """What it is: bundle, receipt, checkpoint, pdf or log folder."""
    checks: tuple[Check, ...]
    pinned: bool
    """False when the keys came with the file: then it is only shown to agree with itself."""
    keys: tuple[VerifierKey, ...] = ()
    """The keys whose signatures hold, or that came with the file when none does."""
    checkpoint: Checkpoint | None = None
    entries: tuple[VerifiedEntry, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether everything that was checked holds."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that do not hold, in the order they were made."""
        return tuple(check for check in self.checks if not check.ok)

    @property
    def first_bad_index(self) -> int | None:
        """Log index of the first entry that a failing check names."""
        return min((check.index for check in self.failures if check.index is not None), default=None)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready form, as `--json` prints it."""
        return {
            "verified": self.ok,
            "kind": self.kind,
            "key_pinned": self.pinned,
            "keys": [{"name": key.name, "key": key.to_text(), "fingerprint": key.fingerprint} for key in self.keys],
            "checkpoint": self.checkpoint and checkpoint_dict(self.checkpoint),
            "first_bad_index": self.first_bad_index,
            "checks": [
                {"name": check.name, "ok": check.ok, "detail": check.detail, "index": check.index}
                for check in self.checks
            ],
            "entries": [entry_dict(entry) for entry in self.entries],
        }


def checkpoint_dict(checkpoint: Checkpoint) -> dict[str, object]:
    """JSON-ready form of a checkpoint."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": encode_base64(checkpoint.root),
    }


def entry_dict(entry: VerifiedEntry) -> dict[str, object]:
    """JSON-ready form of an entry: its leaf's values and what is known of its sections."""
    leaf = entry.leaf
    return {
        "index": entry.index,
        "id": leaf.id,
        "type": leaf.type,
        "source": leaf.source,
        "subject": leaf.subject,
        "actor": leaf.actor,
        "occurred_at": format_time(leaf.occurred_at),
        "received_at": format_time(leaf.received_at),
        "sections": dict(entry.sections),
    }
