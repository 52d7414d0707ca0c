"""What stands around every page: the rail with its counts, the pulse of the log, the alarm."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.erasure.rights import ASKERS
from audit.models import User
from audit.queries.pulse import Pulse, pulse
from audit.queries.roles import (
    AUDITORS,
    COMPLIANCE,
    DATA_PROTECTION,
    OPERATORS,
    PRIVACY,
    REQUESTERS,
    REVIEWERS,
    RISK_OWNERS,
    SECURITY,
    roles_of,
)
from reports.queries import READERS

ROLE_NAMES = {
    REVIEWERS: pgettext_lazy("role", "Reviewer"),
    REQUESTERS: pgettext_lazy("role", "Requester"),
    AUDITORS: pgettext_lazy("role", "Auditor"),
    OPERATORS: pgettext_lazy("role", "Operator"),
    DATA_PROTECTION: pgettext_lazy("role", "Data protection"),
    RISK_OWNERS: pgettext_lazy("role", "Risk owner"),
    SECURITY: pgettext_lazy("role", "Security reviewer"),
    PRIVACY: pgettext_lazy("role", "Privacy reviewer"),
    COMPLIANCE: pgettext_lazy("role", "Compliance officer"),
}
"""In the order in which a person's first role is named."""

PLACES = (
    (gettext_lazy("Desk"), "admin:index", ""),
    (gettext_lazy("Requests"), "admin:desk_requests", "requests"),
    (gettext_lazy("Requests"), "admin:governance_approvalrequest_changelist", "requests"),
    (gettext_lazy("Use cases"), "admin:governance_usecase_changelist", ""),
    (gettext_lazy("Deployments"), "admin:governance_deployment_changelist", ""),
    (gettext_lazy("Models"), "admin:governance_modelversion_changelist", ""),
    (gettext_lazy("Data sets"), "admin:governance_dataset_changelist", ""),
    (gettext_lazy("Evaluations"), "admin:governance_evaluationrun_changelist", ""),
    (gettext_lazy("Evidence"), "admin:desk_evidence_list", ""),
    (gettext_lazy("Agents"), "admin:governance_agent_changelist", ""),
    (gettext_lazy("GPU pools"), "admin:governance_gpupool_changelist", ""),
    (gettext_lazy("Findings"), "admin:governance_finding_changelist", "findings"),
    (gettext_lazy("People and pools"), "admin:people", "people"),
    (gettext_lazy("Service accounts"), "admin:tokens", ""),
    (gettext_lazy("Ledger"), "admin:ledger_list", ""),
    (gettext_lazy("Webhooks"), "admin:desk_webhooks", "webhooks"),
    (gettext_lazy("Erasures"), "admin:erasures", "erasures"),
    (gettext_lazy("Reports"), "admin:reports", "reports"),
    (gettext_lazy("Reports"), "admin:reports_report_changelist", "reports"),
)
"""Name, address and count of each place. An address an app does not bring is left out."""

READ_BY = {"reports": READERS, "erasures": ASKERS, "webhooks": (OPERATORS,)}
"""Places by the name of their count, and the pools that see them; every other place is for everybody."""

APART = (
    (gettext_lazy("Start here"), "start", ""),
    (gettext_lazy("API reference"), "api-docs", ""),
)
"""Places that need no log-in."""


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the rail. `count` is shown when it is not zero; `here` marks the current place."""

    name: str
    address: str
    count: int
    here: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything around the content.

    Attributes:
        organisation: whose installation this is. `mode`: "Demo" or "Production", translated; `demo`: which.
        places: the rail. `role`: the person's first role, empty for none. `roles`: all of them.
        pulse: the state of the log. `requests`, `reports`: addresses of those lists, empty where there is none.
        unread: how many notifications this person has not read.
    """

    organisation: str
    mode: str
    demo: bool
    places: tuple[Place, ...]
    role: str
    roles: frozenset[str]
    pulse: Pulse
    requests: str
    reports: str
    unread: int


def frame(*, user: User | AnonymousUser, path: str, now: datetime, permitted: bool, counts: dict[str, int]) -> Frame:
    """The frame of the page at `path` for `user`; `counts` by the names in `PLACES`."""
    roles = roles_of(user.pk) if isinstance(user, User) else frozenset()
    closed = {kind for kind, readers in READ_BY.items() if not roles & set(readers)}
    return Frame(
        organisation=settings.ORGANISATION,
        mode=_("Demo") if settings.DEMO else _("Production"),
        demo=settings.DEMO,
        places=tuple(_places(path, permitted, counts, frozenset(closed))),
        role=next((str(name) for group, name in ROLE_NAMES.items() if group in roles), ""),
        roles=roles,
        pulse=pulse(now=now),
        requests=_address("requests"),
        reports="" if "reports" in closed else _address("reports"),
        unread=counts.get("unread", 0),
    )


def _address(count: str) -> str:
    for _name, address, kind in PLACES:
        if kind == count:
            try:
                return reverse(address)
            except NoReverseMatch:
                continue
    return ""


def _places(path: str, permitted: bool, counts: dict[str, int], closed: frozenset[str]) -> Iterator[Place]:
    wanted = [(*place, False) for place in PLACES if permitted and place[2] not in closed] + [
        (*place, True) for place in APART
    ]
    found: dict[str, tuple[str, str, bool]] = {}
    for name, address, count, apart in wanted:
        try:
            found.setdefault(str(name), (reverse(address), count, apart))
        except NoReverseMatch:
            continue
    here = _here(path, [address for address, _count, _apart in found.values()])
    for label, (address, count, apart) in found.items():
        yield Place(label, address, counts.get(count, 0), address == here, apart)


def _here(path: str, addresses: list[str]) -> str:
    """The place a path belongs to: the longest address it starts with; the desk's own is only itself."""
    desk = reverse("admin:index")
    review = f"{desk}desk/requests/"
    if path.startswith(review):
        path = next((a for a in addresses if "request" in a), path)
    inside = [a for a in addresses if path == a or (path.startswith(a) and a not in {desk, "/"})]
    return max(inside, key=len, default="")
