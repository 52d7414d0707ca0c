"""What stands on the desk: what needs this person now, what was found, and how the log stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser

from audit.events import EventType
from audit.models import User
from audit.queries import EntryRow, entries
from audit.queries.checked import Checked, last_self_check
from audit.queries.erasures import waiting_for
from audit.queries.names import names_of
from audit.queries.people import waiting_for_me
from audit.queries.recent import Recent, recent
from audit.queries.roles import AUDITORS, REQUESTERS, roles_of
from governance.queries.attention import Attention, attention
from governance.queries.desk import HomeCounts, waiting_count
from governance.queries.desk import home as desk_home
from governance.queries.fleet import Fleet, fleet
from governance.queries.gaps import Gap, evidence_gaps, worst_first
from governance.queries.notified import unread_count
from governance.queries.policies import policies_waiting_for
from governance.queries.quoting import Told, details
from reports.queries import ReportRow, reports, why_not_read

LOOKED_BACK = timedelta(days=7)
SHOWN = 5
NEWEST = 8
GAPS = 5


@dataclass(frozen=True, slots=True)
class Home:
    """The desk of one person.

    Attributes:
        is_auditor: auditors see reports and how to check them before approvals.
        is_requester: may ask for a deployment.
        desk: approvals. `fleet`: memory and spend. `attention`: what ends or is due soon.
        policies, pool_changes: proposals that wait for this person.
        evidence_gaps: what is missing or about to be. `findings`, `gaps`: of the last seven days.
        self_check: its last run and its rounds, None before the first.
        names: of the targets that the gaps are about, by reference.
        reports: the newest ones, empty for those who may not read them.
        newest: the newest entries of the log.
        details: the sentence of each shown finding for this reader, by the index of its entry.
    """

    is_auditor: bool
    is_requester: bool
    desk: HomeCounts
    fleet: Fleet
    attention: Attention
    evidence_gaps: tuple[Gap, ...]
    policies: int
    pool_changes: int
    findings: Recent
    gaps: Recent
    self_check: Checked | None
    names: Mapping[str, str]
    reports: tuple[ReportRow, ...]
    newest: tuple[EntryRow, ...]
    details: Mapping[int, str]


def counts_for(user: User | AnonymousUser) -> dict[str, int]:
    """Numbers beside the places of the rail, by the names in `config.frame.PLACES`."""
    if not isinstance(user, User):
        return {}
    return {
        "requests": waiting_count(user),
        "erasures": waiting_for(user.pk),
        "people": waiting_for_me(user),
        "unread": unread_count(user),
    }


def home(*, user: User, now: datetime) -> Home:
    """The desk of `user` at `now`, in a constant number of queries."""
    roles = roles_of(user.pk)
    since = now - LOOKED_BACK
    gaps = recent(EventType.COVERAGE_GAP, since=since, shown=SHOWN)
    found = recent(EventType.FINDING_RAISED, since=since, shown=SHOWN)
    told = details([Told.said(said.after) for said in found.newest], sees_everything=AUDITORS in roles)
    return Home(
        is_auditor=AUDITORS in roles,
        is_requester=REQUESTERS in roles,
        desk=desk_home(user),
        fleet=fleet(now=now),
        attention=attention(now=now),
        evidence_gaps=worst_first(evidence_gaps(now))[:GAPS],
        policies=policies_waiting_for(user),
        pool_changes=waiting_for_me(user),
        findings=found,
        gaps=gaps,
        self_check=last_self_check(now=now),
        names=names_of(said.row.subject for said in gaps.newest),
        reports=() if why_not_read(user) else tuple(reports(limit=SHOWN)),
        newest=tuple(entries(limit=NEWEST)),
        details=dict(zip((said.row.index for said in found.newest), told, strict=True)),
    )
