"""Evidence that a request relies on: as it was when it was submitted, and where it stands now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from governance.models import RequestEvidence
from governance.queries.evidence import MARKS, Standing, evidence_standing, standing_word

SPOILT: Final = frozenset({Standing.REVOKED, Standing.EXPIRED})
"""Standings of evidence that no decision may rely on."""


@dataclass(frozen=True, slots=True)
class ReliedLine:
    """A piece of evidence that a request relies on."""

    id: UUID
    ref: str
    title: str
    sha256: str
    mark: str
    word: str


def relied_lines(request_id: UUID, now: datetime) -> tuple[ReliedLine, ...]:
    """What a request relies on, by number, in two queries."""
    rows = list(
        RequestEvidence.objects.filter(request=request_id).select_related("evidence").order_by("evidence__number")
    )
    states = evidence_standing([row.evidence_id for row in rows], now)
    return tuple(
        ReliedLine(
            row.evidence_id,
            row.evidence.ref,
            row.evidence.title,
            row.sha256,
            MARKS[states[row.evidence_id]],
            standing_word(states[row.evidence_id]),
        )
        for row in rows
    )


def spoilt(request_id: UUID, now: datetime) -> str:
    """Why a request cannot be approved because of what it relies on; empty when it can."""
    rows = RequestEvidence.objects.filter(request=request_id).select_related("evidence").order_by("evidence__number")
    found = {row.evidence_id: row.evidence.ref for row in rows}
    for pk, standing in evidence_standing(found, now).items():
        if standing in SPOILT:
            return _("%(ref)s, on which this request relies, is %(state)s now. Reject it or ask for changes.") % {
                "ref": found[pk],
                "state": standing_word(standing),
            }
    return ""
