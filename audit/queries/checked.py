"""How far the continuous self-check has come: its last run, its last whole round, the round under way."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from audit.models import Head, SelfCheck


@dataclass(frozen=True, slots=True)
class Round:
    """The last time that every entry of the log was hashed again: from when to when, how many entries and sections."""

    started_at: datetime
    finished_at: datetime
    entries: int
    sections: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Where the self-check stands.

    Attributes:
        run_at: its last run, which hashed `entries` entries again and found `findings` contradictions.
        last_round: None before the first round has ended.
        done: entries that the round under way has hashed of the `size` there are; 0 between two rounds.
        full_period: the stated time in which everything is hashed again.
        late: something was not hashed again for longer than that.
        expected_at: when the round under way ends at its present pace; None between two rounds.
    """

    run_at: datetime
    entries: int
    findings: int
    last_round: Round | None
    done: int
    size: int
    full_period: timedelta
    late: bool
    expected_at: datetime | None


def last_self_check(*, now: datetime) -> Checked | None:
    """The state at `now`, in two queries; None before the first run."""
    row = SelfCheck.objects.exclude(run_at=None).first()
    if row is None or row.run_at is None:
        return None
    head = Head.objects.only("size").first()
    size = head.size if head else 0
    last_round = None
    if row.round_started_at and row.pass_finished_at:
        last_round = Round(row.round_started_at, row.pass_finished_at, row.round_entries, row.round_sections)
    return Checked(
        run_at=row.run_at,
        entries=row.run_entries,
        findings=row.findings,
        last_round=last_round,
        done=row.next_index,
        size=size,
        full_period=settings.SELF_CHECK_FULL_PERIOD,
        late=is_late(row, now=now),
        expected_at=_expected(row, size),
    )


def is_late(row: SelfCheck, *, now: datetime) -> bool:
    """Whether something was not hashed again within SELF_CHECK_FULL_PERIOD.

    What a round takes first was hashed when it began: so the beginning of the last whole round is what counts.
    """
    since = row.round_started_at or row.pass_started_at
    return since is not None and now - since > settings.SELF_CHECK_FULL_PERIOD


def _expected(row: SelfCheck, size: int) -> datetime | None:
    if not row.next_index or row.run_entries < 1 or row.run_at is None:
        return None
    runs: int = -(-max(0, size - row.next_index) // row.run_entries)
    period: timedelta = settings.SELF_CHECK_PERIOD
    return row.run_at + runs * period
