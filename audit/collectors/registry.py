"""Registering what is collected from where."""

import re
import uuid
from datetime import datetime
from typing import Final

from django.db import transaction

from audit import ledger
from audit.collectors.kinds import COLLECTORS
from audit.events import EventType
from audit.formats.addresses import AddressRefused, check_url
from audit.models import Target, TargetKind, TargetState
from audit.tlog.leaf import format_time
from audit.windows.grid import Grid

MIN_INTERVAL: Final = 1
MAX_INTERVAL: Final = 86_400
_SUBJECT: Final = re.compile(r"[a-z][a-z_]{0,39}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class TargetRefused(ValueError):
    """A target that could never be collected from; the message names the field."""


def register_target(
    *,
    name: str,
    kind: str,
    url: str,
    subject: str,
    interval_seconds: int,
    actor: str,
    now: datetime,
    phase_seconds: int | None = None,
) -> Target:
    """Register a target, or change the one of this name; its first slot is the first that begins from `now` on.

    Asked for what is registered already, it writes nothing.

    Args:
        name: unique name for people.
        kind: a value of `TargetKind`.
        url: http(s) address of the page; empty for the kind `host`.
        subject: whose windows its records go to, e.g. `deployment:<uuid>`; the target itself when empty.
        interval_seconds: length of a slot.
        actor: who registers it.
        now: time of registration.
        phase_seconds: shift of the grid; chosen by id when None, so that targets do not all fire together.

    Raises:
        TargetRefused: an unknown kind, an impossible address, interval or subject.
    """
    _check(kind, url, subject, interval_seconds, phase_seconds)
    with transaction.atomic(durable=True):
        target = Target.objects.select_for_update().filter(name=name).first()
        before = snapshot(target) if target else None
        target = target or Target(id=uuid.uuid4(), name=name, row_version=0)
        moved = _change(target, kind, url, subject, interval_seconds, phase_seconds, now)
        if snapshot(target) == before:
            return target
        target.row_version += 1
        target.save()
        _start(target, moved, now)
        ledger.append(
            events=[
                ledger.Event(
                    type=EventType.TARGET_REGISTERED,
                    subject=f"target:{target.id}",
                    source="app",
                    actor=actor,
                    occurred_at=now,
                    sections=(ledger.facts({"after": snapshot(target), "before": before}),),
                )
            ]
        )
    return target


def _change(
    target: Target, kind: str, url: str, subject: str, interval_seconds: int, phase_seconds: int | None, now: datetime
) -> bool:
    """Set what was asked for. True when earlier slots and counters say nothing about the target any more."""
    phase = target.id.int % interval_seconds if phase_seconds is None else phase_seconds
    wanted = (kind, url, interval_seconds, phase)
    moved = (target.kind, target.url, target.interval_seconds, target.phase_seconds) != wanted
    target.kind, target.url, target.interval_seconds, target.phase_seconds = wanted
    target.subject = subject or f"target:{target.id}"
    if moved:
        target.registered_at = now
    return moved


def _start(target: Target, moved: bool, now: datetime) -> None:
    """The state of a target that begins anew: another address or grid has neither a last slot nor counters."""
    if not moved:
        return
    grid = Grid(target.interval_seconds, target.phase_seconds)
    TargetState.objects.update_or_create(
        target=target,
        defaults={
            "due_at": grid.start_of(grid.first_from(now)),
            "failures": 0,
            "lease_token": None,
            "lease_until": None,
            "last_slot": None,
            "last_ok_slot": None,
            "counters": "{}",
        },
    )


def snapshot(target: Target) -> dict[str, object]:
    """A target as it stands in the ledger."""
    return {
        "enabled": target.enabled,
        "id": str(target.id),
        "interval_seconds": target.interval_seconds,
        "kind": target.kind,
        "name": target.name,
        "phase_seconds": target.phase_seconds,
        "registered_at": format_time(target.registered_at),
        "row_version": target.row_version,
        "subject": target.subject,
        "url": target.url,
    }


def _check(kind: str, url: str, subject: str, interval_seconds: int, phase_seconds: int | None) -> None:
    if kind not in COLLECTORS:
        raise TargetRefused(f"kind: choose from {', '.join(sorted(COLLECTORS))}.")
    if kind == TargetKind.HOST:
        if url:
            raise TargetRefused("url: this host is read without an address; leave it empty.")
    else:
        try:
            check_url(url)
        except AddressRefused as error:
            raise TargetRefused(f"url: {error}") from error
    if not MIN_INTERVAL <= interval_seconds <= MAX_INTERVAL:
        raise TargetRefused(f"interval_seconds: {MIN_INTERVAL} to {MAX_INTERVAL}.")
    if phase_seconds is not None and not 0 <= phase_seconds < interval_seconds:
        raise TargetRefused("phase_seconds: from 0 to below the interval.")
    # It may stand in the public leaf of a window: what a person types freely must not.
    if subject and not _SUBJECT.fullmatch(subject):
        raise TargetRefused("subject: kind:uuid as Assay issued it, or empty for the target itself.")
