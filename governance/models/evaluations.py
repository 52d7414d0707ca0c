"""Thresholds of metrics, evaluation runs, and what each run measured. All insert-only.

Numbers are decimal text (`governance.evaluation`), so that table, ledger and answer show the same digits.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance.evaluation import NUMBER
from governance.models.adapters import Adapter
from governance.models.datasets import DatasetVersion
from governance.models.registry import Model, ModelVersion
from governance.models.usecases import UseCase

_SHA256_OR_NONE = "^([0-9a-f]{64})?$"
_NUMBER_OR_NONE = NUMBER.replace("^", "^(").replace("$", ")?$")


class MetricThreshold(models.Model):
    """A version of a threshold of a model or of a use case. The newest that is in force counts; an empty `limit_value`
    ends it.
    """

    class Shape(models.TextChoices):
        GT = "gt", _("greater than")
        GTE = "gte", _("greater than or equal to")
        LT = "lt", _("less than")
        LTE = "lte", _("less than or equal to")
        OUTSIDE = "outside", _("outside")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        Model, on_delete=models.PROTECT, related_name="thresholds", null=True, blank=True, verbose_name=_("model")
    )
    use_case = models.ForeignKey(
        UseCase, on_delete=models.PROTECT, related_name="thresholds", null=True, blank=True, verbose_name=_("use case")
    )
    metric = models.CharField(_("metric"), max_length=100)
    slice = models.CharField(_("slice"), max_length=200, blank=True)
    version = models.PositiveIntegerField(_("version"))
    shape = models.CharField(_("fails when"), max_length=10, choices=Shape, blank=True)
    limit_value = models.CharField(_("limit"), max_length=62, blank=True)
    upper_value = models.CharField(_("upper limit"), max_length=62, blank=True)
    reason = models.CharField(_("reason"), max_length=1000)
    valid_from = models.DateTimeField(_("valid from"))
    set_by = models.CharField(_("set by"), max_length=100)
    set_at = models.DateTimeField(_("set"))

    class Meta:
        db_table = "metric_threshold"
        verbose_name = _("threshold")
        verbose_name_plural = _("thresholds")
        constraints = [
            models.UniqueConstraint(
                fields=["model", "use_case", "metric", "slice", "version"],
                name="metric_threshold_versioned_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="metric_threshold_of_one",
                condition=Q(model__isnull=True, use_case__isnull=False) | Q(model__isnull=False, use_case__isnull=True),
            ),
            models.CheckConstraint(
                name="metric_threshold_has_limits",
                condition=Q(shape="", limit_value="", upper_value="")
                | Q(shape__in=["gt", "gte", "lt", "lte"], limit_value__regex=NUMBER, upper_value="")
                | Q(shape="outside", limit_value__regex=NUMBER, upper_value__regex=NUMBER),
            ),
            models.CheckConstraint(
                name="metric_threshold_not_backdated", condition=Q(valid_from__gte=models.F("set_at"))
            ),
        ]

    def __str__(self) -> str:
        return self.metric


class EvaluationRun(models.Model):
    """An evaluation of a model version as it was stored, with what it ran on and who vouches for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(_("number"), unique=True)
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="evaluations", verbose_name=_("model version")
    )
    adapter = models.ForeignKey(
        Adapter,
        on_delete=models.PROTECT,
        related_name="evaluations",
        null=True,
        blank=True,
        verbose_name=_("adapter"),
    )
    use_case = models.ForeignKey(
        UseCase,
        on_delete=models.PROTECT,
        related_name="evaluations",
        null=True,
        blank=True,
        verbose_name=_("use case"),
    )
    dataset_version = models.ForeignKey(
        DatasetVersion,
        on_delete=models.PROTECT,
        related_name="evaluations",
        null=True,
        blank=True,
        verbose_name=_("version of a data set"),
    )
    weight_dtype = models.CharField(_("weights"), max_length=40)
    quantisation = models.CharField(_("quantisation"), max_length=200, blank=True)
    hardware = models.CharField(_("hardware"), max_length=500, blank=True)
    protocol = models.CharField(_("protocol"), max_length=500)
    tool = models.CharField(_("tool"), max_length=100)
    tool_version = models.CharField(_("version of the tool"), max_length=100, blank=True)
    run_at = models.DateTimeField(_("run"))
    artefact_sha256 = models.CharField(_("SHA-256 of the results"), max_length=64, blank=True)
    artefact_address = models.CharField(_("where the results lie"), max_length=500, blank=True)
    signed_by = models.CharField(_("signed by"), max_length=200, blank=True)
    notes = models.CharField(_("notes"), max_length=4000, blank=True)
    pushed_by = models.CharField(_("recorded by"), max_length=100)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        db_table = "evaluation_run"
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        constraints = [
            models.CheckConstraint(
                name="evaluation_run_digest_is_sha256", condition=Q(artefact_sha256__regex=_SHA256_OR_NONE)
            ),
        ]
        indexes = [models.Index(fields=["model_version", "-run_at"], name="evaluation_of_version")]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """How people call it."""
        return f"EVAL-{self.number:04}"


class Metric(models.Model):
    """One measured value of a run with the thresholds as they were then: `decision_threshold` is their RFC 8785 text,
    empty without one, and `passes_from`, `passes_to` what they let pass. The database computes `status` again.
    """

    class Status(models.TextChoices):
        PASSED = "passed", _("passed")
        FAILED = "failed", pgettext_lazy("evaluation", "failed")
        NO_THRESHOLD = "no_threshold", _("no threshold")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(
        EvaluationRun, on_delete=models.PROTECT, related_name="metrics", verbose_name=_("evaluation")
    )
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("name"), max_length=100)
    type = models.CharField(_("type"), max_length=100, blank=True)
    slice = models.CharField(_("slice"), max_length=200, blank=True)
    value = models.CharField(_("value"), max_length=62)
    unit = models.CharField(_("unit"), max_length=40, blank=True)
    lower_bound = models.CharField(_("lower bound"), max_length=62, blank=True)
    upper_bound = models.CharField(_("upper bound"), max_length=62, blank=True)
    decision_threshold = models.TextField(_("threshold"), blank=True)
    passes_from = models.CharField(_("passes from"), max_length=62, blank=True)
    passes_from_open = models.BooleanField(_("passes above it only"), default=False)
    passes_to = models.CharField(_("passes up to"), max_length=62, blank=True)
    passes_to_open = models.BooleanField(_("passes below it only"), default=False)
    status = models.CharField(_("status"), max_length=20, choices=Status)

    class Meta:
        db_table = "metric"
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="metric_numbered_once"),
            models.UniqueConstraint(fields=["run", "name", "slice"], name="metric_measured_once"),
            models.CheckConstraint(
                name="metric_numbers_are_decimal",
                condition=Q(
                    value__regex=NUMBER,
                    lower_bound__regex=_NUMBER_OR_NONE,
                    upper_bound__regex=_NUMBER_OR_NONE,
                    passes_from__regex=_NUMBER_OR_NONE,
                    passes_to__regex=_NUMBER_OR_NONE,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name
