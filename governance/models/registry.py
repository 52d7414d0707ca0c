"""Models, their versions, accelerators and pools of them."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Model(models.Model):
    """A model by name; what runs is always one of its versions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    hf_id = models.CharField(_("Hugging Face id"), max_length=200, blank=True)
    family = models.CharField(_("family"), max_length=100, blank=True)
    developer = models.CharField(_("developer"), max_length=200, blank=True)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    licence_source = models.CharField(_("licence read at"), max_length=500, blank=True)
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "model"
        verbose_name = _("model")
        verbose_name_plural = _("models")

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """An immutable version of a model with typed architecture facts. Sizes are bytes."""

    class FactsFrom(models.TextChoices):
        FILES = "files", _("the model's own files")
        CATALOGUE = "catalogue", _("the catalogue")
        GGUF = "gguf", _("a GGUF header")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="versions", verbose_name=_("model"))
    version = models.CharField(_("version"), max_length=100)
    architecture = models.CharField(_("architecture"), max_length=200, blank=True)
    model_type = models.CharField(_("model type"), max_length=200)
    params_total = models.BigIntegerField(_("parameters"))
    params_active = models.BigIntegerField(_("active parameters"))
    layers = models.PositiveIntegerField(_("layers"))
    hidden = models.PositiveIntegerField(_("hidden size"))
    heads = models.PositiveIntegerField(_("attention heads"))
    kv_heads = models.PositiveIntegerField(_("KV heads"))
    head_dim = models.PositiveIntegerField(_("head dimension"))
    intermediate = models.PositiveIntegerField(_("intermediate size"))
    vocab = models.PositiveIntegerField(_("vocabulary"))
    tie_embeddings = models.BooleanField(_("tied embeddings"))
    qkv_bias = models.BooleanField(_("bias of queries, keys and values"))
    output_bias = models.BooleanField(_("bias of the attention output"))
    experts = models.PositiveIntegerField(_("experts"), null=True, blank=True)
    experts_per_token = models.PositiveIntegerField(_("experts per token"), null=True, blank=True)
    expert_intermediate = models.PositiveIntegerField(_("expert intermediate size"), null=True, blank=True)
    shared_experts = models.PositiveIntegerField(_("shared experts"), null=True, blank=True)
    dense_layers = models.PositiveIntegerField(_("dense layers"), null=True, blank=True)
    query_rank = models.PositiveIntegerField(_("query rank"), null=True, blank=True)
    kv_rank = models.PositiveIntegerField(_("KV rank"), null=True, blank=True)
    rope_dim = models.PositiveIntegerField(_("rope head dimension"), null=True, blank=True)
    nope_dim = models.PositiveIntegerField(_("head dimension without rope"), null=True, blank=True)
    value_dim = models.PositiveIntegerField(_("value head dimension"), null=True, blank=True)
    sliding_window = models.PositiveIntegerField(_("sliding window"), null=True, blank=True)
    sliding_layers = models.PositiveIntegerField(_("sliding layers"), default=0)
    max_context = models.PositiveIntegerField(_("longest context"), null=True, blank=True)
    torch_dtype = models.CharField(_("torch dtype"), max_length=200, blank=True)
    weight_dtype = models.CharField(_("stored as"), max_length=40)
    weight_bytes = models.BigIntegerField(_("bytes of weights"), null=True, blank=True)
    facts_from = models.CharField(_("facts from"), max_length=20, choices=FactsFrom)
    source = models.CharField(_("source"), max_length=500)
    config_sha256 = models.CharField(_("SHA-256 of config.json"), max_length=64, blank=True)
    index_sha256 = models.CharField(_("SHA-256 of the safetensors index"), max_length=64, blank=True)
    header_sha256 = models.CharField(_("SHA-256 of the header of the weights"), max_length=64, blank=True)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "model_version"
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            models.UniqueConstraint(fields=["model", "version"], name="model_version_named_once"),
            models.CheckConstraint(
                name="model_version_has_parameters",
                condition=Q(params_total__gt=0, params_active__gt=0, params_active__lte=models.F("params_total")),
            ),
            models.CheckConstraint(
                name="model_version_weighs_something",
                condition=Q(weight_bytes__isnull=True) | Q(weight_bytes__gt=0),
            ),
            models.CheckConstraint(
                name="model_version_facts_from_known", condition=Q(facts_from__in=["files", "catalogue", "gguf"])
            ),
            models.CheckConstraint(
                name="model_version_files_have_digests",
                condition=Q(facts_from="catalogue")
                | Q(facts_from="files", config_sha256__regex="^[0-9a-f]{64}$")
                | Q(facts_from="gguf", header_sha256__regex="^[0-9a-f]{64}$"),
            ),
        ]
        indexes = [models.Index(fields=["weight_dtype"], name="model_version_weight_dtype")]

    def __str__(self) -> str:
        return self.version


class GpuModel(models.Model):
    """An accelerator as sold. `memory_bytes` is what software sees, not what stands on the box."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    vendor = models.CharField(_("vendor"), max_length=100)
    architecture = models.CharField(_("architecture"), max_length=100, blank=True)
    memory_type = models.CharField(_("memory type"), max_length=40, blank=True)
    memory_nominal_gb = models.PositiveIntegerField(_("nominal memory (GB)"))
    memory_bytes = models.BigIntegerField(_("memory that software sees (bytes)"))
    memory_basis = models.CharField(_("how that is known"), max_length=200)
    bandwidth_gb_s = models.PositiveIntegerField(_("bandwidth (GB/s)"), null=True, blank=True)
    bf16_tflops = models.CharField(_("BF16 dense (TFLOPS)"), max_length=20, blank=True)
    fp8_tflops = models.CharField(_("FP8 dense (TFLOPS)"), max_length=20, blank=True)
    tdp_w = models.PositiveIntegerField(_("board power (W)"), null=True, blank=True)
    form_factor = models.CharField(_("form factor"), max_length=40, blank=True)
    mig_profiles = models.CharField(_("MIG profiles"), max_length=500, blank=True)
    sources = models.CharField(_("sources"), max_length=1000)
    unverified_fields = models.CharField(_("recalled, not read"), max_length=500, blank=True)
    notes = models.CharField(_("notes"), max_length=500, blank=True)
    added = models.CharField(_("in the catalogue since"), max_length=10)
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "gpu_model"
        verbose_name = _("GPU model")
        verbose_name_plural = _("GPU models")
        constraints = [
            models.CheckConstraint(name="gpu_model_has_memory", condition=Q(memory_bytes__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name


class GpuPool(models.Model):
    """Cards of one kind in one place."""

    class Hosting(models.TextChoices):
        ON_PREM = "on_prem", _("own machines")
        CLOUD = "cloud", _("cloud")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    gpu_model = models.ForeignKey(GpuModel, on_delete=models.PROTECT, related_name="pools", verbose_name=_("GPU model"))
    count = models.PositiveIntegerField(_("cards"))
    node = models.CharField(_("node"), max_length=100)
    region = models.CharField(_("region"), max_length=100)
    hosting = models.CharField(_("hosting"), max_length=20, choices=Hosting)
    gpu_node = models.ForeignKey(
        "governance.GpuNode",
        on_delete=models.PROTECT,
        related_name="gpu_pools",
        null=True,
        blank=True,
        verbose_name=_("GPU node"),
    )
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "gpu_pool"
        verbose_name = _("GPU pool")
        verbose_name_plural = _("GPU pools")
        constraints = [
            models.CheckConstraint(name="gpu_pool_has_cards", condition=Q(count__gt=0)),
            models.CheckConstraint(name="gpu_pool_hosting_known", condition=Q(hosting__in=["on_prem", "cloud"])),
        ]

    def __str__(self) -> str:
        return self.name
