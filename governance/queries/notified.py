"""Who is to be told, judged at the moment of telling: those who may decide, those whose it is, those who operate.

Who may decide is asked of `governance.queries.rights`, the same rules as the desk and the operations ask.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.urls import reverse
from django.utils import translation

from audit.models import User
from audit.queries.roles import COMPLIANCE
from governance.models import (
    ApprovalPolicyVersion,
    ApprovalRequest,
    Notification,
    NotificationPreference,
)
from governance.queries.frozen import frozen_policy
from governance.queries.matters import path_of, sentence
from governance.queries.rights import (
    Viewer,
    deciders_of,
    excluded_from,
    viewer,
    why_not_decide,
    why_not_decide_policy,
)
from governance.workflow import needed

PAGE: Final = 50
MAX_PAGE: Final = 200


class Rights:
    """Who may decide what, with each log-in looked up once."""

    def __init__(self) -> None:
        self._viewers: dict[int, Viewer] = {}
        self._members: dict[str, list[User]] = {}

    def of_request(self, request: ApprovalRequest) -> frozenset[UUID]:
        """The persons who may decide an open request in its current stage."""
        deciders, excluded = deciders_of(request.id), excluded_from(request)
        return frozenset(
            user.person_id
            for user in self.members(request.pool)
            if not why_not_decide(request, self._viewer(user), deciders, excluded)
        )

    def of_policy(self, policy: ApprovalPolicyVersion) -> frozenset[UUID]:
        """The persons who may decide a proposed approval policy."""
        return frozenset(
            user.person_id for user in self.members(COMPLIANCE) if not why_not_decide_policy(policy, self._viewer(user))
        )

    def people(self, pool: str) -> frozenset[UUID]:
        """The persons with an active log-in in a pool."""
        return frozenset(user.person_id for user in self.members(pool))

    def members(self, pool: str) -> list[User]:
        """Active log-ins in a pool."""
        if pool not in self._members:
            self._members[pool] = list(User.objects.filter(is_active=True, groups__name=pool).order_by("pk"))
        return self._members[pool]

    def _viewer(self, user: User) -> Viewer:
        if user.pk not in self._viewers:
            self._viewers[user.pk] = viewer(user)
        return self._viewers[user.pk]


def too_few(request: ApprovalRequest, able: Collection[UUID]) -> bool:
    """Whether a stage cannot be settled by those who may still decide it."""
    policy = frozen_policy(request)
    stage = policy.stages[request.stage - 1]
    wanted = needed(stage, policy.rule) if stage.blind else stage.quorum
    made = request.decisions.filter(stage=request.stage).count()
    sealed = request.sealed_decisions.filter(stage=request.stage, opened__isnull=True).count()
    return len(able) + made + sealed < wanted


def waiting_work(*, limit: int) -> dict[UUID, list[UUID]]:
    """Open requests by the person they wait for, oldest first."""
    rights = Rights()
    found: dict[UUID, list[UUID]] = {}
    rows = ApprovalRequest.objects.filter(state=ApprovalRequest.State.OPEN).order_by("submitted_at", "number")
    for request in rows[:limit]:
        for person in sorted(rights.of_request(request)):
            found.setdefault(person, []).append(request.pk)
    return found


def preferences_of(people: Iterable[UUID]) -> dict[UUID, NotificationPreference]:
    """Each person's preferences, the defaults where they chose none; in one query."""
    wanted = set(people)
    rows = {row.person_id: row for row in NotificationPreference.objects.filter(pk__in=wanted)}
    return {person: rows.get(person) or NotificationPreference(person_id=person) for person in wanted}


def active_people(people: Iterable[UUID]) -> set[UUID]:
    """Those of the persons who have a log-in that is open; in one query."""
    rows = User.objects.filter(person_id__in=set(people), is_active=True)
    return set(rows.values_list("person_id", flat=True))


def unread_count(user: User) -> int:
    """How many notifications of this person are unread; in one query."""
    return Notification.objects.filter(person_id=user.person_id, read_at__isnull=True).count()


@dataclass(frozen=True, slots=True)
class NotificationLine:
    """One notification as its person reads it."""

    id: UUID
    kind: str
    subject: str
    entry: int | None
    sentence: str
    path: str
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notifications:
    """A page of notifications, newest first; `next` is the id to go on after, None on the last page."""

    lines: tuple[NotificationLine, ...]
    unread: int
    next: UUID | None


def notifications(user: User, *, after: UUID | None = None, unread: bool = False, limit: int = PAGE) -> Notifications:
    """A person's own notifications, newest first, by keyset; in a constant number of queries."""
    rows = Notification.objects.filter(person_id=user.person_id)
    if unread:
        rows = rows.filter(read_at__isnull=True)
    if after is not None:
        place = Notification.objects.filter(person_id=user.person_id, pk=after).values_list("created_at", "pk").first()
        if place is not None:
            earlier = rows.filter(created_at__lt=place[0])
            rows = earlier | rows.filter(created_at=place[0], pk__lt=place[1])
    limit = max(1, min(limit, MAX_PAGE))
    found = list(rows.order_by("-created_at", "-pk")[: limit + 1])
    following = found[limit - 1].pk if len(found) > limit else None
    return Notifications(tuple(map(_line, found[:limit])), unread_count(user), following)


def notification_path(user: User, notification_id: UUID) -> str:
    """Where one of a person's own notifications leads; the list, where they have no such one."""
    row = Notification.objects.filter(person_id=user.person_id, pk=notification_id).first()
    return path_of(row.kind, row.subject, row.params) if row else reverse("admin:desk_notifications")


def _line(row: Notification) -> NotificationLine:
    return NotificationLine(
        id=row.pk,
        kind=row.kind,
        subject=row.subject,
        entry=row.entry_index,
        sentence=sentence(row.kind, row.params),
        path=path_of(row.kind, row.subject, row.params),
        created_at=row.created_at,
        read_at=row.read_at,
    )


def preference_of(user: User) -> NotificationPreference:
    """A person's preferences; before they chose, the defaults, in the language they look at the page in."""
    found = NotificationPreference.objects.filter(pk=user.person_id).first()
    language = "ja" if (translation.get_language() or "en").startswith("ja") else "en"
    return found or NotificationPreference(person_id=user.person_id, language=language)
