"""Forms of machines, cards and oversight: they read text into types."""

from typing import TYPE_CHECKING
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.admin.agentforms import AREA, PersonField
from governance.formats import nvidiasmi
from governance.models import GpuDevice, GpuModel, GpuNode, GpuPool, OversightAssignment, UseCase

if TYPE_CHECKING:
    _DeviceField = forms.ModelChoiceField[GpuDevice]
else:
    _DeviceField = forms.ModelChoiceField

DAY = {"type": "date"}


class _Device(_DeviceField):
    def label_from_instance(self, obj: GpuDevice) -> str:
        return f"{obj.slot}: {obj.gpu_model.name}, {obj.uuid}"


class NodeChangeForm(forms.Form):
    """What is known of a machine."""

    provider = forms.ChoiceField(label=_("Provider"), choices=GpuNode.Provider.choices)
    region = forms.CharField(label=_("Region"), max_length=100)
    hourly_cost = forms.DecimalField(label=_("Cost an hour"), min_value=0, required=False, decimal_places=4)
    cost_currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Three letters, such as EUR.")
    )
    owner = PersonField(_("Owner"))
    notes = forms.CharField(label=_("Notes"), max_length=1000, required=False, widget=forms.Textarea(AREA))
    row_version = forms.IntegerField(widget=forms.HiddenInput)


class NodeForm(forms.Form):
    """A machine with accelerators."""

    name = forms.CharField(label=_("Name"), max_length=100)
    provider = forms.ChoiceField(label=_("Provider"), choices=GpuNode.Provider.choices)
    region = forms.CharField(label=_("Region"), max_length=100)
    hourly_cost = forms.DecimalField(label=_("Cost an hour"), min_value=0, required=False, decimal_places=4)
    cost_currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, help_text=_("Three letters, such as EUR.")
    )
    notes = forms.CharField(label=_("Notes"), max_length=1000, required=False, widget=forms.Textarea(AREA))


class CardsForm(forms.Form):
    """What nvidia-smi says of the cards in a machine."""

    report = forms.FileField(
        label=_("Output of nvidia-smi"),
        help_text=_(
            "Of `nvidia-smi -q -x`, or of --query-gpu=name,uuid,serial,index,driver_version,vbios_version with"
            " --format=csv. What stands already is left as it is."
        ),
    )
    gpu_model = forms.ModelChoiceField(
        label=_("GPU model"),
        required=False,
        queryset=GpuModel.objects.order_by("vendor", "name"),
        help_text=_("Of a card whose product name is not known here."),
    )

    def clean_report(self) -> bytes:
        return bytes(self.cleaned_data["report"].read(nvidiasmi.LIMIT + 1))


class PoolCardForm(forms.Form):
    """A card that joins a pool or leaves it."""

    device = _Device(label=_("Card"), queryset=GpuDevice.objects.none())
    pool = forms.ModelChoiceField(label=_("GPU pool"), queryset=GpuPool.objects.order_by("name"))
    left = forms.ChoiceField(
        label=_("What happens"), choices=[("joins", _("it joins the pool")), ("leaves", _("it leaves the pool"))]
    )

    def clean_left(self) -> bool:
        return bool(self.cleaned_data["left"] == "leaves")

    def of(self, node_id: UUID) -> "PoolCardForm":
        """The same, offering the cards of one machine."""
        field = self.fields["device"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = GpuDevice.objects.filter(node_id=node_id).select_related("gpu_model").order_by("slot", "uuid")
        return self


class OversightForm(forms.Form):
    """Who oversees a use of AI, and why they can."""

    use_case = forms.ModelChoiceField(label=_("Use case"), queryset=UseCase.objects.order_by("number"))
    person = PersonField(_("Person"))
    role = forms.CharField(label=_("Role"), max_length=200)
    authority = forms.ChoiceField(label=_("Authority"), choices=OversightAssignment.Authority.choices, initial="all")
    competence = forms.CharField(label=_("Competence"), max_length=1000, widget=forms.Textarea(AREA))
    training = forms.CharField(label=_("Training"), max_length=500)
    training_date = forms.DateField(label=_("Trained on"), widget=forms.DateInput(DAY))
    valid_from = forms.DateField(label=_("Valid from"), widget=forms.DateInput(DAY))
    valid_until = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput(DAY))
