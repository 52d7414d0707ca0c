"""Data sets, evaluations, thresholds and evidence in the stock admin, for looking only."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from governance.admin.registry import ReadOnly
from governance.models import Dataset, EvaluationRun, Evidence, MetricThreshold


@admin.register(Dataset)
class DatasetAdmin(ReadOnly):
    kind = "dataset"
    new_page, new_label = "admin:desk_dataset_new", _("Register a data set")
    list_display = ("page", "dataset_type", "intended_use", "owner", "registered_at")
    list_display_links = None
    list_filter = ("dataset_type",)
    list_select_related = ("owner",)
    search_fields = ("name", "intended_use")
    ordering = ("name",)

    @admin.display(description=_("Data set"), ordering="name")
    def page(self, row: Dataset) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_dataset", args=[row.pk]), row.name)


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ReadOnly):
    kind = "evaluation_run"
    new_page, new_label = "admin:desk_evaluation_new", _("Record an evaluation")
    beside_page, beside_label = "admin:governance_metricthreshold_changelist", _("Thresholds")
    list_display = ("page", "model_of", "weight_dtype", "protocol", "tool", "run_at")
    list_display_links = None
    list_filter = ("weight_dtype", "tool")
    list_select_related = ("model_version__model",)
    search_fields = ("protocol", "model_version__model__name")
    ordering = ("-run_at", "-number")

    @admin.display(description=_("Evaluation"), ordering="number")
    def page(self, row: EvaluationRun) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_evaluation", args=[row.pk]), row.ref)

    @admin.display(description=_("Model version"), ordering="model_version__model__name")
    def model_of(self, row: EvaluationRun) -> SafeString:
        address = reverse("admin:desk_model_version", args=[row.model_version_id])
        return format_html('<a href="{}">{} {}</a>', address, row.model_version.model.name, row.model_version.version)


@admin.register(MetricThreshold)
class MetricThresholdAdmin(ReadOnly):
    kind = "metric_threshold"
    new_page, new_label = "admin:desk_threshold_new", _("Set a threshold")
    beside_page, beside_label = "admin:governance_evaluationrun_changelist", _("Evaluations")
    list_display = ("metric", "slice", "scope", "version", "shape", "limit_value", "upper_value", "valid_from")
    list_filter = ("shape",)
    list_select_related = ("model", "use_case")
    search_fields = ("metric", "model__name", "use_case__name")
    ordering = ("metric", "slice", "model__name", "use_case__name", "-version")

    @admin.display(description=_("Model or use case"))
    def scope(self, row: MetricThreshold) -> str:
        return str(row.model or row.use_case)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnly):
    kind = "evidence"
    new_page, new_label = "admin:desk_evidence_new", _("Record evidence")
    beside_page, beside_label = "admin:desk_evidence_list", _("Evidence by standing")
    list_display = ("page", "title", "evidence_kind", "collected_at", "valid_until", "owner")
    list_display_links = None
    list_filter = ("kind", "classification")
    list_select_related = ("owner",)
    search_fields = ("title", "sha256")
    ordering = ("-number",)

    @admin.display(description=_("Evidence"), ordering="number")
    def page(self, row: Evidence) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_evidence", args=[row.pk]), row.ref)

    @admin.display(description=_("Kind"), ordering="kind")
    def evidence_kind(self, row: Evidence) -> str:
        return row.get_kind_display()
