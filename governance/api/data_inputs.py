"""Bodies that the addresses of data sets, evaluations and evidence take. Shapes only: operations judge them."""

from datetime import datetime
from typing import Any, Final

from rest_framework import serializers

from governance.api.fields import Choice, Day, Id, Strict, Text, Whole
from governance.capacity.dtypes import WEIGHT_DTYPES
from governance.evaluation import SHAPES
from governance.models import Dataset, DatasetUse, DatasetVersion, Evidence
from governance.operations.evaluations import MAX_METRICS
from governance.operations.evidencing import SUBJECTS

LARGEST: Final = 2**53 - 1
_Confidentiality, _Presence = DatasetVersion.Confidentiality, DatasetVersion.Presence


class Moment(serializers.DateTimeField):
    """A moment as a JSON string with its offset from UTC."""

    default_error_messages = {"invalid": "Must be a time with its offset, such as 2026-11-24T09:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or len(value) > 40:
            self.fail("invalid")
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail("invalid")
        if found.tzinfo is None or not 1900 < found.year < 9000:
            self.fail("invalid")
        return found


class DatasetInput(Strict):
    """Data by name."""

    name = Text(max_length=200)
    dataset_type = Choice(choices=Dataset.Type.values, help_text="`DatasetType` of SPDX 3.")
    intended_use = Text(max_length=2000)


class DatasetChangeInput(Strict):
    """What a data set is said to be from now on."""

    dataset_type = Choice(choices=Dataset.Type.values)
    intended_use = Text(max_length=2000)
    reason = Text(max_length=1000)
    row_version = Whole(min_value=1, max_value=2**31 - 1, help_text="Of the data set that was read.")


class DatasetVersionInput(Strict):
    """An immutable version of a data set, in the words of SPDX 3."""

    version = Text(max_length=100, help_text="It never changes afterwards.")
    data_collection_process = Text(max_length=4000)
    confidentiality_level = Choice(choices=_Confidentiality.values)
    has_sensitive_personal_information = Choice(choices=_Presence.values)
    licence = Text(max_length=200)
    provenance = Choice(choices=DatasetVersion.Provenance.values)
    dataset_size = Whole(min_value=1, max_value=LARGEST, required=False, allow_null=True, help_text="Bytes.")
    data_preprocessing = Text(max_length=4000, required=False)
    known_bias = Text(max_length=4000, required=False)
    anonymization_method_used = Text(max_length=1000, required=False)
    sha256 = Text(max_length=71, required=False, help_text="Of the data, or of a manifest of their files.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `source` is an attribute of every DRF field, so it cannot be declared in the class body.
        return {
            **super().get_fields(),
            "source": Text(max_length=500, help_text="Where it lies, and when it was read."),
        }


class DatasetUseInput(Strict):
    """What was made or tried with a version of a data set: a model version or an adapter."""

    dataset_version_id = Id()
    model_version_id = Id(required=False, allow_null=True)
    adapter_id = Id(required=False, allow_null=True)
    purpose = Choice(choices=DatasetUse.Purpose.values)
    note = Text(max_length=1000, required=False)


class MetricInput(Strict):
    """One result. Numbers are text, so that no digit is lost; whether it passes is computed, never taken."""

    name = Text(max_length=100)
    value = Text(max_length=70, help_text="A decimal number as text, such as 0.925.")
    type = Text(max_length=100, required=False)
    slice = Text(max_length=200, required=False, help_text="The part of the data it is for.")
    unit = Text(max_length=40, required=False)
    lower_bound = Text(max_length=70, required=False, help_text="Of the confidence interval.")
    upper_bound = Text(max_length=70, required=False)


class EvaluationInput(Strict):
    """An evaluation that ran elsewhere; neither the model nor the data are sent."""

    model_version_id = Id()
    protocol = Text(max_length=500)
    tool = Text(max_length=100)
    tool_version = Text(max_length=100, required=False)
    run_at = Moment()
    metrics = serializers.ListField(child=MetricInput(), min_length=1, max_length=MAX_METRICS)
    adapter_id = Id(required=False, allow_null=True)
    use_case_id = Id(
        required=False, allow_null=True, help_text="Its thresholds apply beside the model's; the stricter one wins."
    )
    dataset_version_id = Id(required=False, allow_null=True)
    weight_dtype = Choice(
        choices=sorted(WEIGHT_DTYPES), required=False, help_text="Left out: as the model version is stored."
    )
    quantisation = Text(max_length=200, required=False)
    hardware = Text(max_length=500, required=False)
    artefact_sha256 = Text(max_length=71, required=False, help_text="Of the file with the full results.")
    artefact_address = Text(max_length=500, required=False)
    signed_by = Text(max_length=200, required=False)
    notes = Text(max_length=4000, required=False)


class ThresholdInput(Strict):
    """A threshold of a model or of a use case; `limit` null ends the one that stands."""

    model_id = Id(required=False, allow_null=True)
    use_case_id = Id(required=False, allow_null=True)
    metric = Text(max_length=100)
    slice = Text(max_length=200, required=False)
    shape = Choice(choices=list(SHAPES), required=False, help_text="How the values that FAIL lie to the limit.")
    limit = Text(max_length=70, allow_null=True)
    upper = Text(max_length=70, required=False, allow_null=True, help_text="For `outside` alone.")
    reason = Text(max_length=1000)
    valid_from = Moment(required=False, allow_null=True, help_text="Now when left out; never in the past.")


class EvidenceInput(Strict):
    """A document or result by its digest; `manage.py evidence_digest FILE` prints the digest, size and media type."""

    title = Text(max_length=200)
    kind = Choice(choices=Evidence.Kind.values)
    subject_kind = Choice(choices=list(SUBJECTS))
    subject_id = Id()
    sha256 = Text(max_length=71)
    size_bytes = Whole(min_value=0, max_value=LARGEST)
    media_type = Text(max_length=100)
    address = Text(max_length=500, help_text="Where it lies: https or words. Everybody who may log in can read it.")
    collected_at = Day()
    valid_until = Day(required=False, allow_null=True)
    classification = Choice(choices=Evidence.Secrecy.values)
    supersedes_id = Id(required=False, allow_null=True, help_text="Evidence of the same kind about the same thing.")


class RevocationInput(Strict):
    """Why a piece of evidence must not be relied on."""

    reason = Text(max_length=2000)
