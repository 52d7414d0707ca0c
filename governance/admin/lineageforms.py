"""Forms of files, lineage and quantisation: they read text into types. What is allowed is judged by the operations."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import ModelArtefact, ModelRelation, ModelVersion, Quantisation

if TYPE_CHECKING:
    _VersionField = forms.ModelChoiceField[ModelVersion]
else:
    _VersionField = forms.ModelChoiceField


class _Version(_VersionField):
    def label_from_instance(self, obj: ModelVersion) -> str:
        return f"{obj.model.name} {obj.version}"


def _versions(label: Any, help_text: Any = "") -> _Version:
    rows = ModelVersion.objects.select_related("model").order_by("model__name", "version")
    return _Version(queryset=rows, label=label, required=False, help_text=help_text)


class ArtefactForm(forms.Form):
    """A file by the digest of all of it."""

    name = forms.CharField(label=_("Path"), max_length=500)
    kind = forms.ChoiceField(label=_("Kind"), choices=ModelArtefact.Kind.choices, initial="weights")
    format = forms.ChoiceField(
        label=_("Format"),
        choices=ModelArtefact.Format.choices,
        initial="safetensors",
        help_text=_("A PyTorch pickle is unsafe: loading it runs whatever code is inside."),
    )
    sha256 = forms.CharField(
        label=_("SHA-256 of the file"),
        max_length=71,
        help_text=_("Of all of it: the digest of a header alone does not belong here."),
    )
    size_bytes = forms.IntegerField(label=_("Bytes"), min_value=0, required=False)
    address = forms.CharField(label=_("Address"), max_length=500, required=False)


class RelationForm(forms.Form):
    """What a version was made from."""

    relation = forms.ChoiceField(label=_("Relation"), choices=ModelRelation.Relation.choices, initial="finetune")
    parent = _versions(_("Registered version"), _("Or name below what is not registered."))
    parent_name = forms.CharField(label=_("Name as it was declared"), max_length=300, required=False)
    parent_revision = forms.CharField(label=_("Revision as it was declared"), max_length=100, required=False)


class QuantisationForm(forms.Form):
    """How weights were made smaller."""

    scheme = forms.ChoiceField(label=_("Scheme"), choices=Quantisation.Scheme.choices)
    detail = forms.CharField(label=_("Detail"), max_length=60, required=False, help_text=_("Such as Q4_K_M."))
    bits = forms.CharField(label=_("Bits of a weight"), max_length=20, required=False)
    group_size = forms.IntegerField(label=_("Group size"), min_value=1, required=False)
    calibration = forms.CharField(label=_("Calibrated with"), max_length=300, required=False)
    kv_cache_dtype = forms.CharField(label=_("KV cache"), max_length=40, required=False)
    source_version = _versions(_("Quantised from"))
    tool = forms.CharField(label=_("Tool"), max_length=200, required=False)
