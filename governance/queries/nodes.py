"""The page of a machine: its cards, their slices and the pools they are in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from audit import queries as log
from governance.models import GpuDevice, GpuNode, GpuPool, MigSlice, PoolDevice
from governance.queries.telling import HistoryLine, history_lines
from governance.snapshot import snapshot

SHOWN: Final = 20
MAX_CARDS: Final = 256
PARTS: Final = 7
"""Parts that a card is divided into at most."""


class NodeNotFound(LookupError):
    """No node has this id."""


@dataclass(frozen=True, slots=True)
class SliceBox:
    """A part of a card; `parts` of seven."""

    profile: str
    parts: int
    memory_bytes: int
    instances: str


@dataclass(frozen=True, slots=True)
class CardBox:
    """A card as a box: what it is, its slices, the pool it is in (`pool_id` is None outside of every pool)."""

    id: UUID
    uuid: str
    model: str
    memory_bytes: int
    serial: str
    slot: int
    driver_version: str
    firmware: str
    pool: str
    pool_id: UUID | None
    slices: tuple[SliceBox, ...]


@dataclass(frozen=True, slots=True)
class PoolLine:
    """A pool of the node: how many cards it was registered with, and how many of them are known one by one."""

    name: str
    model: str
    count: int
    known: int


@dataclass(frozen=True, slots=True)
class NodePage:
    """One machine as its page shows it."""

    id: UUID
    name: str
    provider: str
    region: str
    owner: str
    cost: str
    notes: str
    registered_at: datetime
    row_version: int
    cards: tuple[CardBox, ...]
    pools: tuple[PoolLine, ...]
    history: tuple[HistoryLine, ...]


def node_page(node_id: UUID) -> NodePage:
    """The page of one machine, in a constant number of queries.

    Raises:
        NodeNotFound: there is none.
    """
    found = GpuNode.objects.select_related("owner").filter(pk=node_id).first()
    if found is None:
        raise NodeNotFound("There is no such node.")
    devices = list(found.devices.select_related("gpu_model").order_by("slot", "uuid")[:MAX_CARDS])
    inside = _pools_of(devices)
    slices = _slices_of(devices)
    cost = "" if found.hourly_cost is None else f"{found.cost_currency} {found.hourly_cost.normalize():,f}"
    return NodePage(
        id=found.pk,
        name=found.name,
        provider=found.get_provider_display(),
        region=found.region,
        owner=found.owner.display_name,
        cost=cost,
        notes=found.notes,
        registered_at=found.registered_at,
        row_version=found.row_version,
        cards=tuple(_card(row, inside.get(row.pk), slices.get(row.pk, ())) for row in devices),
        pools=_pools(found, list(inside.values())),
        history=history_lines(log.history(f"gpu_node:{found.pk}", limit=SHOWN)),
    )


def node_snapshot(node_id: UUID) -> dict[str, Any] | None:
    """The full snapshot of a node with its cards, each with the slices that stand; None when there is none."""
    row = GpuNode.objects.filter(pk=node_id).first()
    if row is None:
        return None
    devices = list(row.devices.order_by("slot", "uuid")[:MAX_CARDS])
    inside, slices = _pools_of(devices), _slices_of(devices)
    cards: list[dict[str, Any]] = []
    for item in devices:
        pool = inside.get(item.pk)
        own = [snapshot("mig_slice", part) for part in slices.get(item.pk, ())]
        cards.append({**snapshot("gpu_device", item), "pool_id": str(pool.pk) if pool else None, "slices": own})
    return {**snapshot("gpu_node", row), "devices": cards}


def _pools_of(devices: Sequence[GpuDevice]) -> dict[UUID, GpuPool]:
    """The pool that each card is in."""
    rows = PoolDevice.objects.filter(device__in=devices).select_related("pool__gpu_model")
    newest = rows.order_by("device_id", "pool_id", "-number").distinct("device_id", "pool_id")
    return {row.device_id: row.pool for row in newest if not row.left}


def _slices_of(devices: Sequence[GpuDevice]) -> dict[UUID, tuple[MigSlice, ...]]:
    """The slices of each card's newest layout."""
    found: dict[UUID, list[MigSlice]] = {}
    rows = MigSlice.objects.filter(device__in=devices)
    for row in rows.order_by("device_id", "-layout", "gpu_instance", "compute_instance"):
        own = found.setdefault(row.device_id, [])
        if not own or own[0].layout == row.layout:
            own.append(row)
    return {device: tuple(own) for device, own in found.items()}


def _card(row: GpuDevice, pool: GpuPool | None, slices: Sequence[MigSlice]) -> CardBox:
    return CardBox(
        id=row.pk,
        uuid=row.uuid,
        model=row.gpu_model.name,
        memory_bytes=row.gpu_model.memory_bytes,
        serial=row.serial,
        slot=row.slot,
        driver_version=row.driver_version,
        firmware=row.firmware,
        pool=pool.name if pool else "",
        pool_id=pool.pk if pool else None,
        slices=tuple(
            SliceBox(
                profile=item.profile,
                parts=min(PARTS, int(item.profile[0])),
                memory_bytes=item.memory_bytes,
                instances=f"{item.gpu_instance}/{item.compute_instance}",
            )
            for item in slices
        ),
    )


def _pools(node: GpuNode, inside: Sequence[GpuPool]) -> tuple[PoolLine, ...]:
    known = [pool.pk for pool in inside]
    own = {pool.pk: pool for pool in node.gpu_pools.select_related("gpu_model")}
    pools = sorted({**own, **{pool.pk: pool for pool in inside}}.values(), key=lambda pool: pool.name)
    return tuple(PoolLine(pool.name, pool.gpu_model.name, pool.count, known.count(pool.pk)) for pool in pools)
