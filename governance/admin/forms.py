"""Forms of the registry: they read text into types. What is allowed is judged by the operations."""

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.capacity.dtypes import AS_STORED, KV_DTYPES, WEIGHT_DTYPES
from governance.capacity.engines import ENGINES
from governance.formats.ggufheader import HEADER_LIMIT
from governance.formats.huggingface import CONFIG_LIMIT
from governance.formats.modelcard import CARD_LIMIT
from governance.formats.peft import ADAPTER_LIMIT
from governance.formats.safetensors import HEADER_LIMIT as SAFETENSORS_HEADER_LIMIT
from governance.formats.safetensors import INDEX_LIMIT
from governance.models import Adapter, Evidence, GpuModel, GpuNode, GpuPool, ModelVersion, UseCase
from governance.operations.asking import ENVIRONMENTS

if TYPE_CHECKING:
    _VersionField = forms.ModelChoiceField[ModelVersion]
    _PoolField = forms.ModelChoiceField[GpuPool]
    _AdaptersField = forms.ModelMultipleChoiceField[Adapter]
else:
    _VersionField = _PoolField = forms.ModelChoiceField
    _AdaptersField = forms.ModelMultipleChoiceField


class VersionField(_VersionField):
    def label_from_instance(self, obj: ModelVersion) -> str:
        return f"{obj.model.name} {obj.version}"


class _Pool(_PoolField):
    def label_from_instance(self, obj: GpuPool) -> str:
        return f"{obj.name}: {obj.count} × {obj.gpu_model.name}, {obj.region}"


class _Adapters(_AdaptersField):
    def label_from_instance(self, obj: Adapter) -> str:
        assert obj.base is not None  # the form offers no other
        base = f"{obj.base.model.name} {obj.base.version}"
        return str(_("%(adapter)s, for %(base)s") % {"adapter": obj, "base": base})


class AdapterForm(forms.Form):
    """A version of an adapter from its own files."""

    name = forms.CharField(label=_("Adapter"), max_length=200)
    version = forms.CharField(
        label=_("Version"), max_length=100, help_text=_("The commit or release; it never changes afterwards.")
    )
    config = forms.FileField(label=_("adapter_config.json"))
    header = forms.FileField(
        label=_("adapter_model.safetensors"),
        required=False,
        help_text=_("Its first bytes are enough: parameters and bytes are read from its header."),
    )
    weights_sha256 = forms.CharField(label=_("SHA-256 of the weights file"), max_length=71, required=False)
    base = VersionField(
        label=_("Base"),
        required=False,
        queryset=ModelVersion.objects.select_related("model").order_by("model__name", "version"),
        help_text=_("Needed where adapter_config.json names no revision that is registered."),
    )
    quantised_base = forms.CharField(
        label=_("Base quantised to"), max_length=40, required=False, help_text=_("While it was trained, such as nf4.")
    )
    licence = forms.CharField(label=_("Licence"), max_length=200, required=False)
    card = forms.FileField(
        label=_("README.md"), required=False, help_text=_("The model card; what its front matter says is recorded.")
    )
    source = forms.CharField(
        label=_("Where the files come from"), max_length=500, help_text=_("An address and the day it was read.")
    )

    def clean_config(self) -> bytes:
        return _content(self.cleaned_data["config"], ADAPTER_LIMIT) or b""

    def clean_header(self) -> bytes | None:
        return _content(self.cleaned_data["header"], SAFETENSORS_HEADER_LIMIT + 8)

    def clean_card(self) -> bytes | None:
        return _content(self.cleaned_data["card"], CARD_LIMIT + 1)


class ModelVersionForm(forms.Form):
    """A version from the model's own files."""

    model_name = forms.CharField(label=_("Model"), max_length=200)
    version = forms.CharField(
        label=_("Version"), max_length=100, help_text=_("The commit or release; it never changes afterwards.")
    )
    hf_id = forms.CharField(label=_("Hugging Face id"), max_length=200, required=False)
    developer = forms.CharField(label=_("Developer"), max_length=200, required=False)
    licence = forms.CharField(
        label=_("Licence"),
        max_length=200,
        required=False,
        help_text=_("Left empty, it is taken from the model card or the GGUF file."),
    )
    source = forms.CharField(
        label=_("Where the files come from"), max_length=500, help_text=_("An address and the day it was read.")
    )
    config = forms.FileField(
        label=_("config.json"), required=False, help_text=_("Gives the shape of the model; so does a GGUF file.")
    )
    index = forms.FileField(
        label=_("model.safetensors.index.json"),
        required=False,
        help_text=_("Gives the bytes of the weights; without it they are computed."),
    )
    header = forms.FileField(
        label=_("model.safetensors"),
        required=False,
        help_text=_(
            "Instead of the index, where there is one file. Its first bytes are enough: only its header is read."
        ),
    )
    gguf = forms.FileField(
        label=_("GGUF file"),
        required=False,
        help_text=_("Instead of the three above. Its first 32 MiB are enough: the weights are not read."),
    )
    card = forms.FileField(
        label=_("README.md"), required=False, help_text=_("The model card; what its front matter says is recorded.")
    )

    def clean_config(self) -> bytes | None:
        return _content(self.cleaned_data["config"], CONFIG_LIMIT + 1)

    def clean_index(self) -> bytes | None:
        return _content(self.cleaned_data["index"], INDEX_LIMIT + 1)

    def clean_header(self) -> bytes | None:
        return _content(self.cleaned_data["header"], SAFETENSORS_HEADER_LIMIT + 8)

    def clean_gguf(self) -> bytes | None:
        return _content(self.cleaned_data["gguf"], HEADER_LIMIT)

    def clean_card(self) -> bytes | None:
        return _content(self.cleaned_data["card"], CARD_LIMIT + 1)


class GpuPoolForm(forms.Form):
    """Cards of one kind in one place."""

    name = forms.CharField(label=_("Name"), max_length=100)
    gpu_model = forms.ModelChoiceField(
        label=_("GPU model"), queryset=GpuModel.objects.order_by("vendor", "name"), to_field_name="name"
    )
    count = forms.IntegerField(label=_("Cards"), min_value=1)
    node = forms.CharField(label=_("Node"), max_length=100)
    region = forms.CharField(label=_("Region"), max_length=100)
    hosting = forms.ChoiceField(label=_("Hosting"), choices=GpuPool.Hosting.choices)
    gpu_node = forms.ModelChoiceField(
        label=_("Registered GPU node"), queryset=GpuNode.objects.order_by("name"), required=False
    )


class UseCaseForm(forms.Form):
    """What AI is used for, in the words of the Act."""

    name = forms.CharField(label=_("Name"), max_length=100)
    eu_role = forms.ChoiceField(label=_("Role under the Act"), choices=UseCase.EuRole.choices, initial="deployer")
    intended_purpose = forms.CharField(label=_("Intended purpose"), max_length=2000, widget=forms.Textarea({"rows": 3}))
    out_of_scope_uses = forms.CharField(
        label=_("Not meant for"), max_length=2000, required=False, widget=forms.Textarea({"rows": 2})
    )
    member_states = forms.CharField(
        label=_("Member states"),
        max_length=200,
        required=False,
        help_text=_("Two letters each, with commas between them: DE, FR. Empty when it is not used in the Union."),
    )
    begin_date = forms.DateField(label=_("Begins"), required=False, widget=forms.DateInput({"type": "date"}))
    end_date = forms.DateField(label=_("Ends"), required=False, widget=forms.DateInput({"type": "date"}))

    def clean_member_states(self) -> tuple[str, ...]:
        codes = str(self.cleaned_data["member_states"]).upper().split(",")
        return tuple(code.strip() for code in codes if code.strip())


class DeploymentForm(forms.Form):
    """What somebody wants to run, and why."""

    name = forms.CharField(
        label=_("Deployment"),
        max_length=100,
        help_text=_("The name of one that stands asks for a change of it."),
    )
    purpose = forms.CharField(
        label=_("Used for"),
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Needed for a new deployment."),
    )
    use_case = forms.ModelChoiceField(
        label=_("Use case"),
        required=False,
        queryset=UseCase.objects.order_by("name"),
        help_text=_("Its tier decides which approval policy applies; once named, it stays."),
    )
    justification = forms.CharField(label=_("Why"), max_length=2000, widget=forms.Textarea({"rows": 3}))
    model_version = VersionField(
        label=_("Model version"),
        queryset=ModelVersion.objects.select_related("model").order_by("model__name", "version"),
    )
    adapters = _Adapters(
        label=_("Adapters"),
        required=False,
        queryset=Adapter.objects.filter(base__isnull=False)
        .select_related("base__model")
        .order_by("base__model__name", "base__version", "name", "version"),
        help_text=_("Each must be for the model version chosen above."),
    )
    gpu_pool = _Pool(label=_("GPU pool"), queryset=GpuPool.objects.select_related("gpu_model").order_by("name"))
    gpu_count = forms.IntegerField(label=_("Cards"), min_value=1, initial=1)
    tensor_parallel = forms.IntegerField(
        label=_("Tensor parallel"), min_value=1, required=False, help_text=_("All cards when left empty.")
    )
    context = forms.IntegerField(label=_("Context, tokens"), min_value=1, initial=8192)
    concurrency = forms.IntegerField(label=_("Answers at once"), min_value=1, initial=8)
    reasoning_cap = forms.IntegerField(
        label=_("Reasoning cap, tokens"), min_value=0, required=False, help_text=_("No cap when left empty.")
    )
    weight_dtype = forms.ChoiceField(
        label=_("Weights"),
        choices=[*((name, name) for name in sorted(WEIGHT_DTYPES)), (AS_STORED, _("as stored in its files"))],
        initial="bf16",
        help_text=_("A GGUF file is mixed from several forms: take it as stored, with the bytes it has."),
    )
    kv_dtype = forms.ChoiceField(
        label=_("KV cache"), choices=[(name, name) for name in sorted(KV_DTYPES)], initial="bf16"
    )
    engine = forms.ChoiceField(label=_("Engine"), choices=[(name, name) for name in sorted(ENGINES)], initial="vllm")
    engine_version = forms.CharField(label=_("Engine version"), max_length=100, required=False)
    runtime_image = forms.CharField(
        label=_("Image"), max_length=300, required=False, help_text=_("With its digest: name@sha256:…")
    )
    environment = forms.ChoiceField(
        label=_("Environment"), choices=[(name, name) for name in ENVIRONMENTS], initial="production"
    )
    tool_grants = forms.CharField(
        label=_("Tools"), required=False, max_length=2000, help_text=_("Names with commas between them.")
    )

    relied_on = forms.ModelMultipleChoiceField(
        label=_("Evidence relied on"),
        required=False,
        queryset=Evidence.objects.filter(revocation__isnull=True).order_by("-number"),
        help_text=_("About the deployment, its use case, its model or adapters. The decision is bound to it."),
    )

    def clean_tool_grants(self) -> tuple[str, ...]:
        names = str(self.cleaned_data["tool_grants"]).split(",")
        return tuple(name.strip() for name in names if name.strip())


def _content(upload: object, limit: int) -> bytes | None:
    """The first bytes of an upload, `limit` at most: the reader of the format refuses what is too long."""
    read = getattr(upload, "read", None)
    return bytes(read(limit)) if callable(read) else None
