"""Adapters: small weights that stand beside a base without copying it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.registry import ModelVersion

_SHA256 = "^[0-9a-f]{64}$"
_SHA256_OR_NONE = "^([0-9a-f]{64})?$"


class Adapter(models.Model):
    """An immutable version of an adapter. `base` is the registered version it runs on, null while nobody named one.

    `base_name` and `base_revision` are what its own `adapter_config.json` says; `base_match` is how far that agrees
    with the registry, judged when it was registered.
    """

    class BaseMatch(models.TextChoices):
        MATCHED = "matched", _("the base it was trained on")
        REVISION_DIFFERS = "revision_differs", _("another revision of its base, or none said")
        UNREGISTERED = "unregistered", _("its base is not registered under that name")

    class Method(models.TextChoices):
        LORA = "lora", "LoRA"
        QLORA = "qlora", "QLoRA"
        DORA = "dora", "DoRA"
        OTHER = "other", _("another method")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200)
    version = models.CharField(_("version"), max_length=100)
    base = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="adapters",
        null=True,
        blank=True,
        verbose_name=_("base"),
    )
    base_name = models.CharField(_("base as its file names it"), max_length=300)
    base_revision = models.CharField(_("revision of the base"), max_length=100, blank=True)
    base_match = models.CharField(_("match of the base"), max_length=20, choices=BaseMatch)
    method = models.CharField(_("method"), max_length=10, choices=Method)
    peft_type = models.CharField(_("PEFT type"), max_length=40)
    task_type = models.CharField(_("task type"), max_length=40, blank=True)
    r = models.PositiveIntegerField(_("rank"), null=True, blank=True)
    largest_rank = models.PositiveIntegerField(_("largest rank of a module"), null=True, blank=True)
    lora_alpha = models.CharField(_("alpha"), max_length=40, blank=True)
    lora_dropout = models.CharField(_("dropout"), max_length=40, blank=True)
    target_modules = ArrayField(models.CharField(max_length=200), verbose_name=_("target modules"), default=list)
    target_pattern = models.CharField(_("target modules by pattern"), max_length=500, blank=True)
    modules_to_save = ArrayField(models.CharField(max_length=200), verbose_name=_("modules kept whole"), default=list)
    use_rslora = models.BooleanField(_("rank-stabilised"))
    quantised_base = models.CharField(_("quantised base"), max_length=40, blank=True)
    params = models.BigIntegerField(_("parameters"), null=True, blank=True)
    weight_bytes = models.BigIntegerField(_("bytes of weights"), null=True, blank=True)
    config_sha256 = models.CharField(_("SHA-256 of adapter_config.json"), max_length=64)
    header_sha256 = models.CharField(_("SHA-256 of the safetensors header"), max_length=64, blank=True)
    weights_sha256 = models.CharField(_("SHA-256 of the weights file"), max_length=64, blank=True)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    source = models.CharField(_("source"), max_length=500)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "adapter"
        verbose_name = _("adapter")
        verbose_name_plural = _("adapters")
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="adapter_named_once"),
            models.CheckConstraint(
                name="adapter_base_match_known",
                condition=Q(base_match__in=["matched", "revision_differs", "unregistered"]),
            ),
            models.CheckConstraint(
                name="adapter_matched_has_base", condition=~Q(base_match="matched") | Q(base__isnull=False)
            ),
            models.CheckConstraint(
                name="adapter_method_known", condition=Q(method__in=["lora", "qlora", "dora", "other"])
            ),
            models.CheckConstraint(
                name="adapter_weighs_something",
                condition=Q(weight_bytes__isnull=True, params__isnull=True) | Q(weight_bytes__gt=0, params__gt=0),
            ),
            models.CheckConstraint(
                name="adapter_digests_are_sha256",
                condition=Q(
                    config_sha256__regex=_SHA256,
                    header_sha256__regex=_SHA256_OR_NONE,
                    weights_sha256__regex=_SHA256_OR_NONE,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
