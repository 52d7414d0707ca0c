"""Legal holds: one person places one, another releases it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from audit import ledger
from audit.erasure.base import MAX_TEXT, MIN_REASON, Refused, change, restricted, text
from audit.erasure.rights import why_not_hold, why_not_release
from audit.events import EventType
from audit.models import HoldRelease, LegalHold, User
from audit.queries.erasures import hold
from audit.queries.names import recorded

MAX_REFERENCE: Final = 200
MAX_WORD: Final = 256
MAX_INDEX: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Scope:
    """Which entries a hold is on: those that fit everything given. At least one must be.

    Attributes:
        subject: as in the leaf, or a pipeline's own word for it; empty for any. It must be in the log.
        source, type: exactly as in the leaf; empty for any.
        first, last: a range of indexes, both ends included; None for all.
    """

    subject: str = ""
    source: str = ""
    type: str = ""
    first: int | None = None
    last: int | None = None


def place_hold(*, reference: str, scope: Scope, by: User, now: datetime) -> UUID:
    """Forbid every erasure in `scope` until the hold is released; returns its id. Entry: `hold.placed`.

    Entries that come later are held too. The reference names a case, never a person: it stands for ever.

    Raises:
        Refused: not this log-in's to place, no reference, no scope, a subject that no entry is about, or a range that
            is none.
    """
    if refusal := why_not_hold(by):
        raise Refused("", refusal)
    reference = text("reference", reference, least=1, most=MAX_REFERENCE)
    scope = _checked(scope)
    with change():
        row = LegalHold.objects.create(
            reference=reference,
            subject=scope.subject,
            source=scope.source,
            type=scope.type,
            first_index=scope.first,
            last_index=scope.last,
            placed_by=by.person_id,
            account_id=by.pk,
            placed_at=now,
        )
        facts = {"hold": str(row.id), "reference": reference, "scope": asdict(scope), "placed_by": by.actor}
        ledger.append(events=[_event(EventType.HOLD_PLACED, row.id, by, now, ledger.facts(facts))])
    return row.id


def release_hold(*, hold_id: UUID, reason: str, by: User, now: datetime) -> int:
    """End a hold, as another person than the one who placed it; returns the index of its entry, `hold.released`.

    Raises:
        Refused: not this log-in's to release, or released already.
        audit.queries.erasures.ErasureNotFound: there is no such hold.
    """
    held = hold(hold_id)
    if refusal := why_not_release(by, placed_by=held.placed_by):
        raise Refused("", refusal)
    reason = text("reason", reason, least=MIN_REASON, most=MAX_TEXT)
    facts = {
        "hold": str(held.id),
        "reference": held.reference,
        "placed_by": f"person:{held.placed_by}",
        "released_by": by.actor,
    }
    with change():
        HoldRelease.objects.create(hold_id=held.id, released_by=by.person_id, account_id=by.pk, released_at=now)
        sections = (ledger.facts(facts), restricted({"reason": reason}))
        (done,) = ledger.append(events=[_event(EventType.HOLD_RELEASED, held.id, by, now, *sections)])
    return done.index


def _checked(scope: Scope) -> Scope:
    words = {name: text(name, getattr(scope, name), most=MAX_WORD) for name in ("subject", "source", "type")}
    if (scope.first is None) != (scope.last is None):
        raise Refused("last", _("A range has a first and a last entry."))
    if scope.first is not None and scope.last is not None and not 0 <= scope.first <= scope.last <= MAX_INDEX:
        raise Refused("last", _("The last entry must not come before the first."))
    if not any(words.values()) and scope.first is None:
        raise Refused("", _("Say what is held: a subject, a source, a type or a range of entries."))
    if words["subject"]:
        words["subject"] = _in_leaf(words["subject"])
    return Scope(**words, first=scope.first, last=scope.last)


def _in_leaf(subject: str) -> str:
    """How the subject stands in the leaves: in clear what Assay issued, in its hidden form what a pipeline calls it."""
    hidden = f"x:{ledger.secret_form(settings.LEDGER_HMAC_KEY, b'subject', subject).hex()}"
    found = recorded([subject, hidden])
    if not found:
        raise Refused(
            "subject", _("No entry is about this subject, so nothing would be held: write it as the pipeline sent it.")
        )
    return found


def _event(kind: EventType, hold_id: UUID, by: User, now: datetime, *sections: ledger.Section) -> ledger.Event:
    return ledger.Event(
        type=kind, subject=f"hold:{hold_id}", source="app", actor=by.actor, occurred_at=now, sections=sections
    )
