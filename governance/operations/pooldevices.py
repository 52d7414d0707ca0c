"""Putting a card into a pool, and taking it out."""

from datetime import datetime
from uuid import UUID

from audit.events import EventType
from governance.models import GpuDevice, GpuNode, GpuPool, PoolDevice
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    recorded,
    refuse_unless_registrar,
)


def record_pool_device(*, by: By, pool_id: UUID, device_id: UUID, left: bool, now: datetime) -> Recorded:
    """Record that a card joins a pool, or leaves it. A card is in one pool at a time, and of the pool's model.

    Raises:
        Refused: something that is not registered, a card of another model, one that is in a pool already, or one
            that is not in this pool.
    """
    refuse_unless_registrar(by)
    with change("device"):
        pool = GpuPool.objects.filter(pk=pool_id).first()
        if pool is None:
            raise Refused("pool", "is not registered.")
        device = GpuDevice.objects.filter(pk=device_id).first()
        if device is None:
            raise Refused("device", "is not registered.")
        # Rows of cards cannot be locked, so those who move cards of one node wait for each other at the node.
        GpuNode.objects.select_for_update().get(pk=device.node_id)
        if device.gpu_model_id != pool.gpu_model_id:
            raise Refused("device", f"is of another GPU model than those of {pool.name}.")
        newest = device.pools.select_related("pool").order_by("pool_id", "-number").distinct("pool_id")
        inside = [row for row in newest if not row.left]
        if left and not any(row.pool_id == pool.pk for row in inside):
            raise Refused("device", f"is not in {pool.name}.")
        if not left and inside:
            raise Refused("device", f"is in {inside[0].pool.name}.")
        row = PoolDevice.objects.create(
            pool=pool,
            device=device,
            number=device.pools.filter(pool=pool).count() + 1,
            left=left,
            recorded_by=actor_of(by),
            since=now,
        )
        told = event("pool_device", EventType.POOL_DEVICE_RECORDED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [told])
