"""The standing of a registered thing for its page, and who may change it."""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db.models import Model as Table
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from audit import queries as log
from audit.access.tokens import Credential
from audit.models import ServiceAccount, User
from audit.queries.roles import OPERATORS, REVIEWERS, SECURITY
from governance.lifecycle import BLOCKING, SUCCESSORS, Change, State, Step, Who, changes_from
from governance.models import Standing
from governance.queries.objects import labels
from governance.queries.people import names_of
from governance.queries.reconciling import TABLES
from governance.queries.rights import Viewer, viewer, why_not_register

SHOWN: Final = 20
CHOICES: Final = 200
GUARDS: Final = frozenset({OPERATORS, REVIEWERS, SECURITY})
"""Pools that set and lift a quarantine."""

SUBJECTS: Final = MappingProxyType[str, type[Table]](
    {kind: TABLES[kind] for kind in Standing.Kind.values if kind in TABLES}
)
"""Kinds that have a standing, with their tables."""

MARKS: Final = MappingProxyType(
    {
        State.ACTIVE: "ok",
        State.DEPRECATED: "warn",
        State.SUPERSEDED: "warn",
        State.RETIRED: "none",
        State.QUARANTINED: "bad",
    }
)
STEPS: Final = MappingProxyType(
    {
        Step.DEPRECATE: gettext_lazy("Deprecate"),
        Step.SUPERSEDE: gettext_lazy("Supersede"),
        Step.RETIRE: gettext_lazy("Retire"),
        Step.REINSTATE: gettext_lazy("Reinstate"),
        Step.QUARANTINE: pgettext_lazy("verb", "Quarantine"),
        Step.LIFT: gettext_lazy("Lift the quarantine"),
    }
)


class SubjectNotFound(LookupError):
    """Nothing of this kind has this id."""


@dataclass(frozen=True, slots=True)
class Stands:
    """Who wants to change a standing: `log_in` is None for a service account, for which `person_id` answers."""

    log_in: Viewer | None
    person_id: UUID


@dataclass(frozen=True, slots=True)
class StandingLine:
    """One record of a standing. `entry` is its place in the log."""

    number: int
    mark: str
    word: str
    reason: str
    successor_id: UUID | None
    successor: str
    by: str
    at: datetime
    entry: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A change that could follow; `blocked` says why this person may not make it, empty when they may."""

    state: str
    word: str
    takes_successor: bool
    blocked: str


@dataclass(frozen=True, slots=True)
class StandingView:
    """The standing of one thing as a person sees it.

    Attributes:
        number: of the newest record, 0 without one.
        lines: the records, newest first.
    """

    kind: str
    id: UUID
    name: str
    number: int
    state: str
    mark: str
    word: str
    blocking: bool
    lines: tuple[StandingLine, ...]
    offers: tuple[Offer, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why some changes are not this person's, each sentence once."""
        return tuple(dict.fromkeys(offer.blocked for offer in self.offers if offer.blocked))


def standing_view(kind: str, subject_id: UUID, *, user: User) -> StandingView:
    """The standing of a registered thing, and what `user` may make of it, in a constant number of queries.

    Raises:
        SubjectNotFound: there is no such thing, or things of this kind have no standing.
    """
    name = labels(kind, [subject_id]).get(subject_id) if kind in SUBJECTS else None
    if name is None:
        raise SubjectNotFound("There is no such thing.")
    rows = list(Standing.objects.filter(subject_kind=kind, subject_id=subject_id).order_by("-number")[:SHOWN])
    last = rows[0] if rows else None
    state = State(last.state) if last else State.ACTIVE
    mark, word = standing_mark(state)
    setter, who = last.person_id if last else None, Stands(viewer(user), user.person_id)
    blocked = {by: _why_not(by, who, setter) for by in {found.by for found in changes_from(state)}}
    return StandingView(
        kind=kind,
        id=subject_id,
        name=name,
        number=last.number if last else 0,
        state=state.value,
        mark=mark,
        word=word,
        blocking=state in BLOCKING,
        lines=_lines(kind, rows),
        offers=tuple(
            Offer(found.end.value, str(STEPS[found.step]), found.end in SUCCESSORS, blocked[found.by])
            for found in changes_from(state)
        ),
    )


def same_kind(kind: str, *, but: UUID) -> tuple[tuple[UUID, str], ...]:
    """The first things of a kind by their ids, for choosing a successor among them."""
    if kind not in SUBJECTS:
        return ()
    ids = SUBJECTS[kind]._default_manager.exclude(pk=but).order_by("pk").values_list("pk", flat=True)[:CHOICES]
    return tuple(sorted(labels(kind, ids).items(), key=lambda pair: pair[1]))


def standing_mark(state: str) -> tuple[str, str]:
    """Shape and word of a standing."""
    return MARKS[State(state)], str(Standing.State(state).label).capitalize()


def is_registered(kind: str, subject_id: UUID) -> bool:
    """Whether there is such a thing."""
    return SUBJECTS[kind]._default_manager.filter(pk=subject_id).exists()


def newest_standing(kind: str, subject_id: UUID) -> Standing | None:
    """The record that counts for a thing; None while there is none."""
    return Standing.objects.filter(subject_kind=kind, subject_id=subject_id).order_by("-number").first()


def who_stands(by: "User | ServiceAccount | Credential") -> Stands:
    """The one who acts, as the rules of standings see them."""
    return Stands(viewer(by), by.person_id) if isinstance(by, User) else Stands(None, by.owner_id)


def why_not_change(found: Change, who: Stands, setter: UUID | None) -> str:
    """Why `who` may not make a change; empty when they may. `setter` is who answers for the standing that counts."""
    return _why_not(found.by, who, setter)


def _why_not(by: Who, who: Stands, setter: UUID | None) -> str:
    if by is Who.OTHER_GUARDS and who.person_id == setter:
        return _("You set this quarantine. Another person lifts it, whatever log-in you use.")
    if by is Who.OTHER_GUARDS and who.log_in is None:
        return _("A person who has logged in lifts a quarantine; a token cannot.")
    seen = who.log_in
    if seen is None:
        return ""
    if by is Who.REGISTRARS:
        return why_not_register(seen)
    if not seen.active:
        return _("Your log-in is closed.")
    if not GUARDS & seen.pools:
        return _("Only members of the pools %(pools)s set and lift a quarantine.") % {
            "pools": ", ".join(sorted(GUARDS))
        }
    return ""


def _lines(kind: str, rows: list[Standing]) -> tuple[StandingLine, ...]:
    if not rows:
        return ()
    names = names_of(row.actor for row in rows)
    successors = labels(kind, [row.successor_id for row in rows if row.successor_id])
    states = log.states_at([f"standing:{row.pk}" for row in rows], log.head_size())
    lines = []
    for row in rows:
        mark, word = standing_mark(row.state)
        told = states.get(f"standing:{row.pk}")
        lines.append(
            StandingLine(
                number=row.number,
                mark=mark,
                word=word,
                reason=row.reason,
                successor_id=row.successor_id,
                successor=successors.get(row.successor_id, "") if row.successor_id else "",
                by=names[row.actor],
                at=row.changed_at,
                entry=told.index if told else None,
            )
        )
    return tuple(lines)
