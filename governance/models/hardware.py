"""Machines, the cards in them, slices of cards, and which pool a card belongs to."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.registry import GpuModel, GpuPool


class GpuNode(models.Model):
    """A machine with accelerators."""

    class Provider(models.TextChoices):
        ON_PREM = "on_prem", _("own machine")
        AWS = "aws", "AWS"
        GCP = "gcp", "Google Cloud"
        AZURE = "azure", "Azure"
        OCI = "oci", "OCI"
        OTHER = "other", _("another provider")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    provider = models.CharField(_("provider"), max_length=20, choices=Provider)
    region = models.CharField(_("region"), max_length=100)
    hourly_cost = models.DecimalField(_("cost an hour"), max_digits=14, decimal_places=4, null=True, blank=True)
    cost_currency = models.CharField(_("currency"), max_length=3, blank=True)
    owner = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="gpu_nodes", verbose_name=_("owner")
    )
    notes = models.CharField(_("notes"), max_length=1000, blank=True)
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "gpu_node"
        verbose_name = _("GPU node")
        verbose_name_plural = _("GPU nodes")
        constraints = [
            models.CheckConstraint(
                name="gpu_node_provider_known",
                condition=Q(provider__in=["on_prem", "aws", "gcp", "azure", "oci", "other"]),
            ),
            models.CheckConstraint(
                name="gpu_node_cost_has_currency",
                condition=Q(hourly_cost__isnull=True, cost_currency="")
                | Q(hourly_cost__gte=0, cost_currency__regex="^[A-Z]{3}$"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GpuDevice(models.Model):
    """A card as it was registered in a node; `uuid` is what its driver calls it. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    node = models.ForeignKey(GpuNode, on_delete=models.PROTECT, related_name="devices", verbose_name=_("GPU node"))
    gpu_model = models.ForeignKey(
        GpuModel, on_delete=models.PROTECT, related_name="devices", verbose_name=_("GPU model")
    )
    uuid = models.CharField(_("hardware id"), max_length=40, unique=True)
    serial = models.CharField(_("serial number"), max_length=40, blank=True)
    slot = models.PositiveIntegerField(_("slot"))
    driver_version = models.CharField(_("driver version"), max_length=40, blank=True)
    firmware = models.CharField(_("firmware"), max_length=40, blank=True)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "gpu_device"
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        constraints = [
            models.CheckConstraint(
                name="gpu_device_uuid_is_one",
                condition=Q(uuid__regex="^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
            ),
        ]

    def __str__(self) -> str:
        return self.uuid


class MigSlice(models.Model):
    """A part of a card that acts as a card of its own. The slices of the highest `layout` stand. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(GpuDevice, on_delete=models.PROTECT, related_name="slices", verbose_name=_("card"))
    layout = models.PositiveIntegerField(_("layout"))
    profile = models.CharField(_("profile"), max_length=40)
    gpu_instance = models.PositiveIntegerField(_("GPU instance"))
    compute_instance = models.PositiveIntegerField(_("compute instance"))
    memory_bytes = models.BigIntegerField(_("memory (bytes)"))
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "mig_slice"
        verbose_name = _("MIG slice")
        verbose_name_plural = _("MIG slices")
        constraints = [
            models.UniqueConstraint(
                fields=["device", "layout", "gpu_instance", "compute_instance"], name="mig_slice_stands_once"
            ),
            models.CheckConstraint(name="mig_slice_has_memory", condition=Q(memory_bytes__gt=0)),
            models.CheckConstraint(
                name="mig_slice_profile_is_one", condition=Q(profile__regex=r"^[1-7]g\.[0-9]+gb[a-z0-9+.]*$")
            ),
        ]

    def __str__(self) -> str:
        return self.profile


class PoolDevice(models.Model):
    """That a card joined a pool, or left it: rows of a pair alternate. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pool = models.ForeignKey(GpuPool, on_delete=models.PROTECT, related_name="devices", verbose_name=_("GPU pool"))
    device = models.ForeignKey(GpuDevice, on_delete=models.PROTECT, related_name="pools", verbose_name=_("card"))
    number = models.PositiveIntegerField(_("number"))
    left = models.BooleanField(_("left"))
    recorded_by = models.CharField(_("recorded by"), max_length=100)
    since = models.DateTimeField(_("since"))

    class Meta:
        db_table = "pool_device"
        verbose_name = _("card of a pool")
        verbose_name_plural = _("cards of pools")
        constraints = [
            models.UniqueConstraint(fields=["pool", "device", "number"], name="pool_device_numbered_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"
