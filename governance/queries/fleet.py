"""The fleet at a glance: what the cards of each pool are promised to and were measured at, and what a month costs.

Nothing here is estimated anew: what an approval reserves is the need in its own evidence, what was measured is the
newest sealed hardware window, and a month's cost is the newest comparison of each deployment that may run.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import BigIntegerField, F, JSONField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from audit.models import RecordKind
from audit.queries.telemetry import newest_windows
from governance.models import ApprovalRequest, Comparison, Deployment, GpuPool

POOLS: Final = 8
DEPLOYMENTS: Final = 1000
WINDOWS: Final = 100
MEASURED_WITHIN: Final = timedelta(days=1)

_OPTION_OF: Final = {"on_prem": "on_prem", "cloud": "cloud_gpu"}


@dataclass(frozen=True, slots=True)
class PoolMemory:
    """Memory of all cards of one pool, in bytes.

    Attributes:
        reserved: need of the revisions that may run here, as their approvals were given for.
        promised: what open requests would add.
        measured: sum of the devices' peaks in the newest hardware window of the last day, None without one.
        entry: that window's entry.
    """

    id: UUID
    name: str
    cards: int
    gpu: str
    total: int
    reserved: int
    promised: int
    measured: int | None
    entry: int | None

    @property
    def mark(self) -> str:
        """`bad` when more is reserved than there is, `warn` when open requests would make it so."""
        if self.reserved > self.total:
            return "bad"
        return "warn" if self.reserved + self.promised > self.total else "ok"


@dataclass(frozen=True, slots=True)
class SpendLine:
    """What one deployment costs a month where it runs, at mid prices, by its newest comparison.

    `share`: of the dearest deployment in the same currency, in per cent: the length of its bar.
    """

    deployment_id: UUID
    deployment: str
    option: str
    amount: Decimal
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Spend:
    """A month of the deployments that may run, in one currency; lines by amount, the largest first."""

    currency: str
    total: Decimal
    lines: tuple[SpendLine, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What stands on the home page about hardware and money.

    Attributes:
        pools: those with most cards, at most `POOLS` of them.
        spends: by currency. `uncompared`: deployments that may run and have no comparison that covers where they run.
    """

    pools: tuple[PoolMemory, ...]
    spends: tuple[Spend, ...]
    uncompared: int


def fleet(*, now: datetime) -> Fleet:
    """The fleet as it stands at `now`, in a constant number of queries."""
    pools = list(GpuPool.objects.select_related("gpu_model").order_by("-count", "name")[:POOLS])
    running = list(
        Deployment.objects.filter(approved_revision__isnull=False)
        .order_by("number")
        .values_list("pk", "name", "approved_revision_id", "approved_revision__gpu_pool__hosting")[:DEPLOYMENTS]
    )
    needs = _needs([pool.pk for pool in pools], {revision for _pk, _name, revision, _hosting in running})
    measured = _measured(now)
    spends, uncompared = _spends({pk: (name, hosting) for pk, name, _revision, hosting in running})
    return Fleet(tuple(_pool(pool, needs, measured) for pool in pools), spends, uncompared)


@dataclass(frozen=True, slots=True)
class _Needs:
    reserved: Mapping[UUID, int]
    promised: Mapping[UUID, int]


def _needs(pools: list[UUID], approved: set[UUID | None]) -> _Needs:
    """Bytes by pool: of the approved revisions, and of what is asked for beside them."""
    need = Cast(KeyTextTransform("need_bytes", Cast("evidence", JSONField())), BigIntegerField())
    rows = (
        ApprovalRequest.objects.filter(revision__gpu_pool__in=pools, state__in=["open", "approved"])
        .order_by("-number")
        .values_list("state", "revision_id", "previous_revision_id", "revision__gpu_pool_id")
        .annotate(need=need * F("revision__gpu_count"))
    )
    reserved: dict[UUID, int] = {}
    promised: dict[UUID, int] = {}
    counted: dict[tuple[UUID, UUID], int] = {}
    found = list(rows[: 4 * DEPLOYMENTS])
    for state, revision, _previous, pool, size in found:
        if state == "approved" and revision in approved and (revision, pool) not in counted:
            counted[revision, pool] = size
            reserved[pool] = reserved.get(pool, 0) + size
    for state, _revision, previous, pool, size in found:
        if state == "open":
            # A change replaces what is approved in the same pool: only what it needs beyond that is new.
            promised[pool] = promised.get(pool, 0) + max(0, size - counted.get((previous, pool), 0))
    return _Needs(reserved, promised)


def _measured(now: datetime) -> Mapping[str, tuple[int, int]]:
    """Peak bytes and entry of the newest hardware window by subject."""
    found: dict[str, tuple[int, int]] = {}
    for window in newest_windows(RecordKind.HARDWARE, limit=WINDOWS):
        peaks = [device.memory_peak_bytes for device in window.devices if device.memory_peak_bytes is not None]
        if peaks and now - window.end <= MEASURED_WITHIN:
            found.setdefault(window.subject, (sum(peaks), window.entry))
    return found


def _pool(pool: GpuPool, needs: _Needs, measured: Mapping[str, tuple[int, int]]) -> PoolMemory:
    seen = measured.get(f"gpu_pool:{pool.pk}")
    return PoolMemory(
        id=pool.pk,
        name=pool.name,
        cards=pool.count,
        gpu=pool.gpu_model.name,
        total=pool.count * pool.gpu_model.memory_bytes,
        reserved=needs.reserved.get(pool.pk, 0),
        promised=needs.promised.get(pool.pk, 0),
        measured=seen[0] if seen else None,
        entry=seen[1] if seen else None,
    )


def _spends(running: Mapping[UUID, tuple[str, str]]) -> tuple[tuple[Spend, ...], int]:
    newest = (
        Comparison.objects.filter(deployment__in=running)
        .order_by("deployment_id", "-recorded_at", "-pk")
        .distinct("deployment_id")
        .values_list("deployment_id", "content")
    )
    by_currency: dict[str, list[SpendLine]] = {}
    for pk, content in newest:
        name, hosting = running[pk]
        told = json.loads(content)
        for option in told["result"]["options"]:
            if option["kind"] == _OPTION_OF.get(hosting):
                line = SpendLine(pk, name, option["name"], Decimal(option["mid"]))
                by_currency.setdefault(told["currency"], []).append(line)
    compared = sum(len(lines) for lines in by_currency.values())
    return tuple(_spend(currency, by_currency[currency]) for currency in sorted(by_currency)), len(running) - compared


def _spend(currency: str, lines: Iterable[SpendLine]) -> Spend:
    ordered = sorted(lines, key=lambda line: (-line.amount, line.deployment))
    largest = max(ordered[0].amount, Decimal(1))
    shown = tuple(replace(line, share=float(100 * line.amount / largest)) for line in ordered)
    return Spend(currency, sum((line.amount for line in ordered), Decimal(0)), shown)
