"""Asking for the erasure of a section, and deciding it. An approval erases: row, deletion and entry in one commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connections
from django.utils.translation import gettext as _

from audit import ledger
from audit.erasure.base import MAX_TEXT, MIN_REASON, Refused, change, restricted, text
from audit.erasure.bases import LegalBasis
from audit.erasure.rights import why_not_ask, why_not_decide, why_not_reject
from audit.events import EventType
from audit.models import Erasure, ErasureDecision, ErasureRequest, User
from audit.queries.erasures import Erasable, RequestRow, erasable, is_asked_for, request
from audit.tlog.leaf import format_time

APPROVE: Final = ErasureDecision.Decision.APPROVE.value
REJECT: Final = ErasureDecision.Decision.REJECT.value


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: the entry that tells it, and whether the section is gone."""

    entry: int
    erased: bool


def request_erasure(*, entry_index: int, section: str, legal_basis: str, reason: str, by: User, now: datetime) -> UUID:
    """Ask for a section to be erased; returns the request's id. Entry: `erasure.requested`.

    The entry's facts hold codes and ids only; the reason stands in a section that can itself be erased.

    Args:
        legal_basis: a value of `LegalBasis`.
        reason: 10 to 2,000 characters, for those who decide.

    Raises:
        Refused: not this log-in's to ask, no such section, erased or asked for already, kept for ever, or held.
    """
    if refusal := why_not_ask(by):
        raise Refused("", refusal)
    if legal_basis not in LegalBasis.values:
        raise Refused("legal_basis", _("Choose one of the legal bases."))
    reason = text("reason", reason, least=MIN_REASON, most=MAX_TEXT)
    with change():
        target = _target(entry_index, section, now=now)
        if is_asked_for(entry_index, section):
            raise Refused("", _("Its erasure is asked for already and waits for a decision."))
        row = ErasureRequest.objects.create(
            entry_index=entry_index,
            name=section,
            legal_basis=legal_basis,
            requested_by=by.person_id,
            account_id=by.pk,
            requested_at=now,
        )
        facts = {**_facts(row.id, target, legal_basis, by.actor), "before_floor": target.before_floor}
        _append(EventType.ERASURE_REQUESTED, row.id, facts, reason, by, now)
    return row.id


def decide_erasure(*, request_id: UUID, decision: str, reason: str, by: User, now: datetime) -> Decided:
    """Approve a request, which erases the section (entry `section.erased`), or reject it (`erasure.rejected`).

    Before the retention floor another person than the one who asked must approve; after it, one member of Data
    protection may do both. The database's clock decides which it is, and the entry says so for ever. Who asked
    may reject their own request, which takes it back.

    Args:
        decision: `approve` or `reject`.
        reason: 10 to 2,000 characters; stands in a section that can itself be erased.

    Raises:
        Refused: not this log-in's to decide, decided or erased already, kept for ever, or held.
        audit.queries.erasures.ErasureNotFound: nobody asked under this id.
    """
    if decision not in ErasureDecision.Decision.values:
        raise Refused("decision", _("Choose to approve or to reject."))
    asked = request(request_id)
    reason = text("reason", reason, least=MIN_REASON, most=MAX_TEXT)
    with change():
        if decision == REJECT:
            return _reject(asked, reason, by, now)
        target = _target(asked.entry_index, asked.name, now=now)
        if refusal := why_not_decide(by, requested_by=asked.requested_by, before_floor=target.before_floor):
            raise Refused("", refusal)
        _decide(asked, decision, by, now)
        gone = _erase(asked.id)
        facts = {
            **_facts(asked.id, target, gone.legal_basis, f"person:{gone.requested_by}"),
            "approved_by": f"person:{gone.approved_by}" if gone.approved_by else None,
            "before_floor": gone.override,
            "erased_at": format_time(gone.erased_at),
        }
        return Decided(_append(EventType.SECTION_ERASED, asked.id, facts, reason, by, now), erased=True)


def _reject(asked: RequestRow, reason: str, by: User, now: datetime) -> Decided:
    if refusal := why_not_reject(by, requested_by=asked.requested_by):
        raise Refused("", refusal)
    _decide(asked, REJECT, by, now)
    facts: dict[str, object] = {
        "request": str(asked.id),
        "entry": asked.entry_index,
        "section": asked.name,
        "requested_by": f"person:{asked.requested_by}",
        "rejected_by": by.actor,
    }
    return Decided(_append(EventType.ERASURE_REJECTED, asked.id, facts, reason, by, now), erased=False)


def _target(index: int, section: str, *, now: datetime) -> Erasable:
    """The section as it stands, when it may be erased at all."""
    found = next((item for item in erasable(index, now=now) if item.name == section), None)
    if found is None:
        raise Refused("section", _("There is no such section: name an entry and one of its sections."))
    if not found.kept:
        raise Refused("", _("This section is erased already, see entry %(entry)s.") % {"entry": found.erased_by})
    if found.floor_ends is None:
        raise Refused("", _("What tells of an erasure or a hold stays for ever."))
    if found.holds:
        references = ", ".join(hold.reference for hold in found.holds)
        raise Refused(
            "", _("A legal hold is on this entry: %(references)s. Release it first.") % {"references": references}
        )
    return found


def _decide(asked: RequestRow, decision: str, by: User, now: datetime) -> None:
    ErasureDecision.objects.create(
        request_id=asked.id, decision=decision, decided_by=by.person_id, account_id=by.pk, decided_at=now
    )


def _erase(request_id: UUID) -> Erasure:
    """Delete the section by the owner's function: the app role has no right to."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT erase_section(%s)", [request_id])
    return Erasure.objects.get(request_id=request_id)


def _facts(request_id: UUID, target: Erasable, legal_basis: str, requested_by: str) -> dict[str, object]:
    return {
        "request": str(request_id),
        "entry": target.entry_index,
        "section": target.name,
        "type": target.type,
        "legal_basis": legal_basis,
        "requested_by": requested_by,
        "floor_ends": format_time(target.floor_ends) if target.floor_ends else None,
    }


def _append(kind: EventType, request_id: UUID, facts: dict[str, object], reason: str, by: User, now: datetime) -> int:
    event = ledger.Event(
        type=kind,
        subject=f"erasure:{request_id}",
        source="app",
        actor=by.actor,
        occurred_at=now,
        sections=(ledger.facts(facts), restricted({"reason": reason})),
    )
    return ledger.append(events=[event])[0].index
