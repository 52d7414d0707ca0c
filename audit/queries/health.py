"""Everything that says whether the ledger can be relied on now, for the home page and /healthz."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from audit.models import SelfCheck, SignerLease
from audit.queries.checked import is_late
from audit.queries.protection import Protection, protection
from audit.queries.pulse import Pulse, pulse

SIGNER_SILENT: Final = timedelta(seconds=15)
"""A signer says every second that it is alive, also when it is frozen or has nothing to sign."""

RUNS_MISSED: Final = 3
"""Self-check periods without a run after which nobody checks any more."""


@dataclass(frozen=True, slots=True)
class LastSelfCheck:
    """What the newest run of the self-check came to.

    Attributes:
        run_at: its time. `pass_finished_at`: when the whole log was last passed over; None before the first time.
        findings: contradictions in that run.
        overdue: nobody has checked for several periods.
        late: something was not hashed again within SELF_CHECK_FULL_PERIOD.
    """

    run_at: datetime | None
    pass_finished_at: datetime | None
    findings: int
    overdue: bool
    late: bool


@dataclass(frozen=True, slots=True)
class Health:
    """The ledger at a glance.

    Attributes:
        pulse: sizes, checkpoint, alarms, why the signer is frozen.
        protection: triggers, their functions, grants.
        self_check: the last run.
        signer_seen_at: the signer's last sign of life; None before its first start.
        signer_alive: whether that is recent.
    """

    pulse: Pulse
    protection: Protection
    self_check: LastSelfCheck
    signer_seen_at: datetime | None
    signer_alive: bool

    @property
    def ok(self) -> bool:
        """Nothing is wrong and everybody is at work."""
        return (
            self.pulse.state in {"ok", "empty"}
            and not self.protection.fallen
            and not self.protection.grants
            and not self.protection.missing
            and not self.self_check.findings
            and not self.self_check.overdue
            and not self.self_check.late
            and self.signer_alive
        )


def health(*, now: datetime) -> Health:
    """The state of the ledger at `now`, in ten queries whatever its size."""
    lease = SignerLease.objects.only("seen_at").first()
    row = SelfCheck.objects.filter(id=1).first()
    run_at = row.run_at if row else None
    return Health(
        pulse=pulse(now=now),
        protection=protection(),
        self_check=LastSelfCheck(
            run_at=run_at,
            pass_finished_at=row.pass_finished_at if row else None,
            findings=row.findings if row else 0,
            late=row is not None and is_late(row, now=now),
            overdue=run_at is None or now - run_at > RUNS_MISSED * settings.SELF_CHECK_PERIOD,
        ),
        signer_seen_at=lease.seen_at if lease else None,
        signer_alive=lease is not None and now - lease.seen_at <= SIGNER_SILENT,
    )
