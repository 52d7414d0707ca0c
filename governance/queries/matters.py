"""The kinds of matters that people and systems are told of: their words, their group, and where they lead.

Kinds that follow the log are named as their event types, by text: a type that this version does not write is told as
soon as one does. A sentence holds a ref and numbers, never a reason, a name or a decision: content stays behind the
log-in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

WAITING, OUTCOME, DEADLINE, PLATFORM = "waiting", "outcome", "deadline", "platform"
"""Groups of kinds, as the columns of a person's preferences."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of matter: its group, and its sentence with `%(ref)s` and `%(days)s`."""

    group: str
    sentence: object


FROM_LOG: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "request.submitted": Kind(WAITING, gettext_lazy("%(ref)s waits for your decision.")),
        "request.advanced": Kind(WAITING, gettext_lazy("%(ref)s has come to your stage and waits for your decision.")),
        "approval_policy.proposed": Kind(WAITING, gettext_lazy("A proposed approval policy waits for a decision.")),
        "pool_change.proposed": Kind(WAITING, gettext_lazy("A proposed change of a pool waits for a decision.")),
        "request.approved": Kind(OUTCOME, gettext_lazy("%(ref)s is decided: read the outcome.")),
        "request.rejected": Kind(OUTCOME, gettext_lazy("%(ref)s is decided: read the outcome.")),
        "request.changes_requested": Kind(OUTCOME, gettext_lazy("%(ref)s is decided: read the outcome.")),
        "request.withdrawn": Kind(OUTCOME, gettext_lazy("%(ref)s was withdrawn.")),
        "request.timed_out": Kind(OUTCOME, gettext_lazy("%(ref)s was not decided in time and is closed.")),
        "request.revoked": Kind(OUTCOME, gettext_lazy("The approval of %(ref)s was revoked.")),
        "request.expired": Kind(OUTCOME, gettext_lazy("The approval of %(ref)s has expired.")),
        "request.invalidated": Kind(OUTCOME, gettext_lazy("The approval of %(ref)s is no longer valid.")),
        "condition.breached": Kind(DEADLINE, gettext_lazy("A condition of %(ref)s was not met in time.")),
        "finding.raised": Kind(OUTCOME, gettext_lazy("A finding was raised about %(ref)s.")),
    }
)
"""Kinds that follow the log, by the type of the entry."""

BY_CLOCK: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "request.stuck": Kind(PLATFORM, gettext_lazy("%(ref)s is open and too few people may decide it.")),
        "request.due_soon": Kind(WAITING, gettext_lazy("%(ref)s must be decided within %(days)s days.")),
        "condition.due_soon": Kind(DEADLINE, gettext_lazy("A condition of %(ref)s is due within %(days)s days.")),
        "approval.expires_soon": Kind(DEADLINE, gettext_lazy("The approval of %(ref)s expires within %(days)s days.")),
        "token.expires_soon": Kind(
            DEADLINE, gettext_lazy("A token of your service account expires within %(days)s days.")
        ),
        "ledger.alarm": Kind(PLATFORM, gettext_lazy("An alarm stands: something stored contradicts the log.")),
        "webhook.dead": Kind(PLATFORM, gettext_lazy("A delivery to a webhook was given up.")),
    }
)
"""Kinds that the clock or a look at the tables finds."""

TEST: Final = "webhook.test"
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({**FROM_LOG, **BY_CLOCK})
SENDABLE: Final = tuple(kind for kind in KINDS if kind not in {"webhook.dead", "token.expires_soon"})
"""Kinds that a webhook may be told of: not what is only one person's, nor that a webhook failed."""

_PAGES: Final = MappingProxyType(
    {
        "request": "admin:desk_review",
        "deployment": "admin:desk_deployment",
        "webhook": "admin:desk_webhook",
        "approval_policy": "admin:desk_policy",
        "pool_change": "admin:pool_change",
    }
)


@dataclass(frozen=True, slots=True)
class Matter:
    """Something to tell, to whom, and once for (kind, subject, scope).

    Attributes:
        people: the persons to tell. `mailed`: whether mail may go out; what is old is told in the app alone.
    """

    kind: str
    subject: str
    scope: str
    entry_index: int | None
    params: Mapping[str, str]
    people: frozenset[UUID]
    mailed: bool = True
    page: str = ""

    def stored(self) -> str:
        """The parameters as they are stored; `page` is the subject whose page it leads to."""
        return json.dumps({**self.params, **({"page": self.page} if self.page else {})}, sort_keys=True)


def sentence(kind: str, params: str) -> str:
    """What happened, in the language that is active; nothing beyond refs and numbers."""
    told: dict[str, Any] = {"ref": "", "days": "", **json.loads(params)}
    if kind == TEST:
        return _("This is a test of the webhook.")
    known = KINDS.get(kind)
    return str(known.sentence) % told if known else kind


def group_of(kind: str) -> str:
    """The group whose preference a kind follows."""
    return KINDS[kind].group


def kind_word(kind: str) -> str:
    """A kind as people choose it."""
    return sentence(kind, json.dumps({"ref": "…", "days": "…"}))


def path_of(kind: str, subject: str, params: str) -> str:
    """Where a matter leads: a page of the site, which judges by itself who may look."""
    about, _colon, label = (json.loads(params).get("page") or subject).partition(":")
    if kind == "finding.raised" and about != "deployment":
        return reverse("admin:governance_finding_changelist")
    if kind == "ledger.alarm":
        return reverse("admin:index")
    try:
        return reverse(_PAGES[about], args=[label]) if about in _PAGES else reverse("admin:desk_notifications")
    except NoReverseMatch:
        return reverse("admin:desk_notifications")


def address_of(kind: str, subject: str, params: str) -> str:
    """The whole address, for mail and webhooks."""
    return settings.PUBLIC_URL.rstrip("/") + path_of(kind, subject, params)


def days_between(now: datetime, then: datetime) -> int:
    """Whole days until `then`, at least one: what a sentence says."""
    return max(1, -(-int((then - now).total_seconds()) // 86_400))
