"""Registering machines with accelerators, and changing what is known of one."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from audit.events import EventType
from governance.models import GpuNode
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    person_of,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.operations.readings import money, refuse_unknown_person
from governance.snapshot import snapshot


def register_gpu_node(
    *,
    by: By,
    name: str,
    provider: str,
    region: str,
    hourly_cost: Decimal | str | None = None,
    cost_currency: str = "",
    notes: str = "",
    now: datetime,
) -> Recorded:
    """Register a machine; the one who registers answers for it.

    Raises:
        Refused: a field that cannot be, or a name that stands already.
    """
    refuse_unless_registrar(by)
    name = text("name", name, limit=100)
    cost, currency = money("hourly_cost", hourly_cost, cost_currency)
    columns = {
        "provider": choice("provider", provider, GpuNode.Provider.values),
        "region": text("region", region, limit=100),
        "notes": text("notes", notes, limit=1000, required=False),
    }
    with change("name"):
        if GpuNode.objects.filter(name=name).exists():
            raise Refused("name", f"A node called {name} stands already.")
        row = GpuNode.objects.create(
            name=name,
            hourly_cost=cost,
            cost_currency=currency,
            owner_id=person_of(by),
            registered_at=now,
            **columns,
        )
        return recorded(row.id, [event("gpu_node", EventType.GPU_NODE_REGISTERED, row, actor=actor_of(by), now=now)])


def change_gpu_node(
    *,
    by: By,
    node_id: UUID,
    provider: str,
    region: str,
    owner_id: UUID,
    hourly_cost: Decimal | str | None = None,
    cost_currency: str = "",
    notes: str = "",
    seen: int,
    now: datetime,
) -> Recorded:
    """Change what is known of a machine; its name stays.

    Args:
        seen: `row_version` that was read.

    Raises:
        Refused: a field that cannot be, no such node, or `row_version` when it has changed since.
    """
    refuse_unless_registrar(by)
    cost, currency = money("hourly_cost", hourly_cost, cost_currency)
    columns = {
        "provider": choice("provider", provider, GpuNode.Provider.values),
        "region": text("region", region, limit=100),
        "notes": text("notes", notes, limit=1000, required=False),
        "hourly_cost": cost,
        "cost_currency": currency,
        "owner_id": owner_id,
    }
    with change("row_version"):
        row = GpuNode.objects.select_for_update().filter(pk=node_id).first()
        if row is None:
            raise Refused("node", "is not registered.")
        if row.row_version != seen:
            raise Refused("row_version", "is not the newest: the node has changed since. Read it again.")
        refuse_unknown_person("owner_id", owner_id)
        before: dict[str, object] = dict(snapshot("gpu_node", row))
        for field, value in columns.items():
            setattr(row, field, value)
        row.row_version += 1
        row.save(update_fields=[*columns, "row_version"])
        told = event("gpu_node", EventType.GPU_NODE_CHANGED, row, actor=actor_of(by), now=now, before=before)
        return recorded(row.id, [told])
