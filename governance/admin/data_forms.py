"""Forms of data sets, evaluations and evidence: they read text into types. Operations judge what is allowed."""

import csv
import hashlib
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from governance.capacity.dtypes import WEIGHT_DTYPES
from governance.models import (
    Adapter,
    Dataset,
    DatasetUse,
    DatasetVersion,
    Evidence,
    MetricThreshold,
    Model,
    ModelVersion,
    UseCase,
)
from governance.operations import Measured
from governance.operations.evaluations import MAX_METRICS

if TYPE_CHECKING:
    _VersionField = forms.ModelChoiceField[ModelVersion]
    _DataField = forms.ModelChoiceField[DatasetVersion]
else:
    _VersionField = _DataField = forms.ModelChoiceField

LARGEST_UPLOAD: Final = 20 * 1024 * 1024
_DAY: Final = {"type": "date"}


class _Version(_VersionField):
    def label_from_instance(self, obj: ModelVersion) -> str:
        return f"{obj.model.name} {obj.version}"


class _Data(_DataField):
    def label_from_instance(self, obj: DatasetVersion) -> str:
        return f"{obj.dataset.name} {obj.version}"


def _versions(**options: Any) -> _Version:
    rows = ModelVersion.objects.select_related("model").order_by("model__name", "version")
    return _Version(label=_("Model version"), queryset=rows, **options)


def _data(**options: Any) -> _Data:
    rows = DatasetVersion.objects.select_related("dataset").order_by("dataset__name", "version")
    return _Data(label=_("Version of a data set"), queryset=rows, **options)


def _area(rows: int = 2) -> forms.Textarea:
    return forms.Textarea({"rows": rows})


class DatasetForm(forms.Form):
    """Data by name."""

    name = forms.CharField(label=_("Name"), max_length=200)
    dataset_type = forms.ChoiceField(label=_("Type of data"), choices=Dataset.Type.choices, initial="text")
    intended_use = forms.CharField(label=_("Intended use"), max_length=2000, widget=_area(3))


class DatasetChangeForm(forms.Form):
    """What a data set is said to be from now on."""

    dataset_type = forms.ChoiceField(label=_("Type of data"), choices=Dataset.Type.choices)
    intended_use = forms.CharField(label=_("Intended use"), max_length=2000, widget=_area(3))
    reason = forms.CharField(label=_("Why"), max_length=1000, widget=_area())


class DatasetVersionForm(forms.Form):
    """An immutable version of a data set, in the words of SPDX 3."""

    version = forms.CharField(label=_("Version"), max_length=100, help_text=_("It never changes afterwards."))
    provenance = forms.ChoiceField(label=_("Where the data come from"), choices=DatasetVersion.Provenance.choices)
    confidentiality_level = forms.ChoiceField(
        label=_("Confidentiality"), choices=DatasetVersion.Confidentiality.choices, initial="amber"
    )
    has_sensitive_personal_information = forms.ChoiceField(
        label=_("Sensitive personal information"), choices=DatasetVersion.Presence.choices, initial="unknown"
    )
    licence = forms.CharField(label=_("Licence"), max_length=200)
    dataset_size = forms.IntegerField(label=_("Size (bytes)"), min_value=1, required=False)
    data_collection_process = forms.CharField(label=_("How it was collected"), max_length=4000, widget=_area(3))
    data_preprocessing = forms.CharField(
        label=_("How it was prepared"), max_length=4000, required=False, widget=_area()
    )
    known_bias = forms.CharField(label=_("Known bias"), max_length=4000, required=False, widget=_area())
    anonymization_method_used = forms.CharField(
        label=_("Anonymisation"), max_length=1000, required=False, widget=_area()
    )
    sha256 = forms.CharField(
        label="SHA-256", max_length=71, required=False, help_text=_("Of the data, or of a manifest of their files.")
    )
    source = forms.CharField(label=_("Source"), max_length=500, help_text=_("An address and the day it was read."))


class DatasetUseForm(forms.Form):
    """What was made or tried with a version of this data set."""

    dataset_version = forms.ModelChoiceField(label=_("Version"), queryset=DatasetVersion.objects.none())
    purpose = forms.ChoiceField(label=_("Purpose"), choices=DatasetUse.Purpose.choices)
    model_version = _versions(required=False, help_text=_("A model version or an adapter, not both."))
    adapter = forms.ModelChoiceField(
        label=_("Adapter"), required=False, queryset=Adapter.objects.order_by("name", "version")
    )
    note = forms.CharField(label=_("Note"), max_length=1000, required=False, widget=_area())


class EvaluationForm(forms.Form):
    """Results of an evaluation that ran elsewhere."""

    model_version = _versions()
    weight_dtype = forms.ChoiceField(
        label=_("Weights"),
        required=False,
        choices=[("", _("as the version is stored")), *((name, name) for name in sorted(WEIGHT_DTYPES))],
    )
    quantisation = forms.CharField(label=_("Quantisation"), max_length=200, required=False)
    adapter = forms.ModelChoiceField(
        label=_("Adapter"), required=False, queryset=Adapter.objects.order_by("name", "version")
    )
    use_case = forms.ModelChoiceField(
        label=_("Use case"),
        required=False,
        queryset=UseCase.objects.order_by("name"),
        help_text=_("Its thresholds apply beside the model's; the stricter one wins."),
    )
    dataset_version = _data(required=False)
    protocol = forms.CharField(
        label=_("Protocol"), max_length=500, help_text=_("What was done, so that it can be done again.")
    )
    tool = forms.CharField(label=_("Tool"), max_length=100)
    tool_version = forms.CharField(label=_("Version of the tool"), max_length=100, required=False)
    run_at = forms.DateTimeField(
        label=_("Run (UTC)"), widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    hardware = forms.CharField(label=_("Hardware"), max_length=500, required=False)
    metrics = forms.CharField(
        label=_("Metrics"),
        max_length=100_000,
        widget=_area(6),
        help_text=_("One a line: name, value, slice, unit, lower bound, upper bound. Only the first two are needed."),
    )
    artefact_sha256 = forms.CharField(label=_("SHA-256 of the results"), max_length=71, required=False)
    artefact_address = forms.CharField(label=_("Where the results lie"), max_length=500, required=False)
    signed_by = forms.CharField(label=_("Signed by"), max_length=200, required=False)
    notes = forms.CharField(label=_("Notes"), max_length=4000, required=False, widget=_area())

    def clean_metrics(self) -> tuple[Measured, ...]:
        lines = [line for line in str(self.cleaned_data["metrics"]).splitlines() if line.strip()]
        if len(lines) > MAX_METRICS:
            raise forms.ValidationError(_now("At most %(most)s metrics are recorded at once.") % {"most": MAX_METRICS})
        return tuple(_measured(place, cells) for place, cells in enumerate(csv.reader(lines), start=1))


class ThresholdForm(forms.Form):
    """A threshold of a model or of a use case."""

    model = forms.ModelChoiceField(
        label=_("Model"),
        required=False,
        queryset=Model.objects.order_by("name"),
        help_text=_("A model or a use case, not both."),
    )
    use_case = forms.ModelChoiceField(label=_("Use case"), required=False, queryset=UseCase.objects.order_by("name"))
    metric = forms.CharField(label=_("Metric"), max_length=100, help_text=_("The name that evaluations use."))
    slice = forms.CharField(
        label=_("Slice"), max_length=200, required=False, help_text=_("The part of the data it is for.")
    )
    shape = forms.ChoiceField(label=_("Fails when"), choices=MetricThreshold.Shape.choices, initial="lt")
    limit = forms.CharField(
        label=_("Limit"), max_length=70, required=False, help_text=_("Left empty, the threshold that stands ends.")
    )
    upper = forms.CharField(label=_("Upper limit"), max_length=70, required=False, help_text=_("For “outside” alone."))
    reason = forms.CharField(label=_("Why"), max_length=1000, widget=_area())


class EvidenceForm(forms.Form):
    """A document or result by its digest. An upload is read for its digest and not kept."""

    title = forms.CharField(label=_("Title"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=Evidence.Kind.choices)
    subject = forms.CharField(
        label=_("About"),
        max_length=300,
        help_text=_(
            "The name (of a model version: name and version), number (UC-0001) or reference of a registered thing."
        ),
    )
    classification = forms.ChoiceField(label=_("Classification"), choices=Evidence.Secrecy.choices, initial="internal")
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("Read for its digest, size and type, then dropped; 20 MiB at most. Or fill in the three below."),
    )
    sha256 = forms.CharField(label="SHA-256", max_length=71, required=False)
    size_bytes = forms.IntegerField(label=_("Size (bytes)"), min_value=0, required=False)
    media_type = forms.CharField(label=_("Media type"), max_length=100, required=False)
    address = forms.CharField(
        label=_("Where it lies"),
        max_length=500,
        help_text=_("An https address, or words such as a shelf mark. Everybody who may log in can read it."),
    )
    collected_at = forms.DateField(label=_("Collected"), widget=forms.DateInput(_DAY))
    valid_until = forms.DateField(label=_("Valid until"), required=False, widget=forms.DateInput(_DAY))
    supersedes = forms.CharField(
        label=_("Supersedes"),
        max_length=40,
        required=False,
        help_text=_("The number (EV-0001) of older evidence of the same kind about the same thing."),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        upload = found.pop("file", None)
        if isinstance(upload, UploadedFile):
            self._read(upload, found)
        for name in ("sha256", "media_type", "size_bytes"):
            if found.get(name) in ("", None) and name not in self.errors:
                self.add_error(name, _now("Choose a file, or fill this in."))
        return found

    def _read(self, upload: "UploadedFile[Any]", found: dict[str, Any]) -> None:
        if (upload.size or 0) > LARGEST_UPLOAD:
            self.add_error("file", _now("Is larger than 20 MiB: fill in digest, size and type instead."))
            return
        digest = hashlib.sha256()
        for chunk in upload.chunks():
            digest.update(chunk)
        typed = str(found.get("sha256") or "").strip().lower().removeprefix("sha256:")
        if typed and typed != digest.hexdigest():
            self.add_error("sha256", _now("Is not the digest of the file."))
            return
        found["sha256"], found["size_bytes"] = digest.hexdigest(), upload.size
        found["media_type"] = found.get("media_type") or upload.content_type or "application/octet-stream"


def _measured(place: int, cells: list[str]) -> Measured:
    if not 2 <= len(cells) <= 6:
        raise forms.ValidationError(_now("Line %(line)s: a name and a value are needed.") % {"line": place})
    name, value, part, unit, lower, upper = [*cells, "", "", "", ""][:6]
    return Measured(name=name, value=value, slice=part, unit=unit, lower_bound=lower, upper_bound=upper)
