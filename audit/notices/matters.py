"""What is to be told, once each. The words hold no content of the ledger, no names and no addresses but our own."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from django.conf import settings

from audit.models import Checkpoint, Entry, Notice, SignerLease, Thaw
from audit.queries.alarms import StandingAlarm, untold_alarms
from audit.queries.pulse import Pulse, pulse
from audit.tlog.leaf import format_time

FROZEN: Final = "signer.frozen"
SILENT: Final = "signer.silent"
ALARMS: Final = "alarms"
PUBLISHER: Final = "publisher"
CHECKPOINT: Final = "checkpoint"

_ALARMS_AT_ONCE: Final = 100
_ALARMS_NAMED: Final = 20
_A_DAYS_CHECKPOINTS: Final = 90_000
"""At most one a second is signed."""


class PublisherState(Protocol):
    """What the publisher last said of itself: `state` is "ok" or why not, `size` what is out, `at` when it looked."""

    @property
    def state(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def at(self) -> datetime: ...


def new_matters(*, now: datetime, publisher: PublisherState | None) -> list[Notice]:
    """Matters that were not told before, as rows that are not saved yet."""
    seen = pulse(now=now)
    found = [*_frozen(now), *_alarms(now), *_silent(seen, now), *_publisher(publisher, seen, now), *_checkpoint(now)]
    known = set(Notice.objects.filter(matter__in=[row.matter for row in found]).values_list("matter", flat=True))
    return [row for row in found if row.matter not in known]


def _notice(
    matter: str,
    kind: str,
    title: str,
    lines: list[str],
    now: datetime,
    *,
    note: str = "",
    alarms: Sequence[StandingAlarm] = (),
) -> Notice:
    return Notice(
        matter=matter,
        kind=kind,
        title=f"{settings.LEDGER_ORIGIN}: {title}",
        body="\n".join([*lines, "", f"{settings.PUBLIC_URL}/admin/"]),
        note=note,
        alarms=[alarm.identity for alarm in alarms],
        made_at=now,
    )


def _frozen(now: datetime) -> Iterator[Notice]:
    lease = SignerLease.objects.only("frozen_reason").first()
    if lease is None or not lease.frozen_reason:
        return
    # Thawed and frozen again for the same reason is another matter.
    thaws = Thaw.objects.count()
    digest = hashlib.sha256(lease.frozen_reason.encode()).hexdigest()[:16]
    why = (
        "An alarm stands: something stored contradicts the log."
        if lease.frozen_reason.startswith("Alarm ")
        else "The signer saw that the log does not continue what it signed."
    )
    lines = [
        f"{why} Entries are still taken; nothing is signed any more until a person has looked.",
        "Change nothing in the database, it is evidence. The runbook says what to do.",
    ]
    yield _notice(f"frozen:{thaws}:{digest}", FROZEN, "signing has stopped", lines, now)


def _alarms(now: datetime) -> Iterator[Notice]:
    fresh = untold_alarms(limit=_ALARMS_AT_ONCE)
    if fresh:
        lines = [_alarm_line(alarm) for alarm in fresh[:_ALARMS_NAMED]]
        lines += [f"... and {len(fresh) - _ALARMS_NAMED} more"] if len(fresh) > _ALARMS_NAMED else []
        digest = hashlib.sha256("\n".join(alarm.identity for alarm in fresh).encode()).hexdigest()[:16]
        matter = f"alarms:{fresh[0].id}-{fresh[-1].id}:{digest}"
        title = "an alarm was raised" if len(fresh) == 1 else f"{len(fresh)} alarms were raised"
        yield _notice(matter, ALARMS, title, lines, now, alarms=fresh)


def _alarm_line(alarm: StandingAlarm) -> str:
    return f"alarm {alarm.id} ({alarm.kind})" + ("" if alarm.entry_index is None else f" at entry {alarm.entry_index}")


def _silent(seen: Pulse, now: datetime) -> Iterator[Notice]:
    limit: timedelta = settings.NOTIFY_SILENT_AFTER
    if seen.state == "frozen" or not seen.unsigned:
        return
    waits_since = Entry.objects.values_list("received_at", flat=True).filter(index=seen.signed_size).first()
    if waits_since is not None and now - waits_since > limit:
        signed = f" and was signed at {format_time(seen.signed_at)}" if seen.signed_at else ""
        lines = [
            f"{seen.unsigned} entries wait for a signature, the first since {format_time(waits_since)}.",
            f"The newest checkpoint covers {seen.signed_size} entries{signed}.",
            "See whether the signer runs and reaches the database.",
        ]
        yield _notice(f"silent:{seen.signed_size}", SILENT, "entries wait unsigned", lines, now)


def _publisher(publisher: PublisherState | None, seen: Pulse, now: datetime) -> Iterator[Notice]:
    limit: timedelta = settings.NOTIFY_SILENT_AFTER
    if publisher is None:
        return
    waits = seen.signed_at is not None and publisher.size < seen.signed_size and now - seen.signed_at > limit
    if publisher.state == "refused" or now - publisher.at > limit or waits:
        lines = [
            f"The published log ends at {publisher.size} entries; {seen.signed_size} are signed.",
            f"The publisher last looked at {format_time(publisher.at)} and said: {publisher.state}.",
        ]
        yield _notice(f"publisher:{publisher.state}:{publisher.size}", PUBLISHER, "publishing has stopped", lines, now)


def _checkpoint(now: datetime) -> Iterator[Notice]:
    """Each day's first checkpoint, in UTC: what auditors keep, so that no later log can leave it out."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    matter = f"checkpoint:{midnight:%Y-%m-%d}"
    if Notice.objects.filter(matter=matter).exists():
        return
    # `signed_at` has no index, but it never goes back: only the newest rows can be of today.
    newest = Checkpoint.objects.order_by("-size").values_list("size", "signed_at")[:_A_DAYS_CHECKPOINTS]
    first = None
    for size, signed_at in newest.iterator(chunk_size=500):
        if signed_at < midnight:
            break
        first = size
    if first is None:
        return
    row = Checkpoint.objects.get(size=first)
    lines = [
        f"The first checkpoint of {midnight:%Y-%m-%d} covers {row.size} entries.",
        "Keep it, outside of that system: any later log must prove that it continues this one.",
        "",
        row.note,
    ]
    title = f"checkpoint of {midnight:%Y-%m-%d}, {row.size} entries"
    yield _notice(matter, CHECKPOINT, title, lines, now, note=row.note)
