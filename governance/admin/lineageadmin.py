"""Lists of standings and of files in the stock admin, for looking only."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from governance.admin.registry import ReadOnly
from governance.models import ModelArtefact, Standing
from governance.queries.objects import labels


class StandingList(ChangeList):
    """The page of standings with the names of the things, one query for each kind."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        wanted: dict[str, set[UUID]] = {}
        for row in rows:
            wanted.setdefault(row.subject_kind, set()).add(row.subject_id)
        names = {kind: labels(kind, ids) for kind, ids in wanted.items()}
        for row in rows:
            row.subject_name = names[row.subject_kind].get(row.subject_id, "")
        self.result_list = rows


@admin.register(Standing)
class StandingAdmin(ReadOnly):
    kind = "standing"
    list_display = ("thing", "subject_kind", "number", "state", "reason", "changed_at")
    list_display_links = None
    list_filter = ("state", "subject_kind")
    search_fields = ("reason",)
    ordering = ("-changed_at", "pk")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StandingList

    @admin.display(description=_("Of"))
    def thing(self, row: Standing) -> SafeString:
        address = reverse("admin:desk_standing", args=[row.subject_kind, row.subject_id])
        return format_html('<a href="{}">{}</a>', address, getattr(row, "subject_name", "") or row.subject_id)


@admin.register(ModelArtefact)
class ModelArtefactAdmin(ReadOnly):
    kind = "model_artefact"
    list_display = ("name", "belongs_to", "kind_word", "format", "size_bytes", "registered_at")
    list_filter = ("kind", "format")
    list_select_related = ("model_version__model", "adapter")
    search_fields = ("name", "sha256")
    ordering = ("name", "pk")

    @admin.display(description=_("Of"))
    def belongs_to(self, row: ModelArtefact) -> SafeString:
        if row.model_version is not None:
            address = reverse("admin:desk_model_version", args=[row.model_version.pk])
            name = f"{row.model_version.model.name} {row.model_version.version}"
            return format_html('<a href="{}">{}</a>', address, name)
        address = reverse("admin:desk_adapter", args=[row.adapter_id])
        return format_html('<a href="{}">{}</a>', address, row.adapter)

    @admin.display(description=_("Kind"), ordering="kind")
    def kind_word(self, row: ModelArtefact) -> str:
        return row.get_kind_display()
