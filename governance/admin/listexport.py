"""The stock lists and the queue as files: whole snapshots of the rows that the address asks for."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.admin.exporting import export_page, filters_of
from audit.exports import ExportRefused, Listing
from governance import queries
from governance.queries.reconciling import TABLES
from governance.queries.search import found_ids
from governance.snapshot.rows import FIELDS

if TYPE_CHECKING:
    _Admin = ModelAdmin[models.Model]
else:
    _Admin = ModelAdmin

Tell = Callable[[HttpRequest, Sequence[Any]], None]
BATCH = 500
MOST_FOUND = 500
"""Newest objects that a stock list shows for a question."""


def changelist_export(stock: _Admin, request: HttpRequest, *, kind: str, tell: Tell) -> HttpResponseBase:
    """The list of a stock admin class as a file; `tell` puts into rows what this reader may read."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not stock.has_view_permission(request):
        raise PermissionDenied
    columns = FIELDS.get(kind) or tuple(field.attname for field in stock.opts.concrete_fields)
    name = f"{stock.opts.app_label}_{stock.opts.model_name}"

    def listing() -> Listing:
        try:
            found = stock.get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise ExportRefused(_("This address asks for something that the list does not know.")) from error
        if kind in TABLES and cut(kind, found.query):
            raise ExportRefused(
                _("The search finds more than the newest %(most)s; ask with more words, or without search.")
                % {"most": MOST_FOUND}
            )
        return Listing(kind or name, columns, _rows(request, found, columns, tell), filters_of(request))

    return export_page(request, listing, reverse(f"admin:{name}_changelist"))


def cut(kind: str, asked: str) -> bool:
    """Whether a question finds more of a kind than a list looks through."""
    return bool(asked.strip()) and len(found_ids(kind, asked, limit=MOST_FOUND + 1)) > MOST_FOUND


def _rows(request: HttpRequest, found: ChangeList, columns: Sequence[str], tell: Tell) -> Iterator[dict[str, Any]]:
    """Every row of the list, not of one page, in batches: what a class tells in place of a column costs queries."""
    rows = iter(found.queryset.iterator(chunk_size=BATCH))
    while batch := list(islice(rows, BATCH)):
        tell(request, batch)
        for row in batch:
            yield {column: getattr(row, column) for column in columns}


@require_POST
def requests_export(request: HttpRequest) -> HttpResponseBase:
    """The requests of a state as a file, oldest first."""

    def listing() -> Listing:
        state, rows = queries.requests_of_state(request.GET.get("state", "open")[:20])
        return Listing(name="request", columns=FIELDS["request"], rows=rows, filters={"state": state})

    return export_page(request, listing, reverse("admin:desk_requests"))
