"""Registry tables in the stock admin, for looking only: rows change through operations, never by a form here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin.pages import is_auditor
from governance.admin.listexport import MOST_FOUND, changelist_export
from governance.admin.turning import CappedPaginator, KnownValues
from governance.models import (
    Adapter,
    Agent,
    Comparison,
    Deployment,
    Finding,
    GpuModel,
    GpuPool,
    ImportJob,
    ModelVersion,
    UseCase,
)
from governance.operations.changing import CHANGED
from governance.queries.quoting import Told, details
from governance.queries.reconciling import TABLES
from governance.queries.search import found_ids
from governance.queries.standing import SUBJECTS

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[models.Model]
else:
    _Admin = admin.ModelAdmin

GIB = 2**30


class ReadOnly(_Admin):
    """Everybody who may enter the admin may look; nobody may change a row by hand.

    `kind` is the word in the ledger's subjects; the history of a row is its entries there.
    """

    kind = ""
    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator
    new_page = ""
    new_label: Any = ""
    beside_page = ""
    beside_label: Any = ""
    further: Sequence[tuple[str, Any]] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows that the search over everything finds: a look into each row would read them all."""
        if not search_term.strip() or self.kind not in TABLES:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(pk__in=found_ids(self.kind, search_term, limit=MOST_FOUND)), False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the ledger tells of the row: the stock log is an ordinary table, and no evidence."""
        if self.kind in TABLES and _is_uuid(object_id):
            return HttpResponseRedirect(reverse("admin:desk_registry_object", args=[self.kind, object_id]))
        query = urlencode({"subject": f"{self.kind}:{object_id}"})
        return HttpResponseRedirect(f"{reverse('admin:ledger_list')}?{query}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        new = {"new_address": reverse(self.new_page), "new_label": self.new_label} if self.new_page else {}
        new["export_address"] = reverse(f"admin:{self.export_name}")
        if self.beside_page:
            new |= {"beside_address": reverse(self.beside_page), "beside_label": self.beside_label}
        if self.kind in TABLES:
            new |= {"registry_address": reverse("admin:desk_registry", args=[self.kind])}
        others = [(reverse(page), label) for page, label in self.further]
        return super().changelist_view(request, {**new, "further": others, **(extra_context or {})})

    change_list_template = "admin/governance/change_list.html"
    change_form_template = "admin/governance/change_form.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        ways = {"has_standing": self.kind in SUBJECTS, "can_change": self.kind in CHANGED, "kind": self.kind}
        return super().change_view(request, object_id, form_url, {**ways, **(extra_context or {})})

    @property
    def export_name(self) -> str:
        """Name of the address that hands out the list."""
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def get_urls(self) -> list[URLPattern]:
        """The stock addresses, and one that hands out the list as a file."""
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=self.export_name), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The list with the filters and the search of the address, as a file."""
        return changelist_export(self, request, kind=self.kind, tell=self.tell)

    def tell(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """Put into rows what this reader may read; called before they are shown or handed out."""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly):
    kind = "model_version"
    new_page, new_label = "admin:desk_model_new", _("Register a model version")
    beside_page, beside_label = "admin:governance_adapter_changelist", _("Adapters")
    further = (
        ("admin:governance_importjob_changelist", _("Imports")),
        ("admin:governance_modelartefact_changelist", _("Files")),
        ("admin:governance_standing_changelist", _("Standings")),
    )
    list_display = ("page", "version_page", "parameters", "weights", "max_context", "facts_from", "registered_at")
    list_display_links = None
    list_filter = ("facts_from", ("weight_dtype", KnownValues))
    list_select_related = ("model",)
    search_fields = ("model__name", "model__hf_id", "version")
    change_form_template = "admin/governance/version_form.html"
    ordering = ("model__name", "version")

    @admin.display(description=_("Model"), ordering="model__name")
    def page(self, row: ModelVersion) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_model", args=[row.model_id]), row.model.name)

    @admin.display(description=_("Version"), ordering="version")
    def version_page(self, row: ModelVersion) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_model_version", args=[row.pk]), row.version)

    @admin.display(description=_("Parameters"), ordering="params_total")
    def parameters(self, row: ModelVersion) -> str:
        return f"{row.params_total / 1e9:,.2f} B"

    @admin.display(description=_("Weights"), ordering="weight_bytes")
    def weights(self, row: ModelVersion) -> str:
        return f"{row.weight_bytes / GIB:,.1f} GiB" if row.weight_bytes else "–"


@admin.register(Adapter)
class AdapterAdmin(ReadOnly):
    kind = "adapter"
    new_page, new_label = "admin:desk_adapter_new", _("Register an adapter")
    beside_page, beside_label = "admin:governance_modelversion_changelist", _("Model versions")
    further = (("admin:governance_importjob_changelist", _("Imports")),)
    list_display = ("page", "base_of", "base_match", "method", "r", "registered_at")
    list_display_links = None
    list_filter = ("base_match", "method")
    list_select_related = ("base__model",)
    search_fields = ("name", "version", "base_name")
    ordering = ("name", "version")

    @admin.display(description=_("Adapter"), ordering="name")
    def page(self, row: Adapter) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_adapter", args=[row.pk]), row)

    @admin.display(description=_("Base"), ordering="base_name")
    def base_of(self, row: Adapter) -> str:
        return f"{row.base.model.name} {row.base.version}" if row.base else row.base_name


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly):
    kind = "import_job"
    new_page, new_label = "admin:desk_import_new", _("Import from an address")
    beside_page, beside_label = "admin:governance_modelversion_changelist", _("Model versions")
    list_display = ("page", "state", "address", "requested_at")
    list_display_links = None
    list_filter = ("state",)
    search_fields = ("name", "version", "address")
    ordering = ("-requested_at", "pk")

    @admin.display(description=_("Import"), ordering="name")
    def page(self, row: ImportJob) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_import", args=[row.pk]), row)


@admin.register(GpuModel)
class GpuModelAdmin(ReadOnly):
    kind = "gpu_model"
    list_display = ("name", "vendor", "memory", "memory_basis", "tdp_w", "unverified_fields")
    list_filter = ("vendor", "memory_type")
    search_fields = ("name", "architecture")
    ordering = ("vendor", "name")

    @admin.display(description=_("Memory that software sees"), ordering="memory_bytes")
    def memory(self, row: GpuModel) -> str:
        return f"{row.memory_bytes / GIB:,.1f} GiB"


@admin.register(GpuPool)
class GpuPoolAdmin(ReadOnly):
    kind = "gpu_pool"
    new_page, new_label = "admin:desk_pool_new", _("Register a GPU pool")
    beside_page, beside_label = "admin:governance_gpunode_changelist", _("GPU nodes")
    further = (
        ("admin:governance_gpumodel_changelist", _("GPU models")),
        ("admin:governance_standing_changelist", _("Standings")),
    )
    list_display = ("page", "gpu_model", "count", "node", "region", "hosting")
    list_display_links = None
    list_filter = ("hosting", "region")
    list_select_related = ("gpu_model",)
    search_fields = ("name", "node")
    ordering = ("name",)

    @admin.display(description=_("Name"), ordering="name")
    def page(self, row: GpuPool) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_pool", args=[row.pk]), row.name)


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    kind = "deployment"
    new_page, new_label = "admin:desk_request_new", _("Request a deployment")
    further = (
        ("admin:governance_comparison_changelist", _("Comparisons")),
        ("admin:governance_standing_changelist", _("Standings")),
    )
    list_display = ("page", "name", "owner", "approved")
    list_display_links = None
    list_filter = (("approved_revision", admin.EmptyFieldListFilter),)
    list_select_related = ("owner", "approved_revision")
    search_fields = ("name", "purpose")
    ordering = ("number",)

    @admin.display(description=_("Deployment"), ordering="number")
    def page(self, row: Deployment) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_deployment", args=[row.pk]), row.ref)

    @admin.display(description=_("Approved revision"))
    def approved(self, row: Deployment) -> str:
        return str(row.approved_revision.number) if row.approved_revision else "–"


@admin.register(UseCase)
class UseCaseAdmin(ReadOnly):
    kind = "use_case"
    new_page, new_label = "admin:desk_use_case_new", _("Register a use case")
    beside_page, beside_label = "admin:desk_oversight", _("Human oversight")
    further = (
        ("admin:governance_oversightassignment_changelist", _("Oversight assignments")),
        ("admin:governance_standing_changelist", _("Standings")),
    )
    list_display = ("page", "name", "tier", "eu_role", "owner")
    list_display_links = None
    list_filter = ("tier", "eu_role")
    list_select_related = ("owner",)
    search_fields = ("name", "intended_purpose")
    ordering = ("number",)

    @admin.display(description=_("Use case"), ordering="number")
    def page(self, row: UseCase) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_use_case", args=[row.pk]), row.ref)


@admin.register(Agent)
class AgentAdmin(ReadOnly):
    kind = "agent"
    new_page, new_label = "admin:desk_agent_new", _("Register an agent")
    beside_page, beside_label = "admin:governance_tool_changelist", _("Tools")
    list_display = ("page", "deployment", "owner", "autonomy")
    list_display_links = None
    list_select_related = ("deployment", "owner")
    search_fields = ("name",)
    ordering = ("name",)

    @admin.display(description=_("Agent"), ordering="name")
    def page(self, row: Agent) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_agent", args=[row.pk]), row.name)


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly):
    kind = "comparison"
    list_display = ("title", "deployment", "recorded_at")
    list_select_related = ("deployment",)
    search_fields = ("title",)
    ordering = ("-recorded_at", "pk")


def _tell(request: HttpRequest, rows: Sequence[Finding]) -> None:
    """Put what this reader may read in place of the kept sentence, for showing: the rows are never saved."""
    told = details([Told.of(row) for row in rows], sees_everything=is_auditor(request))
    for row, detail in zip(rows, told, strict=True):
        row.detail = detail


class FindingList(ChangeList):
    """The page of findings as this reader may read them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        _tell(request, rows)
        self.result_list = rows


@admin.register(Finding)
class FindingAdmin(ReadOnly):
    kind = "finding"
    list_display = ("detail", "kind_word", "entry", "raised_at")
    list_filter = ("kind",)
    search_fields = ("subject", "detail")
    ordering = ("-raised_at", "pk")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FindingList

    def tell(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        _tell(request, rows)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        found = super().get_object(request, object_id, from_field)
        _tell(request, [found] if isinstance(found, Finding) else [])
        return found

    @admin.display(description=_("Kind"), ordering="kind")
    def kind_word(self, row: Finding) -> str:
        return row.get_kind_display()

    @admin.display(description=_("Entry"), ordering="entry_index")
    def entry(self, row: Finding) -> SafeString:
        address = reverse("admin:ledger_entry", args=[row.entry_index])
        return format_html('<a class="mono" href="{}">{}</a>', address, row.entry_index)
