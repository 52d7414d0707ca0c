"""The lists of the ledger as files: entries, checkpoints, erasures, holds."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.admin.asking import AskForm
from audit.admin.erasures import member
from audit.admin.exporting import export_page
from audit.admin.labels import KINDS
from audit.admin.ledger import hidden_form
from audit.exports import ExportRefused, Listing
from audit.queries.checkpoints import all_checkpoints
from audit.queries.erasures import all_holds, all_requests
from audit.queries.ledgerrows import LEDGER_COLUMNS, SubjectUnclear, exact, ledger_rows

CHECKPOINT_COLUMNS = ("size", "root", "signed_at", "note")
ERASURE_COLUMNS = (
    "id", "entry_index", "name", "legal_basis", "requested_by", "requested_at", "state", "decided_at", "erased_by",
    "before_floor",
)  # fmt: skip
HOLD_COLUMNS = ("id", "reference", "subject", "source", "type", "entries", "placed_by", "placed_at", "released_at")


@require_POST
def ledger_export(request: HttpRequest) -> HttpResponseBase:
    """The entries that the address asks for; their content stays, a leaf says what is public of them."""

    def listing() -> Listing:
        form = AskForm(request.GET, now=timezone.now())
        if not form.is_valid():
            raise ExportRefused(_("Nothing was looked for: correct what is marked above."))
        asked = form.wanted
        try:
            wanted = exact(asked, kinds=tuple(KINDS), hidden=hidden_form(asked.subject) if asked.subject else "")
        except SubjectUnclear as error:
            raise ExportRefused(_("This subject is unknown or may be several: choose one first.")) from error
        # A pipeline's own word for a subject is hidden in the log, so the entry tells the form that stands there.
        filters = {
            "type": wanted.type,
            "subject": wanted.subject,
            "source": wanted.source,
            "received_from": wanted.received_from.isoformat() if wanted.received_from else "",
            "received_to": wanted.received_to.isoformat() if wanted.received_to else "",
        }
        return Listing("entry", LEDGER_COLUMNS, ledger_rows(wanted), filters)

    return export_page(request, listing, reverse("admin:ledger_list"))


@require_POST
def checkpoints_export(request: HttpRequest) -> HttpResponseBase:
    """All checkpoints with their notes, largest first."""

    def listing() -> Listing:
        rows = (
            {"size": row.size, "root": row.root.hex(), "signed_at": row.signed_at, "note": row.note}
            for row in all_checkpoints()
        )
        return Listing("checkpoint", CHECKPOINT_COLUMNS, rows, {})

    return export_page(request, listing, reverse("admin:ledger_checkpoints"))


@require_POST
def erasures_export(request: HttpRequest) -> HttpResponseBase:
    """All requests for an erasure with what became of them; who asked is an id."""
    member(request)

    def listing() -> Listing:
        rows = ({column: getattr(row, column) for column in ERASURE_COLUMNS} for row in all_requests())
        return Listing("erasure", ERASURE_COLUMNS, rows, {})

    return export_page(request, listing, reverse("admin:erasures"))


@require_POST
def holds_export(request: HttpRequest) -> HttpResponseBase:
    """All legal holds, whether they stand or were released."""
    member(request)

    def listing() -> Listing:
        own = ("id", "reference", "placed_by", "placed_at", "released_at")
        rows = ({**{column: getattr(row, column) for column in own}, **dict(row.scope)} for row in all_holds())
        return Listing("hold", HOLD_COLUMNS, rows, {})

    return export_page(request, listing, reverse("admin:holds"))
