"""What a version or adapter consists of, what it was made from, and how it was made smaller. All insert-only."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.adapters import Adapter
from governance.models.registry import ModelVersion

_SHA256 = "^[0-9a-f]{64}$"


class ModelArtefact(models.Model):
    """A file of a model version or of an adapter, by the digest of the whole file.

    A digest that covers only the header of a weights file stands in the version itself, not here.
    """

    class Kind(models.TextChoices):
        WEIGHTS = "weights", _("weights")
        ADAPTER = "adapter", _("weights of an adapter")
        TOKENIZER = "tokenizer", _("tokenizer")
        CONFIG = "config", _("configuration")
        INDEX = "index", _("index of the weights")
        CONTAINER = "container", _("container image")
        CARD = "card", _("model card")
        OTHER = "other", _("another file")

    class Format(models.TextChoices):
        SAFETENSORS = "safetensors", "safetensors"
        GGUF = "gguf", "GGUF"
        ONNX = "onnx", "ONNX"
        PYTORCH_PICKLE = "pytorch_pickle", _("PyTorch pickle")
        BIN = "bin", _("binary")
        JSON = "json", "JSON"
        OCI = "oci", _("OCI image")
        OTHER = "other", _("another format")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model_version = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="artefacts",
        null=True,
        blank=True,
        verbose_name=_("model version"),
    )
    adapter = models.ForeignKey(
        Adapter, on_delete=models.PROTECT, related_name="artefacts", null=True, blank=True, verbose_name=_("adapter")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    name = models.CharField(_("path"), max_length=500)
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64)
    size_bytes = models.BigIntegerField(_("bytes"), null=True, blank=True)
    format = models.CharField(_("format"), max_length=20, choices=Format)
    address = models.CharField(_("address"), max_length=500, blank=True)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "model_artefact"
        verbose_name = _("artefact")
        verbose_name_plural = _("artefacts")
        constraints = [
            models.UniqueConstraint(fields=["model_version", "name"], name="artefact_of_a_version_named_once"),
            models.UniqueConstraint(fields=["adapter", "name"], name="artefact_of_an_adapter_named_once"),
            models.CheckConstraint(
                name="artefact_belongs_to_one",
                condition=Q(model_version__isnull=False, adapter__isnull=True)
                | Q(model_version__isnull=True, adapter__isnull=False),
            ),
            models.CheckConstraint(
                name="artefact_kind_known",
                condition=Q(
                    kind__in=["weights", "adapter", "tokenizer", "config", "index", "container", "card", "other"]
                ),
            ),
            models.CheckConstraint(
                name="artefact_format_known",
                condition=Q(
                    format__in=["safetensors", "gguf", "onnx", "pytorch_pickle", "bin", "json", "oci", "other"]
                ),
            ),
            models.CheckConstraint(name="artefact_digest_is_sha256", condition=Q(sha256__regex=_SHA256)),
            models.CheckConstraint(
                name="artefact_size_is_no_debt", condition=Q(size_bytes__isnull=True) | Q(size_bytes__gte=0)
            ),
        ]
        indexes = [models.Index(fields=["sha256"], name="artefact_by_digest")]

    def __str__(self) -> str:
        return self.name


class ModelRelation(models.Model):
    """What a version says, or a person says of it, that it was made from.

    `parent` is null while what is named is not registered; `parent_name` and `parent_revision` are what was declared.
    """

    class Relation(models.TextChoices):
        ADAPTER = "adapter", _("adapter of")
        FINETUNE = "finetune", _("fine-tuned from")
        MERGE = "merge", _("merged from")
        QUANTIZED = "quantized", _("quantised from")
        DISTILLED = "distilled", _("distilled from")
        CONVERTED = "converted", _("converted from")
        UNSTATED = "unstated", _("made from, nobody said how")

    class Source(models.TextChoices):
        CARD = "card", _("its model card")
        CONFIG = "config", _("its configuration or header")
        PERSON = "person", _("a person")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    child = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="parents", verbose_name=_("model version")
    )
    parent = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="children",
        null=True,
        blank=True,
        verbose_name=_("made from"),
    )
    parent_name = models.CharField(_("as it was declared"), max_length=300)
    parent_revision = models.CharField(_("revision as it was declared"), max_length=100, blank=True)
    relation = models.CharField(_("relation"), max_length=20, choices=Relation)
    declared_in = models.CharField(_("declared in"), max_length=20, choices=Source)
    declared_by = models.CharField(_("declared by"), max_length=100)
    declared_at = models.DateTimeField(_("declared"))

    class Meta:
        db_table = "model_relation"
        verbose_name = _("relation of models")
        verbose_name_plural = _("relations of models")
        constraints = [
            models.UniqueConstraint(
                fields=["child", "parent", "parent_name", "parent_revision", "relation"],
                name="model_relation_declared_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="model_relation_not_to_itself",
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("child")),
            ),
            models.CheckConstraint(
                name="model_relation_known",
                condition=Q(
                    relation__in=[
                        "adapter",
                        "finetune",
                        "merge",
                        "quantized",
                        "distilled",
                        "converted",
                        "unstated",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="model_relation_source_known", condition=Q(declared_in__in=["card", "config", "person"])
            ),
        ]

    def __str__(self) -> str:
        return self.parent_name


class Quantisation(models.Model):
    """How the weights of a version were made smaller, and from what."""

    class Scheme(models.TextChoices):
        INT8 = "int8", "INT8"
        INT4 = "int4", "INT4"
        NF4 = "nf4", "NF4"
        GPTQ = "gptq", "GPTQ"
        AWQ = "awq", "AWQ"
        FP8 = "fp8", "FP8"
        MXFP4 = "mxfp4", "MXFP4"
        GGUF = "gguf", "GGUF"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="quantisations", verbose_name=_("model version")
    )
    scheme = models.CharField(_("scheme"), max_length=10, choices=Scheme)
    detail = models.CharField(_("detail"), max_length=60, blank=True)
    bits = models.CharField(_("bits of a weight"), max_length=20, blank=True)
    group_size = models.PositiveIntegerField(_("group size"), null=True, blank=True)
    calibration = models.CharField(_("calibrated with"), max_length=300, blank=True)
    kv_cache_dtype = models.CharField(_("KV cache"), max_length=40, blank=True)
    source_version = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="quantised_as",
        null=True,
        blank=True,
        verbose_name=_("quantised from"),
    )
    tool = models.CharField(_("tool"), max_length=200, blank=True)
    declared_in = models.CharField(_("declared in"), max_length=20, choices=ModelRelation.Source)
    declared_by = models.CharField(_("declared by"), max_length=100)
    declared_at = models.DateTimeField(_("declared"))

    class Meta:
        db_table = "quantisation"
        verbose_name = _("quantisation")
        verbose_name_plural = _("quantisations")
        constraints = [
            models.UniqueConstraint(fields=["model_version", "scheme", "detail"], name="quantisation_declared_once"),
            models.CheckConstraint(
                name="quantisation_scheme_known",
                condition=Q(scheme__in=["int8", "int4", "nf4", "gptq", "awq", "fp8", "mxfp4", "gguf"]),
            ),
            models.CheckConstraint(
                name="quantisation_source_known", condition=Q(declared_in__in=["card", "config", "person"])
            ),
            models.CheckConstraint(
                name="quantisation_not_from_itself",
                condition=Q(source_version__isnull=True) | ~Q(source_version=models.F("model_version")),
            ),
            models.CheckConstraint(
                name="quantisation_group_of_some", condition=Q(group_size__isnull=True) | Q(group_size__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.detail}".strip()
