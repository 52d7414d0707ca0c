"""Learning from the log: what evidence says that no approval covers becomes a finding.

A finding is kept for ever and everybody may read it, so it holds no word that only a client wrote: what Assay issued
stands in clear, anything else in its leaf's form. Pages read the words in the evidence (`governance.queries.quoting`).

A follower reads on from its stored cursor under a row lock, so two of them never read the same entries, and the
same evidence read twice raises the same finding once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit import ledger
from audit import queries as log
from audit.events import EventType
from audit.queries import EntryRow
from audit.queries.disclosure import is_open_to_all
from governance.models import Cursor, Finding
from governance.operations.agentacts import Excess, excess_of_call, excesses_of_run, printable
from governance.operations.base import change, event
from governance.queries.agentlimits import Limits, limits_of
from governance.queries.quoting import leaf_form, named
from governance.queries.watching import Approved, approved_caps

CURSOR: Final = "governance"
ACTOR: Final = "system:governance"
WATCHED: Final = frozenset(
    {EventType.WINDOW_USAGE, EventType.WINDOW_AMENDED, EventType.USAGE_REPORTED, EventType.AGENT_TOOL_CALL}
)
MAX_DETAIL: Final = 1000


@dataclass(frozen=True, slots=True)
class Followed:
    """How many entries were read, and how many findings they raised."""

    entries: int
    findings: int


@dataclass(frozen=True, slots=True)
class _Sight:
    """A finding in the making; (kind, subject, scope) is what it is raised once for."""

    kind: Finding.Kind
    subject: str
    scope: str
    entry_index: int
    detail: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind.value, self.subject, self.scope


def follow_log(*, now: datetime, limit: int = 1000) -> Followed:
    """Read up to `limit` new entries and raise what they show; call again while it returns that many.

    Raises:
        Refused: the database refused the findings.
    """
    with change("follow"):
        Cursor.objects.get_or_create(name=CURSOR, defaults={"next_index": 0})
        cursor = Cursor.objects.select_for_update().get(name=CURSOR)
        entries = _read(cursor.next_index, limit)
        if not entries:
            return Followed(0, 0)
        Cursor.objects.filter(pk=cursor.pk).update(next_index=entries[-1].index + 1)
        rows = _new(_judge([entry for entry in entries if entry.type in WATCHED]), now)
        if rows:
            Finding.objects.bulk_create(rows)
            ledger.append(
                events=[event("finding", EventType.FINDING_RAISED, row, actor=ACTOR, now=now) for row in rows]
            )
    return Followed(len(entries), len(rows))


def _read(index: int, limit: int) -> list[EntryRow]:
    found: list[EntryRow] = []
    while len(found) < limit:
        page = log.entries_after(index + len(found), limit=limit - len(found))
        if not page:
            break
        found += page
    return found


def _judge(entries: Sequence[EntryRow]) -> list[_Sight]:
    if not entries:
        return []
    facts = log.section_facts([entry.index for entry in entries])
    told = [(entry, _told(facts[entry.index])) for entry in entries if entry.index in facts]
    calls = [item for item in told if item[0].type == EventType.AGENT_TOOL_CALL]
    usage = [item for item in told if item[0].type != EventType.AGENT_TOOL_CALL]
    approved = approved_caps({_subject(content, "deployment") for _entry, content in usage})
    acting = [item for item in usage if isinstance(item[1].get("agent"), str)]
    agents = limits_of({_subject(content, "agent") for _entry, content in [*calls, *acting]})
    sights = [_usage(entry, content, approved) for entry, content in usage]
    sights += [_call(entry, content, agents) for entry, content in calls]
    sights += [sight for entry, content in [*calls, *acting] for sight in _run(entry, content, agents)]
    return [sight for sight in sights if sight is not None]


def _told(content: Mapping[str, object]) -> Mapping[str, object]:
    """The facts themselves: a client's event carries them as `data`, beside its own subject."""
    data = content.get("data")
    return {"subject": content.get("subject"), **data} if isinstance(data, dict) else content


def _subject(content: Mapping[str, object], kind: str) -> str:
    """The ledger's name of the deployment or agent that facts are about: `kind:uuid`, or what they called it."""
    name = printable(named(content, kind))
    return name if not name or name.startswith(f"{kind}:") else f"{kind}:{name}"[:200]


def _unregistered(entry: EntryRow, content: Mapping[str, object], kind: str, detail: str) -> _Sight:
    word = named(content, kind)
    # What stands in the leaf in clear is public already.
    subject = word[:200] if word == entry.subject else leaf_form("subject", word)
    return _Sight(Finding.Kind.UNREGISTERED_SUBJECT, subject, kind, entry.index, detail)


def _usage(entry: EntryRow, content: Mapping[str, object], approved: Mapping[str, Approved]) -> _Sight | None:
    subject = _subject(content, "deployment")
    if not subject:
        return None
    known = approved.get(subject)
    if known is None:
        return _unregistered(entry, content, "deployment", "Usage was reported for a deployment nobody registered.")
    if known.revision is None:
        return _Sight(
            Finding.Kind.UNAPPROVED_REVISION,
            f"deployment:{known.id}",
            entry.occurred_at.date().isoformat(),
            entry.index,
            f"{known.name} was used although no revision of it is approved.",
        )
    most = content.get("reasoning_tokens_max")
    if known.cap is None or not isinstance(most, int) or isinstance(most, bool) or most <= known.cap:
        return None
    used = str(most) if is_open_to_all(entry.source, "facts") else "more"
    return _Sight(
        Finding.Kind.REASONING_CAP_EXCEEDED,
        f"deployment:{known.id}",
        f"revision {known.revision}, {entry.occurred_at.date().isoformat()}",
        entry.index,
        f"An answer of {known.name} used {used} reasoning tokens; revision {known.revision} is approved for"
        f" at most {known.cap}.",
    )


def _call(entry: EntryRow, content: Mapping[str, object], agents: Mapping[str, Limits]) -> _Sight | None:
    subject = _subject(content, "agent")
    if not subject:
        return None
    agent = agents.get(subject)
    if agent is None:
        return _unregistered(entry, content, "agent", "A tool call was recorded for an agent nobody registered.")
    excess = excess_of_call(content, agent, entry.received_at)
    return _excess(entry, agent, excess) if excess is not None else None


def _run(entry: EntryRow, content: Mapping[str, object], agents: Mapping[str, Limits]) -> list[_Sight]:
    agent = agents.get(_subject(content, "agent"))
    if agent is None:
        return []
    is_open = is_open_to_all(entry.source, "facts")
    return [_excess(entry, agent, excess) for excess in excesses_of_run(content, agent, is_open=is_open)]


def _excess(entry: EntryRow, agent: Limits, excess: Excess) -> _Sight:
    scope = f"{excess.scope}, {entry.occurred_at.date().isoformat()}"
    return _Sight(excess.kind, f"agent:{agent.id}", scope, entry.index, excess.why)


def _new(sights: Sequence[_Sight], now: datetime) -> list[Finding]:
    first: dict[tuple[str, str, str], _Sight] = {}
    for sight in sights:
        first.setdefault(sight.key, sight)
    known = set(
        Finding.objects.filter(subject__in={sight.subject for sight in first.values()}).values_list(
            "kind", "subject", "scope"
        )
    )
    return [
        Finding(
            kind=sight.kind.value,
            subject=sight.subject,
            scope=sight.scope,
            entry_index=sight.entry_index,
            detail=sight.detail[:MAX_DETAIL],
            raised_at=now,
        )
        for key, sight in first.items()
        if key not in known
    ]
