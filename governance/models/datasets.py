"""Data sets, their immutable versions in the words of SPDX 3, and what was made or tried with them."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.adapters import Adapter
from governance.models.registry import ModelVersion

_SHA256 = "^[0-9a-f]{64}$"


class Dataset(models.Model):
    """Data by name; what anything was trained or tested with is always one of its versions."""

    class Type(models.TextChoices):
        AUDIO = "audio", _("audio")
        CATEGORICAL = "categorical", _("categorical")
        GRAPH = "graph", _("graph")
        IMAGE = "image", _("images")
        NUMERIC = "numeric", _("numbers")
        SENSOR = "sensor", _("sensor readings")
        STRUCTURED = "structured", _("structured")
        SYNTACTIC = "syntactic", _("syntactic")
        TEXT = "text", _("text")
        TIMESERIES = "timeseries", _("time series")
        TIMESTAMP = "timestamp", _("timestamps")
        VIDEO = "video", _("video")
        OTHER = "other", _("another type")
        NO_ASSERTION = "noAssertion", _("not said")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    dataset_type = models.CharField(_("type of data"), max_length=20, choices=Type)
    intended_use = models.CharField(_("intended use"), max_length=2000)
    owner = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="datasets", verbose_name=_("owner")
    )
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "dataset"
        verbose_name = _("data set")
        verbose_name_plural = _("data sets")
        constraints = [
            models.CheckConstraint(
                name="dataset_type_known",
                condition=Q(
                    dataset_type__in=[
                        *("audio", "categorical", "graph", "image", "numeric", "sensor", "structured", "syntactic"),
                        *("text", "timeseries", "timestamp", "video", "other", "noAssertion"),
                    ]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """An immutable version of a data set: what is in it, how it came about, and what is known to be wrong with it."""

    class Confidentiality(models.TextChoices):
        RED = "red", _("red: named persons only")
        AMBER = "amber", _("amber: within the organisation")
        GREEN = "green", _("green: within the community")
        CLEAR = "clear", _("clear: for everybody")

    class Presence(models.TextChoices):
        YES = "yes", _("yes")
        NO = "no", _("no")
        UNKNOWN = "unknown", _("unknown")

    class Provenance(models.TextChoices):
        PUBLIC = "public", _("publicly available")
        LICENSED = "licensed", _("licensed from its rightsholders")
        THIRD_PARTY = "third_party", _("from another third party")
        SCRAPED = "scraped", _("crawled from online sources")
        USER = "user", _("data of users")
        SYNTHETIC = "synthetic", _("synthetic")
        OTHER = "other", _("another source")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions", verbose_name=_("data set"))
    version = models.CharField(_("version"), max_length=100)
    dataset_size = models.BigIntegerField(_("size (bytes)"), null=True, blank=True)
    data_collection_process = models.CharField(_("how it was collected"), max_length=4000)
    data_preprocessing = models.CharField(_("how it was prepared"), max_length=4000, blank=True)
    known_bias = models.CharField(_("known bias"), max_length=4000, blank=True)
    confidentiality_level = models.CharField(_("confidentiality"), max_length=10, choices=Confidentiality)
    has_sensitive_personal_information = models.CharField(
        _("sensitive personal information"), max_length=10, choices=Presence
    )
    anonymization_method_used = models.CharField(_("anonymisation"), max_length=1000, blank=True)
    licence = models.CharField(_("licence"), max_length=200)
    provenance = models.CharField(_("where the data come from"), max_length=20, choices=Provenance)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    source = models.CharField(_("source"), max_length=500)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "dataset_version"
        verbose_name = _("version of a data set")
        verbose_name_plural = _("versions of data sets")
        constraints = [
            models.UniqueConstraint(fields=["dataset", "version"], name="dataset_version_named_once"),
            models.CheckConstraint(
                name="dataset_version_choices_known",
                condition=Q(
                    confidentiality_level__in=["red", "amber", "green", "clear"],
                    has_sensitive_personal_information__in=["yes", "no", "unknown"],
                    provenance__in=[
                        *("public", "licensed", "third_party", "scraped", "user", "synthetic", "other"),
                    ],
                ),
            ),
            models.CheckConstraint(
                name="dataset_version_has_bytes", condition=Q(dataset_size__isnull=True) | Q(dataset_size__gt=0)
            ),
            models.CheckConstraint(
                name="dataset_version_digest_is_sha256", condition=Q(sha256="") | Q(sha256__regex=_SHA256)
            ),
        ]

    def __str__(self) -> str:
        return self.version


class DatasetUse(models.Model):
    """A version of a data set that a model version or an adapter was made or tried with. Insert-only."""

    class Purpose(models.TextChoices):
        TRAINING = "training", _("training")
        VALIDATION = "validation", _("validation")
        TESTING = "testing", _("testing")
        CALIBRATION = "calibration", _("calibration")
        RAG = "rag", _("retrieval")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset_version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="uses", verbose_name=_("version of a data set")
    )
    model_version = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="dataset_uses",
        null=True,
        blank=True,
        verbose_name=_("model version"),
    )
    adapter = models.ForeignKey(
        Adapter,
        on_delete=models.PROTECT,
        related_name="dataset_uses",
        null=True,
        blank=True,
        verbose_name=_("adapter"),
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    note = models.CharField(_("note"), max_length=1000, blank=True)
    recorded_by = models.CharField(_("recorded by"), max_length=100)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        db_table = "dataset_use"
        verbose_name = _("use of a data set")
        verbose_name_plural = _("uses of data sets")
        constraints = [
            models.UniqueConstraint(
                fields=["dataset_version", "model_version", "adapter", "purpose"],
                name="dataset_use_told_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="dataset_use_of_one",
                condition=Q(model_version__isnull=True, adapter__isnull=False)
                | Q(model_version__isnull=False, adapter__isnull=True),
            ),
            models.CheckConstraint(
                name="dataset_use_purpose_known",
                condition=Q(purpose__in=["training", "validation", "testing", "calibration", "rag"]),
            ),
        ]

    def __str__(self) -> str:
        return self.purpose
