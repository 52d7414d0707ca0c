"""Pages of machines and their cards."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import User
from governance import operations
from governance.admin.agents import blocked, named
from governance.admin.base import page
from governance.admin.hardwareforms import CardsForm, NodeChangeForm, NodeForm, PoolCardForm
from governance.admin.registering import FORM, form_page
from governance.queries.nodes import NodeNotFound, node_page, node_snapshot


@require_safe
def node(request: HttpRequest, node_id: UUID) -> HttpResponse:
    """A machine with its cards, slices and pools."""
    try:
        found = node_page(node_id)
    except NodeNotFound as error:
        raise Http404(str(error)) from error
    context = {"title": found.name, "node": found, "blocked": blocked(request)}
    return page(request, "admin/governance/node.html", context)


@FORM
def node_new(request: HttpRequest) -> HttpResponse:
    """Register a machine; its cards come next."""
    form = NodeForm(request.POST or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        made = operations.register_gpu_node(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_node", args=[made.id])

    texts = {"title": _("Register a GPU node"), "go": _("Register"), "files": False}
    return form_page(request, form, register, texts, blocked(request))


@FORM
def node_change(request: HttpRequest, node_id: UUID) -> HttpResponse:
    """Change what is known of a machine."""
    found = node_snapshot(node_id)
    if found is None:
        raise Http404(_("Nothing is registered here."))
    initial = {**found, "owner": found["owner_id"]}
    form = NodeChangeForm(request.POST or None, initial=initial, label_suffix="")

    def save(user: User, fields: dict[str, Any]) -> str:
        fields["owner_id"], fields["seen"] = fields.pop("owner").pk, fields.pop("row_version")
        operations.change_gpu_node(by=user, node_id=node_id, now=timezone.now(), **fields)
        return reverse("admin:desk_node", args=[node_id])

    texts = {"title": _("Change %(name)s") % {"name": found["name"]}, "go": _("Save"), "files": False}
    return form_page(request, form, save, texts, blocked(request))


@FORM
def node_cards(request: HttpRequest, node_id: UUID) -> HttpResponse:
    """Register the cards that nvidia-smi names."""
    name = named("gpu_node", node_id)
    form = CardsForm(request.POST or None, request.FILES or None, label_suffix="")

    def register(user: User, fields: dict[str, Any]) -> str:
        model = fields.pop("gpu_model")
        fields["gpu_model"] = model.name if model else ""
        operations.import_cards(by=user, node_id=node_id, now=timezone.now(), **fields)
        return reverse("admin:desk_node", args=[node_id])

    texts = {"title": _("Cards of %(name)s") % {"name": name}, "go": _("Register"), "files": True}
    return form_page(request, form, register, texts, blocked(request))


@FORM
def node_pools(request: HttpRequest, node_id: UUID) -> HttpResponse:
    """Record that a card of a machine joins a pool or leaves it."""
    name = named("gpu_node", node_id)
    form = PoolCardForm(request.POST or None, label_suffix="").of(node_id)

    def record(user: User, fields: dict[str, Any]) -> str:
        fields["device_id"], fields["pool_id"] = fields.pop("device").pk, fields.pop("pool").pk
        operations.record_pool_device(by=user, now=timezone.now(), **fields)
        return reverse("admin:desk_node", args=[node_id])

    texts = {"title": _("Pools of the cards of %(name)s") % {"name": name}, "go": _("Record"), "files": False}
    return form_page(request, form, record, texts, blocked(request))
