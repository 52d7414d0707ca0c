"""The ledger explorer: a list by keyset, one entry with its proof, and what to take away from it.

A bundle opens every section of the entry, so it is for auditors; a receipt opens none.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit import queries
from audit.admin.labels import LABELS, event_label
from audit.models import User
from audit.queries.explorer import entry_page, ledger_page
from audit.queries.roles import AUDITORS, roles_of

LONGEST_WORD = 200


def _number(text: str) -> int | None:
    """A whole number below 2**63 as people write it (1,482,907), None for anything else."""
    digits = text.strip().replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})


@require_safe
def ledger_list(request: HttpRequest) -> HttpResponse:
    """The newest entries, filtered by type and subject; `?entry=` jumps to one."""
    wanted = _number(request.GET.get("entry", ""))
    if wanted is not None:
        return HttpResponseRedirect(reverse("admin:ledger_entry", args=[wanted]))
    type_ = request.GET.get("type", "")[:LONGEST_WORD]
    subject = request.GET.get("subject", "").strip()[:LONGEST_WORD]
    before = _number(request.GET.get("before", ""))
    context = {
        "title": _("Ledger"),
        "page": ledger_page(before=before, type_=type_, subject=subject, sees_everything=_is_auditor(request)),
        "types": sorted(((str(kind), event_label(kind)) for kind in LABELS), key=lambda item: item[1]),
        "chosen_type": type_,
        "chosen_subject": subject,
        "before": before,
    }
    return _page(request, "admin/ledger/list.html", context)


@require_safe
def ledger_entry(request: HttpRequest, index: int) -> HttpResponse:
    """One entry. What is not open to all (audit.queries.disclosure) is shown to auditors only."""
    is_auditor = _is_auditor(request)
    try:
        found = entry_page(index, sees_everything=is_auditor)
    except queries.EntryNotFound as error:
        raise Http404(str(error)) from error
    title = _("Entry %(index)s") % {"index": f"{index:,}"}
    return _page(request, "admin/ledger/entry.html", {"title": title, "entry": found, "is_auditor": is_auditor})


@require_POST
def ledger_receipt(request: HttpRequest, index: int) -> HttpResponse:
    """The receipt as a file: what proves the entry, without its content."""
    try:
        queries.entry(index)
        text = queries.receipt(index)
    except queries.EntryNotFound as error:
        raise Http404(str(error)) from error
    except queries.NotCovered as error:
        return _come_back(request, index, error)
    return _file(text.encode(), "text/plain; charset=utf-8", f"entry-{index}.tlog-proof")


@require_POST
def ledger_bundle(request: HttpRequest, index: int) -> HttpResponse:
    """The entry with its sections and proof as one file that `python -m audit.tlog verify` reads."""
    if not _is_auditor(request):
        raise PermissionDenied(_("A bundle opens every section of an entry: only auditors may take one away."))
    try:
        queries.entry(index)
        data = queries.bundle([index])
    except queries.EntryNotFound as error:
        raise Http404(str(error)) from error
    except queries.NotCovered as error:
        return _come_back(request, index, error)
    return _file(data, "application/json", f"entry-{index}.assay.json")


def _is_auditor(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and AUDITORS in roles_of(request.user.pk)


def _come_back(request: HttpRequest, index: int, error: Exception) -> HttpResponse:
    messages.warning(request, str(error))
    return HttpResponseRedirect(reverse("admin:ledger_entry", args=[index]))


def _file(data: bytes, media: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(data, content_type=media, headers=headers)
