"""The ledger explorer: a list by keyset, one entry with its proof, and what to take away from it.

A bundle opens every section of the entry, so it is for auditors; a receipt opens none.
"""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit import ledger, queries
from audit.admin.asking import LONGEST, AskForm, source_choices, type_choices
from audit.admin.labels import KINDS
from audit.admin.pages import is_auditor, number, page
from audit.queries.explorer import entry_page
from audit.queries.ledgerlist import EVERYTHING, ledger_page
from audit.queries.names import MOST_CANDIDATES


@require_safe
def ledger_list(request: HttpRequest) -> HttpResponse:
    """Entries by type, subject, source and time, newest first; `?entry=` leads to one.

    `before` and `from_entry` are the cursors of older and newer pages.
    """
    form = AskForm(request.GET, now=timezone.now())
    jump, jump_error = request.GET.get("entry", "").strip(), ""
    if jump:
        index, size = number(jump), queries.head_size()
        if index is not None and index < size:
            return HttpResponseRedirect(reverse("admin:ledger_entry", args=[index]))
        jump_error = _no_such_entry(index, size)
    asked = form.is_valid()
    found = ledger_page(
        form.wanted if asked else EVERYTHING,
        before=number(request.GET.get("before", "")),
        start=number(request.GET.get("from_entry", "")),
        kinds=tuple(KINDS),
        hidden=hidden_form(form.wanted.subject) if asked and form.wanted.subject else "",
        sees_everything=is_auditor(request),
        searches=asked and not jump_error,
    )
    chosen = {name: request.GET.get(name, "")[: LONGEST + 1] for name in form.fields}
    context = {
        "title": _("Ledger"),
        "page": found,
        "form": form,
        "asked": asked and not jump_error,
        "chosen": chosen,
        "types": type_choices(chosen["type"]),
        "sources": source_choices(chosen["source"], {item.reference: item.name for item in found.sources}),
        "query": form.query(subject=found.subject.reference if found.subject else "") if asked else "",
        "others": [(item, form.query(subject=item.reference)) for item in found.others],
        "most": MOST_CANDIDATES,
        "turned": bool({"before", "from_entry"} & set(request.GET)),
        "jump": jump[:LONGEST],
        "jump_error": jump_error,
    }
    return page(request, "admin/ledger/list.html", context)


@require_safe
def ledger_entry(request: HttpRequest, index: int) -> HttpResponse:
    """One entry. What is not open to all (audit.queries.disclosure) is shown to auditors only."""
    everything = is_auditor(request)
    try:
        found = entry_page(index, sees_everything=everything)
    except queries.EntryNotFound as error:
        context = {"title": _("No such entry"), "why": str(error), "size": queries.head_size()}
        return page(request, "admin/ledger/noentry.html", context, status=404)
    title = _("Entry %(index)s") % {"index": f"{index:,}"}
    return page(request, "admin/ledger/entry.html", {"title": title, "entry": found, "is_auditor": everything})


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
def ledger_leaf(request: HttpRequest, index: int) -> HttpResponse:
    """The exact leaf as a file: what a receipt is checked against."""
    try:
        found = queries.entry(index)
    except queries.EntryNotFound as error:
        raise Http404(str(error)) from error
    return _file(found.leaf, "application/json", f"entry-{index}.json")


@require_POST
def ledger_bundle(request: HttpRequest, index: int) -> HttpResponse:
    """The entry with its sections and proof as one file that `python -m audit.tlog verify` reads."""
    if not is_auditor(request):
        raise PermissionDenied(_("A bundle opens every section of an entry: only auditors may take one away."))
    try:
        queries.entry(index)
        data = queries.bundle([index])
    except queries.EntryNotFound as error:
        raise Http404(str(error)) from error
    except queries.NotCovered as error:
        return _come_back(request, index, error)
    return _file(data, "application/json", f"entry-{index}.assay.json")


def _no_such_entry(number: int | None, size: int) -> str:
    if number is None:
        return _("An entry has a whole number, such as 1482.")
    if not size:
        return _("The log is empty.")
    return _("There is no such entry yet; the newest is %(newest)s.") % {"newest": f"{size - 1:,}"}


def hidden_form(text: str) -> str:
    """How a pipeline's own subject of this name stands in a leaf."""
    return f"x:{ledger.secret_form(settings.LEDGER_HMAC_KEY, b'subject', text).hex()}"


def _come_back(request: HttpRequest, index: int, error: Exception) -> HttpResponse:
    messages.warning(request, str(error))
    return HttpResponseRedirect(reverse("admin:ledger_entry", args=[index]))


def _file(data: bytes, media: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(data, content_type=media, headers=headers)
