"""Pages of the signed checkpoints: the list by keyset, and one with all that can be checked of it here."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit import queries
from audit.admin.pages import number, page
from audit.queries.checkpointpages import CheckpointNotFound, checkpoint_list, checkpoint_page, covering_size


@require_safe
def ledger_checkpoints(request: HttpRequest) -> HttpResponse:
    """Checkpoints, largest first; `?entry=` leads to the oldest one that covers an entry."""
    text, wrong = request.GET.get("entry", "").strip(), ""
    if text:
        index = number(text)
        size = covering_size(index) if index is not None else None
        if size is not None:
            return HttpResponseRedirect(reverse("admin:ledger_checkpoint", args=[size]))
        wrong = (
            _("An entry has a whole number, such as 1482.")
            if index is None
            else _("No checkpoint covers this entry yet; the log has %(size)s entries.")
            % {"size": f"{queries.head_size():,}"}
        )
    found = checkpoint_list(before=number(request.GET.get("before", "")), start=number(request.GET.get("start", "")))
    context = {"title": _("Checkpoints"), "page": found, "entry": text[:40], "wrong": wrong}
    return page(request, "admin/ledger/checkpoints.html", context)


@require_safe
def ledger_checkpoint(request: HttpRequest, size: int) -> HttpResponse:
    """One checkpoint: its note, who signed it, and that the log of today bears it and continues it."""
    try:
        found = checkpoint_page(size)
    except CheckpointNotFound as error:
        near = covering_size(size)
        context = {"title": _("No such checkpoint"), "why": str(error), "near": near}
        return page(request, "admin/ledger/nocheckpoint.html", context, status=404)
    title = _("Checkpoint %(size)s") % {"size": f"{size:,}"}
    return page(request, "admin/ledger/checkpoint.html", {"title": title, "checkpoint": found})
