"""Registering the cards of a machine and the slices of a card, by hand or from what `nvidia-smi` says."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import UUID

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.capacity.catalogue import gpu_named
from governance.capacity.facts import FactsRefused
from governance.formats import nvidiasmi
from governance.formats.nvidiasmi import SmiDevice, SmiSlice
from governance.formats.strict_json import FormatError
from governance.models import GpuDevice, GpuModel, GpuNode, MigSlice
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    recorded,
    refuse_unless_registrar,
    text,
    whole,
)
from governance.operations.readings import LARGEST

SOLD_AS: Final = MappingProxyType(
    {
        "NVIDIA H100 80GB HBM3": "H100 SXM5",
        "NVIDIA H200": "H200 SXM",
        "NVIDIA RTX 6000 Ada Generation": "RTX 6000 Ada",
    }
)
"""Products by the name that the driver gives them, where that is not the name they are sold under."""
_BRANDS: Final = ("NVIDIA GeForce ", "NVIDIA ", "Tesla ", "GeForce ")
MAX_SLOT: Final = 1000


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """A slice as a person or program names it."""

    profile: str
    gpu_instance: int
    compute_instance: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class _Told:
    """Who registers, when, and from which file."""

    actor: str
    now: datetime
    files: tuple[dict[str, object], ...] = ()


def register_gpu_device(
    *,
    by: By,
    node_id: UUID,
    gpu_model: str,
    hardware_id: str,
    slot: int,
    serial: str = "",
    driver_version: str = "",
    firmware: str = "",
    now: datetime,
) -> Recorded:
    """Register a card in a machine.

    Args:
        hardware_id: what its driver calls it, GPU-….

    Raises:
        Refused: a field that cannot be, something that is not registered, or a card that stands already.
    """
    refuse_unless_registrar(by)
    uuid = hardware_id.strip()
    if not nvidiasmi.UUID.fullmatch(uuid):
        raise Refused("hardware_id", "must be what the driver calls the card, such as GPU-9a9a6c50-….")
    found = SmiDevice(
        product=gpu_model,
        uuid=uuid,
        serial=text("serial", serial, limit=40, required=False),
        slot=whole("slot", slot, low=0, high=MAX_SLOT),
        driver=text("driver_version", driver_version, limit=40, required=False),
        firmware=text("firmware", firmware, limit=40, required=False),
    )
    with change("hardware_id"):
        node = _locked(node_id)
        if GpuDevice.objects.filter(uuid=uuid).exists():
            raise Refused("hardware_id", f"{uuid} stands already.")
        row, told = _device(node, found, _model(gpu_model, ""), _Told(actor_of(by), now))
        return recorded(row.id, [told])


def register_mig_slices(*, by: By, device_id: UUID, slices: Sequence[SliceFacts], now: datetime) -> Recorded:
    """Register how a card is divided; an earlier division no longer counts. The id is the card's.

    Raises:
        Refused: no such card, nothing or too much to register, or a profile that this card does not have.
    """
    refuse_unless_registrar(by)
    if not 1 <= len(slices) <= nvidiasmi.MAX_SLICES:
        raise Refused("slices", f"are {len(slices)}; between 1 and {nvidiasmi.MAX_SLICES} are kept.")
    device = GpuDevice.objects.select_related("gpu_model").filter(pk=device_id).first()
    if device is None:
        raise Refused("device", "is not registered.")
    for item in slices:
        _refuse_foreign(device.gpu_model, item.profile)
        whole("memory_bytes", item.memory_bytes, low=1, high=LARGEST)
        whole("gpu_instance", item.gpu_instance, low=0, high=MAX_SLOT)
        whole("compute_instance", item.compute_instance, low=0, high=MAX_SLOT)
    if len({(item.gpu_instance, item.compute_instance) for item in slices}) != len(slices):
        raise Refused("slices", "name one instance twice.")
    with change("slices"):
        _locked(device.node_id)
        events = _divide(device, slices, _Told(actor_of(by), now))
        return recorded(device.id, events) if events else Recorded(device.id, ())


def import_cards(*, by: By, node_id: UUID, report: bytes, gpu_model: str = "", now: datetime) -> Recorded:
    """Register the cards and slices that `nvidia-smi` names and that do not stand yet. The id is the node's.

    A card that stands is left as it is; slices are registered again when the card is divided another way.

    Args:
        report: what `nvidia-smi -q -x` or `--query-gpu=… --format=csv` printed.
        gpu_model: what a card is whose product name the registry does not know.

    Raises:
        Refused: `report` where it cannot be read, names a card of another node or a slice that its card cannot have;
            `gpu_model` for a product that nobody registered.
    """
    refuse_unless_registrar(by)
    try:
        found = nvidiasmi.read_devices(report)
    except FormatError as error:
        raise Refused("report", str(error)) from error
    file = {"name": nvidiasmi.NAME, "bytes": len(report), "sha256": hashlib.sha256(report).hexdigest()}
    told = _Told(actor_of(by), now, (file,))
    with change("report"):
        node = _locked(node_id)
        rows = GpuDevice.objects.filter(uuid__in=[item.uuid for item in found]).select_related("gpu_model", "node")
        standing = {row.uuid: row for row in rows}
        events: list[ledger.Event] = []
        for item in found:
            row = standing.get(item.uuid)
            if row is None:
                row, registered = _device(node, item, _model(item.product, gpu_model), told)
                events.append(registered)
            elif row.node_id != node.pk:
                raise Refused("report", f"{item.uuid} stands in {row.node.name}.")
            if item.slices:
                events += _divide(row, [_known(part, row.gpu_model) for part in item.slices], told)
        return recorded(node.pk, events) if events else Recorded(node.pk, ())


def import_cards_from_file(*, login: str, node: str, file: Path, gpu_model: str, now: datetime) -> Recorded:
    """The same from a file, in the name of a log-in.

    Raises:
        Refused: as above, or no such log-in, node or file.
    """
    by = User.objects.filter(username=login).first()
    if by is None:
        raise Refused("as", f"{login!r} is no log-in.")
    found = GpuNode.objects.filter(name=node).first()
    if found is None:
        raise Refused("node", f"{node!r} is not registered.")
    try:
        with file.open("rb") as opened:
            report = opened.read(nvidiasmi.LIMIT + 1)
    except OSError as error:
        raise Refused("file", f"{file} cannot be read: {error.strerror}.") from error
    return import_cards(by=by, node_id=found.pk, report=report, gpu_model=gpu_model, now=now)


def _locked(node_id: UUID) -> GpuNode:
    """The node, so that nobody else registers cards or slices in it meanwhile: those tables cannot be locked."""
    node = GpuNode.objects.select_for_update().filter(pk=node_id).first()
    if node is None:
        raise Refused("node", "is not registered.")
    return node


def _device(node: GpuNode, found: SmiDevice, model: GpuModel, told: _Told) -> tuple[GpuDevice, ledger.Event]:
    row = GpuDevice.objects.create(
        node=node,
        gpu_model=model,
        uuid=found.uuid,
        serial=found.serial,
        slot=found.slot,
        driver_version=found.driver,
        firmware=found.firmware,
        registered_by=told.actor,
        registered_at=told.now,
    )
    registered = event(
        "gpu_device", EventType.GPU_DEVICE_REGISTERED, row, actor=told.actor, now=told.now, files=told.files
    )
    return row, registered


def _divide(device: GpuDevice, slices: Sequence[SliceFacts], told: _Told) -> list[ledger.Event]:
    newest = device.slices.order_by("-layout").first()
    layout = newest.layout if newest else 0
    standing = device.slices.filter(layout=layout)
    if {SliceFacts(row.profile, row.gpu_instance, row.compute_instance, row.memory_bytes) for row in standing} == set(
        slices
    ):
        return []
    rows = [
        MigSlice(
            device=device,
            layout=layout + 1,
            profile=item.profile,
            gpu_instance=item.gpu_instance,
            compute_instance=item.compute_instance,
            memory_bytes=item.memory_bytes,
            registered_by=told.actor,
            registered_at=told.now,
        )
        for item in slices
    ]
    MigSlice.objects.bulk_create(rows)
    registered = EventType.MIG_SLICE_REGISTERED
    return [event("mig_slice", registered, row, actor=told.actor, now=told.now, files=told.files) for row in rows]


def _known(found: SmiSlice, model: GpuModel) -> SliceFacts:
    profile = nvidiasmi.profile_of(found, model.mig_profiles)
    if not profile:
        raise Refused("report", f"A slice of {found.memory_bytes >> 20} MiB is no profile of {model.name}.")
    return SliceFacts(profile, found.gpu_instance, found.compute_instance, found.memory_bytes)


def _refuse_foreign(model: GpuModel, profile: str) -> None:
    names = nvidiasmi.profile_names(model.mig_profiles)
    if profile not in names:
        raise Refused("profile", f"must be one that {model.name} has: {', '.join(names) or 'it has none'}.")


def _model(product: str, fallback: str) -> GpuModel:
    wanted = dict.fromkeys(
        [SOLD_AS.get(product, product), *(product.removeprefix(brand) for brand in _BRANDS), fallback]
    )
    names = [known for name in wanted if name for known in (name, _in_catalogue(name)) if known]
    rows = {row.name: row for row in GpuModel.objects.filter(name__in=names)}
    found = next((rows[name] for name in names if name in rows), None)
    if found is not None:
        return found
    raise Refused("gpu_model", f"{product} is not known by this name: say which registered GPU model it is.")


def _in_catalogue(name: str) -> str | None:
    try:
        return gpu_named(name).facts.name
    except FactsRefused:
        return None
