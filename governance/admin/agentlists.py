"""Lists of tools, machines and cards in the stock admin, for looking only."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from governance.admin.registry import ReadOnly
from governance.models import GpuDevice, GpuNode, OversightAssignment, Tool


@admin.register(Tool)
class ToolAdmin(ReadOnly):
    kind = "tool"
    new_page, new_label = "admin:desk_tool_new", _("Register a tool")
    beside_page, beside_label = "admin:governance_agent_changelist", _("Agents")
    list_display = ("page", "kind", "endpoint", "owner")
    list_display_links = None
    list_filter = ("kind",)
    list_select_related = ("owner",)
    search_fields = ("name", "endpoint")
    ordering = ("name",)

    @admin.display(description=_("Tool"), ordering="name")
    def page(self, row: Tool) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_tool", args=[row.pk]), row.name)


@admin.register(GpuNode)
class GpuNodeAdmin(ReadOnly):
    kind = "gpu_node"
    new_page, new_label = "admin:desk_node_new", _("Register a GPU node")
    beside_page, beside_label = "admin:governance_gpudevice_changelist", _("Cards")
    list_display = ("page", "provider", "region", "owner")
    list_display_links = None
    list_filter = ("provider", "region")
    list_select_related = ("owner",)
    search_fields = ("name", "notes")
    ordering = ("name",)

    @admin.display(description=_("GPU node"), ordering="name")
    def page(self, row: GpuNode) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:desk_node", args=[row.pk]), row.name)


@admin.register(GpuDevice)
class GpuDeviceAdmin(ReadOnly):
    kind = "gpu_device"
    beside_page, beside_label = "admin:governance_gpunode_changelist", _("GPU nodes")
    list_display = ("uuid", "gpu_model", "node", "slot", "serial", "driver_version")
    list_filter = ("gpu_model",)
    list_select_related = ("gpu_model", "node")
    search_fields = ("uuid", "serial", "node__name")
    ordering = ("node__name", "slot")


@admin.register(OversightAssignment)
class OversightAdmin(ReadOnly):
    kind = "oversight_assignment"
    new_page, new_label = "admin:desk_oversight_new", _("Assign oversight")
    list_display = ("role", "use_case", "person", "authority", "valid_from", "valid_until")
    list_filter = ("authority",)
    list_select_related = ("use_case", "person")
    search_fields = ("role", "use_case__name", "person__display_name")
    ordering = ("-assigned_at", "pk")
