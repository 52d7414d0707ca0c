"""Registering pools of accelerators."""

from datetime import datetime
from uuid import UUID

from audit.events import EventType
from governance.capacity.catalogue import gpu_named
from governance.capacity.facts import FactsRefused
from governance.models import GpuModel, GpuNode, GpuPool
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    recorded,
    refuse_unless_registrar,
    text,
    whole,
)

MAX_CARDS = 100_000


def register_gpu_pool(
    *,
    by: By,
    name: str,
    gpu_model: str,
    count: int,
    node: str,
    region: str,
    hosting: str,
    gpu_node_id: UUID | None = None,
    now: datetime,
) -> Recorded:
    """Register `count` cards of one kind in one place; `gpu_model` is a name of the registry or catalogue.

    Args:
        node: what people call the place. `gpu_node_id`: the registered machine, where it is one.

    Raises:
        Refused: a field that cannot be, an accelerator nobody registered, or a name that stands already.
    """
    refuse_unless_registrar(by)
    name = text("name", name, limit=100)
    model = _gpu_model(gpu_model)
    columns = {
        "count": whole("count", count, low=1, high=MAX_CARDS),
        "node": text("node", node, limit=100),
        "region": text("region", region, limit=100),
        "hosting": choice("hosting", hosting, GpuPool.Hosting.values),
    }
    with change("name"):
        if gpu_node_id is not None and not GpuNode.objects.filter(pk=gpu_node_id).exists():
            raise Refused("gpu_node", "is not registered.")
        if GpuPool.objects.filter(name=name).exists():
            raise Refused("name", f"A pool called {name} stands already.")
        row = GpuPool.objects.create(name=name, gpu_model=model, gpu_node_id=gpu_node_id, registered_at=now, **columns)
        registered = event("gpu_pool", EventType.GPU_POOL_REGISTERED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [registered])


def _gpu_model(name: str) -> GpuModel:
    found = GpuModel.objects.filter(name=name).first()
    if found is None:
        try:
            found = GpuModel.objects.filter(name=gpu_named(name).facts.name).first()
        except FactsRefused as error:
            raise Refused("gpu_model", error.reason) from error
    if found is None:
        raise Refused("gpu_model", f"{name} is not registered yet; an operator runs `load_catalogue` first.")
    return found
