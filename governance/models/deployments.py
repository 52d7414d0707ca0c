"""Deployments, and the immutable revisions of what they run."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.registry import GpuPool, ModelVersion

_SHA256 = "^[0-9a-f]{64}$"


class Deployment(models.Model):
    """A use of a model. What it may run is the revision that was approved last."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    purpose = models.CharField(_("purpose"), max_length=1000)
    owner = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="deployments", verbose_name=_("owner")
    )
    approved_revision = models.ForeignKey(
        "governance.Revision",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("approved revision"),
    )
    use_case = models.ForeignKey(
        "governance.UseCase",
        on_delete=models.PROTECT,
        related_name="deployments",
        null=True,
        blank=True,
        verbose_name=_("use case"),
    )
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "deployment"
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        """How people call it."""
        return f"DEP-{self.number:04}"


class Revision(models.Model):
    """One configuration of a deployment. `digest` is the SHA-256 of `content`: see `snapshot.digests`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="revisions", verbose_name=_("deployment")
    )
    number = models.PositiveIntegerField(_("number"))
    digest = models.CharField(_("digest"), max_length=64, unique=True)
    content = models.TextField(_("content"))
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="revisions", verbose_name=_("model version")
    )
    gpu_pool = models.ForeignKey(
        GpuPool, on_delete=models.PROTECT, related_name="revisions", verbose_name=_("GPU pool")
    )
    gpu_count = models.PositiveIntegerField(_("cards"))
    tensor_parallel = models.PositiveIntegerField(_("tensor parallel"))
    context = models.PositiveIntegerField(_("context (tokens)"))
    concurrency = models.PositiveIntegerField(_("answers at once"))
    weight_dtype = models.CharField(_("weights"), max_length=40)
    kv_dtype = models.CharField(_("KV cache"), max_length=40)
    engine = models.CharField(_("engine"), max_length=40)
    engine_version = models.CharField(_("engine version"), max_length=100, blank=True)
    runtime_image = models.CharField(_("image"), max_length=300, blank=True)
    reasoning_cap = models.PositiveIntegerField(_("reasoning cap (tokens)"), null=True, blank=True)
    environment = models.CharField(_("environment"), max_length=40)
    region = models.CharField(_("region"), max_length=100)
    tool_grants = ArrayField(models.CharField(max_length=200), verbose_name=_("tools"), default=list)
    adapters = ArrayField(models.UUIDField(), verbose_name=_("adapters"), default=list)
    created_by = models.CharField(_("created by"), max_length=100)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        db_table = "revision"
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        constraints = [
            models.UniqueConstraint(fields=["deployment", "number"], name="revision_numbered_once"),
            models.UniqueConstraint(fields=["id", "digest"], name="revision_id_and_digest"),
            models.UniqueConstraint(fields=["id", "deployment"], name="revision_id_and_deployment"),
            models.CheckConstraint(name="revision_digest_is_sha256", condition=Q(digest__regex=_SHA256)),
            models.CheckConstraint(
                name="revision_counts_positive",
                condition=Q(gpu_count__gt=0, tensor_parallel__gt=0, context__gt=0, concurrency__gt=0, number__gt=0),
            ),
            models.CheckConstraint(
                name="revision_environment_known",
                condition=Q(environment__in=["development", "staging", "production"]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)
