"""The result of a run, and the entry that tells a round: `selfcheck.completed`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.conf import settings

from audit import ledger
from audit.events import EventType
from audit.models import Entry, SelfCheck, SelfCheckComparison
from audit.selfcheck.findings import Finding

_TOLD_AT_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class SelfCheckResult:
    """What a run came to.

    Attributes:
        start: where in the log it began. `entries`: how many it hashed again, and `sections` with them.
        due: how many its round needed of it; `entries` is less when the time did not suffice.
        size: entries in the log, which is as far as a pass goes.
        findings: everything that contradicts the log; each is an alarm now.
        new: how many alarms are new.
        pass_finished: whether the pass reached the end of the log.
    """

    start: int
    entries: int
    sections: int
    due: int
    size: int
    findings: tuple[Finding, ...]
    new: int
    pass_finished: bool
    milliseconds: int


def is_due(now: datetime) -> bool:
    """Whether the last entry is so old that a round that found nothing is worth another."""
    last = Entry.objects.filter(type=EventType.SELFCHECK_COMPLETED).order_by("-index").first()
    return last is None or now - last.received_at >= settings.SELF_CHECK_FULL_PERIOD / 2


def tell(result: SelfCheckResult, row: SelfCheck, now: datetime) -> None:
    """The round over the log as an entry: whole when nothing was found, else as far as it came."""
    began = row.pass_started_at or now
    facts = {
        "result": "found" if result.findings else "ok",
        "started_at": _text(began),
        "entries": result.start + result.entries,
        "sections": row.pass_sections,
        "size": result.size,
        "period_seconds": int(settings.SELF_CHECK_PERIOD.total_seconds()),
        "full_period_seconds": int(settings.SELF_CHECK_FULL_PERIOD.total_seconds()),
        "on_time": now - began <= settings.SELF_CHECK_FULL_PERIOD / 2,
        "comparisons": [
            {"name": compared.name, "rows": compared.round_rows, "finished_at": _text(compared.round_finished_at)}
            for compared in SelfCheckComparison.objects.order_by("name")
            if compared.round_finished_at is not None
        ],
        "findings": [
            {"kind": found.kind, "entry": found.entry_index, "subject": found.subject, "detail": found.detail}
            for found in result.findings[:_TOLD_AT_MOST]
        ],
        "findings_total": len(result.findings),
    }
    ledger.append(
        events=[
            ledger.Event(
                type=EventType.SELFCHECK_COMPLETED,
                subject="log",
                source="app",
                actor="system:selfcheck",
                occurred_at=now,
                sections=(ledger.facts(facts),),
            )
        ]
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
