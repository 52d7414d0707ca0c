"""Bodies that the registry's addresses take. Shapes only: what is allowed is judged by the operations."""

from typing import Any

from rest_framework import serializers

from governance.api.fields import Choice, Day, Id, Strict, Text, Whole
from governance.capacity.dtypes import AS_STORED, KV_DTYPES, WEIGHT_DTYPES
from governance.capacity.engines import ENGINES
from governance.models import GpuPool, UseCase
from governance.operations.asking import ENVIRONMENTS
from governance.operations.usecases import MAX_ANSWERS, MAX_REASON, MEMBER_STATES

LARGEST = 2**31 - 1


class ModelVersionInput(Strict):
    """A version from the model's own files, or from the catalogue."""

    version = Text(max_length=100, help_text="Commit or release; it never changes afterwards.")
    catalogue = Text(max_length=200, required=False, help_text="A name of the catalogue, instead of files.")
    model_name = Text(max_length=200, required=False)
    config = Text(required=False, help_text="The exact text of config.json; its SHA-256 is kept.")
    index = Text(required=False, help_text="The exact text of model.safetensors.index.json.")
    header = Text(required=False, help_text="The first bytes of the only .safetensors file, in base64; or all of it.")
    gguf = Text(required=False, help_text="The first bytes of a GGUF file as base64, instead of config and index.")
    card = Text(required=False, help_text="The exact text of README.md; what its front matter says is recorded.")
    hf_id = Text(max_length=200, required=False)
    developer = Text(max_length=200, required=False)
    licence = Text(max_length=200, required=False, help_text="Left out, it is taken from the files.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `source` is an attribute of every DRF field, so it cannot be declared in the class body.
        help_text = "Where the files were read, and when."
        return {**super().get_fields(), "source": Text(max_length=500, required=False, help_text=help_text)}

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        needed = ("model_name", "source") if "gguf" in attrs else ("model_name", "config", "source")
        if "catalogue" in attrs:
            extra = sorted(set(attrs) - {"catalogue", "version"})
            if extra:
                raise serializers.ValidationError({extra[0]: "Send either catalogue or files, not both."})
        else:
            missing = [name for name in needed if not attrs.get(name)]
            if missing:
                raise serializers.ValidationError({missing[0]: "Is missing; or name a model of the catalogue."})
        return attrs


class GpuPoolInput(Strict):
    """Cards of one kind in one place."""

    name = Text(max_length=100)
    gpu_model = Text(max_length=100, help_text="Name of a registered GPU model.")
    count = Whole(min_value=1, max_value=LARGEST)
    node = Text(max_length=100)
    region = Text(max_length=100)
    hosting = Choice(choices=GpuPool.Hosting.values)
    gpu_node_id = Id(required=False, allow_null=True, help_text="The registered node, where it is one.")


class UseCaseInput(Strict):
    """What AI is used for."""

    name = Text(max_length=100)
    intended_purpose = Text(max_length=2000)
    out_of_scope_uses = Text(max_length=2000, required=False)
    eu_role = Choice(choices=UseCase.EuRole.values)
    member_states = serializers.ListField(
        child=Choice(choices=list(MEMBER_STATES)), required=False, max_length=len(MEMBER_STATES)
    )
    begin_date = Day(required=False, allow_null=True)
    end_date = Day(required=False, allow_null=True)


class AnswerInput(Strict):
    """An answer to one question of the tree, and why."""

    node = Text(max_length=40, help_text="Id of the question.")
    answer = Text(max_length=40, help_text="One of the question's answers, or `unsure`, which stops there.")
    reason = Text(max_length=MAX_REASON)


class ClassificationInput(Strict):
    """A walk through the decision tree."""

    tree_version = Text(max_length=40, help_text="Version of the tree that was read.")
    row_version = Whole(min_value=1, max_value=LARGEST, help_text="Of the use case that was read.")
    answers = serializers.ListField(child=AnswerInput(), max_length=MAX_ANSWERS)


class RequestInput(Strict):
    """What shall run, and why."""

    name = Text(max_length=100, help_text="The deployment; one that stands is asked to change.")
    justification = Text(max_length=2000)
    purpose = Text(max_length=1000, required=False, help_text="Needed for a new deployment.")
    model_version_id = Id()
    gpu_pool_id = Id()
    gpu_count = Whole(min_value=1, max_value=LARGEST)
    concurrency = Whole(min_value=1, max_value=LARGEST, help_text="Answers at once.")
    tensor_parallel = Whole(min_value=1, max_value=LARGEST, required=False, allow_null=True)
    weight_dtype = Choice(
        choices=[*sorted(WEIGHT_DTYPES), AS_STORED],
        required=False,
        help_text="`as-stored` takes the bytes that the files of the version hold, such as those of a GGUF mix.",
    )
    kv_dtype = Choice(choices=sorted(KV_DTYPES), required=False)
    engine = Choice(choices=sorted(ENGINES), required=False)
    engine_version = Text(max_length=100, required=False)
    runtime_image = Text(max_length=300, required=False)
    reasoning_cap = Whole(min_value=0, max_value=LARGEST, required=False, allow_null=True)
    environment = Choice(choices=list(ENVIRONMENTS), required=False)
    tool_grants = serializers.ListField(child=Text(max_length=200), required=False, max_length=100)
    adapters = serializers.ListField(
        child=Id(), required=False, max_length=100, help_text="Registered adapters whose base is the model version."
    )
    use_case = Id(required=False, allow_null=True, help_text="What it is used for; once named, it stays.")
    again_of = Id(required=False, allow_null=True, help_text="The request that this one follows.")
    relied_on = serializers.ListField(
        child=Id(),
        required=False,
        max_length=50,
        help_text="Evidence that the decision rests on; its digests are bound.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `context` is an attribute of every DRF field, so it cannot be declared in the class body.
        help_text = "Tokens of one answer, prompt included."
        context = Whole(min_value=1, max_value=LARGEST, help_text=help_text)
        return {**super().get_fields(), "context": context}
