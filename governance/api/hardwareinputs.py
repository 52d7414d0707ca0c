"""Bodies of machines, cards and slices. Shapes only: the operations judge."""

from typing import Any

from rest_framework import serializers

from governance.api.agentinputs import Amount, Flag
from governance.api.fields import Choice, Id, Strict, Text, Whole
from governance.api.inputs import LARGEST
from governance.formats.nvidiasmi import MAX_SLICES
from governance.models import GpuNode
from governance.operations.cards import MAX_SLOT
from governance.operations.readings import LARGEST as LARGEST_COUNT


class NodeInput(Strict):
    """A machine with accelerators."""

    name = Text(max_length=100)
    provider = Choice(choices=GpuNode.Provider.values)
    region = Text(max_length=100)
    hourly_cost = Amount(required=False, allow_null=True)
    cost_currency = Text(max_length=3, required=False)
    notes = Text(max_length=1000, required=False)


class NodeChangeInput(Strict):
    """Everything of a machine that may change; what is left out is emptied."""

    provider = Choice(choices=GpuNode.Provider.values)
    region = Text(max_length=100)
    owner_id = Id()
    hourly_cost = Amount(required=False, allow_null=True)
    cost_currency = Text(max_length=3, required=False)
    notes = Text(max_length=1000, required=False)
    row_version = Whole(min_value=1, max_value=LARGEST, help_text="Of the node that was read.")


class DeviceInput(Strict):
    """A card in a machine."""

    gpu_model = Text(max_length=100, help_text="Name of a registered GPU model.")
    hardware_id = Text(max_length=40, help_text="What the driver calls the card: GPU-….")
    slot = Whole(min_value=0, max_value=MAX_SLOT)
    serial = Text(max_length=40, required=False)
    driver_version = Text(max_length=40, required=False)
    firmware = Text(max_length=40, required=False)


class CardsInput(Strict):
    """What nvidia-smi printed."""

    report = Text(help_text="The text of `nvidia-smi -q -x`, or of `--query-gpu=… --format=csv` with its header.")
    gpu_model = Text(max_length=100, required=False, help_text="What a card is whose product name is not known.")


class SliceInput(Strict):
    """A part of a card."""

    profile = Text(max_length=40, help_text="One of the profiles of the GPU model, such as 1g.10gb.")
    gpu_instance = Whole(min_value=0, max_value=MAX_SLOT)
    compute_instance = Whole(min_value=0, max_value=MAX_SLOT)
    memory_bytes = Whole(min_value=1, max_value=LARGEST_COUNT)


class SlicesInput(Strict):
    """How a card is divided, all of it."""

    slices = serializers.ListField(child=SliceInput(), min_length=1, max_length=MAX_SLICES)


class PoolDeviceInput(Strict):
    """A card that joins or leaves."""

    device_id = Id()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "left": Flag(help_text="false when it joins, true when it leaves.")}
